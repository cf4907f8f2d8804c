"""The check of the API tokens that people must replace."""

from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ApiToken
from accounts.models.tokens import WARNED_FOR
from briefs import times
from operations.doctor.findings import Finding, counted, ok, warn
from providers import plain

NAMED = 10


def api_tokens() -> Finding:
    """Those that are still accepted and expire within 14 days, or were made before roles."""
    valid = ApiToken.objects.all().valid()
    to_replace = Q(role="") | Q(expiry__lte=Now() + WARNED_FOR)
    found = list(valid.filter(to_replace).select_related("user").order_by("expiry", "created"))
    if not found:
        return ok(f"{counted(valid.count(), 'valid token')}; none expires within 14 days")
    named = "; ".join(_named(token) for token in found[:NAMED])
    rest = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return warn(
        f"{counted(len(found), 'token')} to be replaced: {named}{rest}",
        "Whoever it belongs to makes a new one on the page “API tokens”, or you by manage.py "
        "create_token, gives it to the program, and revokes the old one.",
    )


def _named(token: ApiToken) -> str:
    when = f"expires on {times.day(token.expiry)}" if token.expiry else "never expires"
    before = ", from before there were roles" if token.is_from_before else ""
    return f"“{plain.line(token.name, 80)}” of {token.user} {when}{before}"
