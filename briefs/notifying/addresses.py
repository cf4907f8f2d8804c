"""Which apprise addresses are allowed: a list of services, their parameters and their hosts.

apprise knows services that run programs, and parameters that read files or fetch addresses, so
everything that is not listed here is refused. Error messages name no secret part of the address.
"""

import ipaddress
import logging
import socket
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.conf import settings

from briefs.models.sealing import scheme_of

if TYPE_CHECKING:
    from apprise import NotifyBase

_MAIL_PARAMETERS = {"smtp", "user", "pass", "from", "to", "cc", "bcc", "reply", "name", "mode"}
# https://appriseit.com/services/: the parameters of each. Never allowed: template, pgp and the like
# (read files), optional (calls a failure a success), retry (sends twice), redirect (goes to a host
# that was not checked), verify (accepts any certificate), time-outs (we set them).
SERVICES = {
    "mailto": _MAIL_PARAMETERS,
    "mailtos": _MAIL_PARAMETERS,
    "slack": {"to", "mode", "footer", "image", "blocks", "timestamp", "token"},
    "workflows": {"workflow", "id", "signature", "sig", "ver", "api-version", "pa", "powerautomate",
                  "route", "routeid", "wrap", "image"},
    "discord": {"thread", "footer", "avatar", "botname", "ping", "tts"},
    "gchat": {"workspace", "key", "token", "thread", "threadkey"},
    "mmosts": {"channel", "channels", "to", "team", "botname", "mode", "image"},
    "tgram": {"to", "topic", "thread", "silent", "preview"},
    "json": {"method"},
    "jsons": {"method"},
}  # fmt: skip
_MAIL_SCHEMES = ("mailto", "mailtos")
# apprise calls a Mattermost by its transport: "https".
_HOST_IS_CHECKED = (*_MAIL_SCHEMES, "workflows", "mmosts", "https", "http", "json", "jsons")
_MAIL_PORTS = (None, 25, 465, 587)  # of this machine's own mail server
_OWN_NAMES = ("json", "jsons")  # these also allow +header, -query and :field
_METADATA = {  # addresses at which clouds tell a machine its own credentials
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
CONNECT_SECONDS, READ_SECONDS = 3.0, 4.0

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class _AppriseLog(logging.Filter):
    """Keeps the lines of apprise's log out of every handler: they name hosts and addresses.

    Only these lines say why a message was not sent, so a thread may read its own with `listen`.
    """

    _lines: ContextVar[list[str] | None] = ContextVar("lines", default=None)

    def listen(self) -> list[str]:
        """Start collecting: returns a list to which each later line about a failure is added.

        From this thread, and from the threads that apprise starts for it. The lines hold parts
        of the address.
        """
        lines: list[str] = []
        self._lines.set(lines)
        return lines

    def filter(self, record: logging.LogRecord) -> bool:
        lines = self._lines.get()
        # Lines below a warning are not kept: there apprise logs the message, which names
        # customers. But while it handles an exception, such a line gives the cause.
        is_on_a_failure = record.levelno >= logging.WARNING or sys.exception() is not None
        if lines is not None and is_on_a_failure:
            lines.append(record.getMessage())
        return False


apprise_log = _AppriseLog()
logging.getLogger("apprise").addFilter(apprise_log)
logging.getLogger("apprise").setLevel(logging.DEBUG)  # errors of sockets are told at this level


class AddressRefused(Exception):
    """Nothing may be sent to this address. The text says why and may be shown to people."""


def check(address: str) -> None:
    """Raise AddressRefused if nothing may be sent there. A host that is not found is accepted."""
    try:
        check_host(open_service(address))
    except HostNotFound:
        return  # DNS may be down just now; the host is checked again before each message


def open_service(address: str) -> "NotifyBase":
    """The service of the address, with our time-outs, no redirects. Raises AddressRefused."""
    scheme = scheme_of(address)
    if scheme in ("http", "https"):
        raise AddressRefused(
            f"{scheme}:// is not allowed: write slack://, workflows:// (Teams) or discord:// "
            "with the parts of the webhook's address, or jsons://host/path for an endpoint of "
            "your own."
        )
    if scheme not in SERVICES:
        known = ", ".join(f"{name}://" for name in SERVICES)
        raise AddressRefused(f"It must begin with one of {known}.")
    from apprise import Apprise, AppriseAsset  # takes 100 ms and 20 MB, so only when needed
    from apprise.plugins import url_to_dict

    parsed = url_to_dict(address)  # type: ignore[no-untyped-call]  # the package is not typed
    if not parsed:
        raise AddressRefused(f"It cannot be read as an address of {scheme}://; is a part missing?")
    _check_parameters(scheme, parsed["qsd"])
    asset = AppriseAsset(
        app_id="Savedesk",
        app_desc="Savedesk",
        app_url=settings.PUBLIC_URL,
        image_url_mask="",  # apprise's own pictures would tell their host who reads what when
        image_url_logo="",
        image_path_mask="",
        http_redirects=False,
        default_service_retry=0,
        async_mode=False,  # apprise starts no thread: ours watches the time
        service_timeout=0,
    )
    service = Apprise.instantiate(parsed, asset=asset)
    if service is None or len(service) == 0:
        raise AddressRefused(
            f"It is no complete address of {scheme}://; is a part missing or mistyped?"
        )
    service.socket_connect_timeout = CONNECT_SECONDS
    service.socket_read_timeout = READ_SECONDS
    return service


def _check_parameters(scheme: str, given: dict[str, str]) -> None:
    for name in given:
        is_own = scheme in _OWN_NAMES and name.startswith(("+", "-", ":", " "))
        if name not in SERVICES[scheme] and not is_own:
            known = ", ".join(sorted(SERVICES[scheme]))
            raise AddressRefused(
                f"It has a parameter that is not allowed. For {scheme}:// these are: {known}."
            )


class HostNotFound(AddressRefused):
    def __init__(self) -> None:
        super().__init__("its host cannot be found: no such name, or no name server answers")


def check_host(service: "NotifyBase") -> None:
    """Raise AddressRefused if the service's host is this machine or serves its cloud's secrets.

    Hosts in private networks are allowed, because a team's own endpoints may be there.
    """
    if service.schema not in _HOST_IS_CHECKED:
        return
    is_mail = service.schema in _MAIL_SCHEMES
    host = str(getattr(service, "smtp_host", "") or service.host).strip("[]")
    for ip in resolve(host):
        if is_mail and ip.is_loopback and service.port not in _MAIL_PORTS:
            raise AddressRefused("Mail through this machine goes to port 25, 465 or 587.")
        if why := why_forbidden(ip, may_be_local=is_mail):
            raise AddressRefused(f"Its host is {why}, where no notification is sent to.")


def resolve(host: str) -> list[IP]:
    """Every address of the host. Raises HostNotFound."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostNotFound from None
    return [ipaddress.ip_address(str(address[0]).split("%")[0]) for *_, address in found]


def why_forbidden(ip: IP, *, may_be_local: bool = False) -> str:
    """Why nothing may be sent to this IP; empty if it may. Only mail may go to this machine."""
    ip = _unwrapped(ip)
    if ip in _METADATA or ip.is_link_local:
        return "a link-local or metadata address"
    if ip.is_loopback:
        return "" if may_be_local else "this machine itself"
    if ip.is_unspecified or ip.is_multicast or ip.is_reserved:
        return "no address of a single machine"
    return ""


def _unwrapped(ip: IP) -> IP:
    """The IPv4 address that an IPv6 address stands for; otherwise the address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
