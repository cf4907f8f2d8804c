"""From which address a request comes, and which proxy is believed when it says so.

Anybody can send X-Forwarded-For. So it counts only if the machine that is connected to us is one
of TRUSTED_PROXIES, and of the addresses in it only what such machines added, from the right.
"""

import logging
import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Some load balancers add the port: 203.0.113.9:5123, [2001:db8::9]:5123.
WITH_PORT = re.compile(r"([\d.]+):\d+|\[([\da-fA-F:.]+)\](?::\d+)?")

NOWHERE = IPv4Address(0)  # no machine has it

# Only a proxy may say these, so they are removed from what comes from anybody else.
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)


def networks(names: Iterable[str], variable: str = "TRUSTED_PROXIES") -> tuple[Network, ...]:
    """The networks of these names. A single address is a network of one."""
    found: list[Network] = []
    for name in names:
        try:
            found.append(ip_network(name))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{variable}: {error}. It takes addresses and networks separated by commas, "
                "for example 127.0.0.0/8,::1,10.0.0.0/24."
            ) from error
    return tuple(found)


def address(text: str) -> Address | None:
    """The address that the text names. ::ffff:10.0.0.5 is the IPv4 address 10.0.0.5."""
    with_port = WITH_PORT.fullmatch(text.strip())
    try:
        found = ip_address(with_port[1] or with_port[2] if with_port else text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


class ProxyMiddleware:
    """Sets REMOTE_ADDR to the client's address, and drops what an untrusted sender forwards.

    What follows, such as the lock-out, the throttles and Django's own HTTPS check, need not
    know about proxies.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.trusted = networks(settings.TRUSTED_PROXIES)
        self.has_warned = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = address(request.META.get("REMOTE_ADDR") or "")
        if peer and self.is_trusted(peer):
            client = self.client(peer, request.META.pop("HTTP_X_FORWARDED_FOR", ""))
            request.META["REMOTE_ADDR"] = str(client)
            return self.get_response(request)
        if "HTTP_X_FORWARDED_FOR" in request.META and not self.has_warned:
            self.has_warned = True
            logger.warning("X-Forwarded-For ignored: %s is not in TRUSTED_PROXIES", peer)
        for name in FORWARDED:
            request.META.pop(name, None)
        # By a Unix socket there is no address. Then all are one, so that the lock-out still counts.
        request.META["REMOTE_ADDR"] = str(peer or NOWHERE)
        return self.get_response(request)

    def client(self, peer: Address, forwarded: str) -> Address:
        """The right-most address that is no trusted proxy. What is left of it may be invented."""
        nearest = peer
        for text in reversed(forwarded.split(",") if forwarded else []):
            named = address(text)
            if named is None:  # no proxy of ours writes that: the one before it is the last known
                return nearest
            nearest = named
            if not self.is_trusted(named):
                return named
        return nearest

    def is_trusted(self, one: Address) -> bool:
        return any(one in network for network in self.trusted)
