"""Links with which somebody sets a password: the first one, or a new one.

A link works once, for as long as PASSWORD_RESET_TIMEOUT says. It goes out by mail; where none is
configured, or the mail server fails, the lead sees it once and passes it on.
"""

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from briefs.links import absolute, user_name

logger = logging.getLogger(__name__)
DAYS = settings.PASSWORD_RESET_TIMEOUT // 86_400


class Tokens(PasswordResetTokenGenerator):
    """Those of links. They end, too, when their person becomes a superuser or no longer is one.

    A lead may have seen the link before, and must not set a superuser's password by it.
    """

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        value: str = super()._make_hash_value(user, timestamp)
        return f"{value}superuser" if user.is_superuser else value


tokens = Tokens()


def link(person: User, request: HttpRequest) -> str:
    key = urlsafe_base64_encode(force_bytes(person.pk))
    token = tokens.make_token(person)
    return absolute(reverse("accounts:set_password", args=[key, token]), request)


def is_sent(person: User, url: str, by: User) -> bool:
    """Send the link to the person's address; False if that cannot be done."""
    if not settings.EMAIL_IS_CONFIGURED or not person.email:
        return False
    context = {"person": user_name(person), "by": user_name(by), "url": url, "days": DAYS}
    kind = "reset" if person.has_usable_password() else "invitation"
    subject = "A new password for Savedesk" if kind == "reset" else "Your account on Savedesk"
    text = render_to_string(f"accounts/{kind}.txt", context)
    try:
        send_mail(subject, text, None, [person.email])
    except OSError as error:  # of the network and, as subclasses, of SMTP
        logger.warning("A link for user %s was not sent: %s", person.pk, type(error).__name__)
        return False
    return True
