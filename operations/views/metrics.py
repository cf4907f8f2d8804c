"""`/metrics`: for Prometheus, which sends a token or asks from an address that may."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from operations.metrics.collector import registry

_ASK_TOKEN = "This address needs the token of METRICS_TOKEN: Authorization: Bearer …\n"  # noqa: S105
_ASK_ADDRESS = (
    "This address answers only to its own machine. Set METRICS_TOKEN and send it as "
    "Authorization: Bearer …, or name your address in METRICS_ADDRESSES.\n"
)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if has_token(request) or is_from_allowed(request):
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    words, status = (_ASK_TOKEN, 401) if settings.METRICS_TOKEN else (_ASK_ADDRESS, 403)
    response = HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
    if settings.METRICS_TOKEN:
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return response


def has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_bearer = bool(settings.METRICS_TOKEN) and scheme.lower() == "bearer"
    return is_bearer and constant_time_compare(given.strip(), settings.METRICS_TOKEN)


def is_from_allowed(request: HttpRequest) -> bool:
    """By the address of the client, which a trusted proxy states (config/proxies.py)."""
    at = ip_address(request.META["REMOTE_ADDR"])
    return any(at in network for network in settings.METRICS_ADDRESSES)
