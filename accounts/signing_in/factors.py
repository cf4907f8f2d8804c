"""Somebody's second factor: an app that shows a code every 30 seconds, and ten recovery codes.

The codes themselves are django-otp's: it refuses a code that was used, and lets somebody wait who
tries wrong ones, a second at first and twice as long each time.
"""

import logging
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

logger = logging.getLogger(__name__)

RECOVERY_CODES = 10
DIGITS = 6
# Wrong codes in a row that make the wait longer: at most 2**9 s, which is under nine minutes.
# Without an end, somebody who knows the password could keep its owner waiting for days.
COUNTED_FAILURES = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of showing a code."""

    device: int | None = None  # the person's app, if the code is right
    wait_until: datetime | None = None  # the code was not looked at: too many wrong ones
    codes_left: int | None = None  # if it was a recovery code


def app_of(user: Any) -> Any | None:
    """The app that is in use, or None."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def unfinished(user: Any) -> Any | None:
    """An app whose first code has not been shown yet."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


@transaction.atomic
def begin(user: Any) -> None:
    """Make a new secret, unless an app is in use."""
    if not app_of(user):
        TOTPDevice.objects.filter(user=user).delete()
        TOTPDevice.objects.create(user=user, name="app", confirmed=False)


def secret_of(device: Any) -> str:
    """As people type it into an app: letters and digits in groups of four."""
    text = b32encode(device.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


@transaction.atomic
def confirm(user: Any, text: str) -> Shown:
    """Use the unfinished app from now on, if this is its code."""
    shown = _try(TOTPDevice.objects.filter(user=user, confirmed=False), _plain(text))
    if shown.device:
        TOTPDevice.objects.filter(pk=shown.device).update(confirmed=True)
        logger.info("user %s set up a second factor", user.pk)
    return shown


@transaction.atomic
def show(user: Any, text: str) -> Shown:
    """A code of the app, or a recovery code, which works once."""
    code = _plain(text)
    if code.isdecimal() and len(code) == DIGITS:
        return _try(TOTPDevice.objects.filter(user=user, confirmed=True), code)
    shown = _try(StaticDevice.objects.filter(user=user), code)
    app = app_of(user)
    if not shown.device or not app:
        return Shown(wait_until=shown.wait_until)
    logger.info("user %s used a recovery code", user.pk)
    return Shown(app.pk, codes_left=codes_left(user))


def _plain(text: str) -> str:
    """People type codes with spaces, hyphens and capitals."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _try(devices: Any, code: str) -> Shown:
    device = devices.select_for_update().first()
    if device is None:
        return Shown()
    device.throttling_failure_count = min(device.throttling_failure_count, COUNTED_FAILURES)
    is_allowed, why_not = device.verify_is_allowed()
    if not is_allowed:
        return Shown(wait_until=why_not["locked_until"])
    return Shown(device.pk) if device.verify_token(code) else Shown()


def codes_left(user: Any) -> int:
    return StaticToken.objects.filter(device__user=user).count()  # type: ignore[no-any-return]  # the package is not typed


@transaction.atomic
def new_codes(user: Any) -> list[str]:
    """Ten new recovery codes in place of those before, as people read them: abcd-efgh."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    logger.info("user %s got new recovery codes", user.pk)
    return [f"{code[:4]}-{code[4:]}" for code in codes]


@transaction.atomic
def remove(user: Any, by: Any | None = None) -> bool:
    """Remove app and recovery codes; False if there were none. `by` is None for the command."""
    had_one = app_of(user) is not None
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    logger.info("second factor of user %s removed by %s", user.pk, by.pk if by else "the command")
    if by:
        removed = get_user_model()._default_manager.filter(pk=user.pk)
        LogEntry.objects.log_actions(
            by.pk, removed, CHANGE, "Second factor removed.", single_object=True
        )
    return had_one
