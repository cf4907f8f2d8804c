"""What templates ask about people and the ways to reach them."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def mail_is_configured() -> bool:
    return bool(settings.EMAIL_IS_CONFIGURED)
