"""Which apprise addresses are taken: an allow-list of services, their parameters and their hosts.

apprise knows services that run programs, and parameters that read files or fetch addresses, so
what is not listed here is refused. Messages name no part of the address that could be secret.
"""

import ipaddress
import logging
import socket
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

from briefs.models.sealing import scheme_of

if TYPE_CHECKING:
    from apprise import NotifyBase

_MAIL = {"smtp", "user", "pass", "from", "to", "cc", "bcc", "reply", "name", "mode"}
# https://appriseit.com/services/: what each takes behind the question mark. Left out wherever it
# exists: template, pgp and the like (read files), optional (calls a failure a success), retry
# (sends twice), redirect (leaves the checked host), verify (trusts anybody), time-outs (ours).
SERVICES = {
    "mailto": _MAIL,
    "mailtos": _MAIL,
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
_MAILS = ("mailto", "mailtos")
# apprise calls a Mattermost by its transport: "https".
_HOST_IS_OURS_TO_CHECK = (*_MAILS, "workflows", "mmosts", "https", "http", "json", "jsons")
_MAIL_PORTS = (None, 25, 465, 587)  # of this machine's own mail server
_OWN_NAMES = ("json", "jsons")  # besides the parameters: +header, -query and :field
_METADATA = {  # addresses at which clouds tell a machine its own credentials
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
CONNECT_SECONDS, READ_SECONDS = 3.0, 4.0

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Withheld(logging.Filter):
    """Keeps apprise's log from every handler, since it names hosts and whole addresses.

    It is also all that says why a sending failed, so a thread may ask for its own lines.
    """

    _lines: ContextVar[list[str] | None] = ContextVar("lines", default=None)

    def listen(self) -> list[str]:
        """A list that grows by every line on a failure in this thread, and in apprise's for it.

        The lines hold parts of the address.
        """
        lines: list[str] = []
        self._lines.set(lines)
        return lines

    def filter(self, record: logging.LogRecord) -> bool:
        lines = self._lines.get()
        # Below a warning apprise writes the message itself, which names customers: not wanted. It
        # also writes what caused an error there, but only that while it handles an exception.
        is_on_a_failure = record.levelno >= logging.WARNING or sys.exception() is not None
        if lines is not None and is_on_a_failure:
            lines.append(record.getMessage())
        return False


apprise_log = _Withheld()
logging.getLogger("apprise").addFilter(apprise_log)
logging.getLogger("apprise").setLevel(logging.DEBUG)  # errors of sockets are told at this level


class Refused(Exception):
    """Nothing is sent to this address. The message is fit for people and says why."""


def check(address: str) -> None:
    """Raise Refused unless a notification may be sent there, as far as can be told now."""
    try:
        check_host(open_service(address))
    except HostNotFound:
        return  # of a machine without DNS at this moment; asked again before each sending


def open_service(address: str) -> "NotifyBase":
    """The service behind the address, with our time-outs and no redirects. Raises Refused."""
    scheme = scheme_of(address)
    if scheme in ("http", "https"):
        raise Refused(
            f"{scheme}:// is not taken: write slack://, workflows:// (Teams) or discord:// "
            "with the parts of the webhook's address, or jsons://host/path for an endpoint of "
            "your own."
        )
    if scheme not in SERVICES:
        known = ", ".join(f"{name}://" for name in SERVICES)
        raise Refused(f"It must begin with one of {known}.")
    from apprise import Apprise, AppriseAsset  # 100 ms and 20 MB: only where something is sent
    from apprise.plugins import url_to_dict

    parsed = url_to_dict(address)  # type: ignore[no-untyped-call]
    if not parsed:
        raise Refused(f"It cannot be read as an address of {scheme}://; is a part missing?")
    _check_parameters(scheme, parsed["qsd"])
    asset = AppriseAsset(
        app_id="Savedesk",
        http_redirects=False,
        default_service_retry=0,
        async_mode=False,  # no thread of apprise's own: ours keeps the time
        service_timeout=0,
    )
    service = Apprise.instantiate(parsed, asset=asset)
    if service is None or len(service) == 0:
        raise Refused(f"It is no complete address of {scheme}://; is a part missing or mistyped?")
    service.socket_connect_timeout = CONNECT_SECONDS
    service.socket_read_timeout = READ_SECONDS
    return service


def _check_parameters(scheme: str, given: dict[str, str]) -> None:
    for name in given:
        is_own = scheme in _OWN_NAMES and name.startswith(("+", "-", ":", " "))
        if name not in SERVICES[scheme] and not is_own:
            known = ", ".join(sorted(SERVICES[scheme]))
            raise Refused(
                f"It has a parameter that is not taken. For {scheme}:// these are: {known}."
            )


class HostNotFound(Refused):
    def __init__(self) -> None:
        super().__init__("its host cannot be found: no such name, or no name server answers")


def check_host(service: "NotifyBase") -> None:
    """Raise Refused if the service's host leads back into this machine or to its cloud's secrets.

    Hosts in private networks are fine: that is where a team's own endpoints are.
    """
    if service.schema not in _HOST_IS_OURS_TO_CHECK:
        return
    is_mail = service.schema in _MAILS
    host = str(getattr(service, "smtp_host", "") or service.host).strip("[]")
    for ip in resolve(host):
        if is_mail and ip.is_loopback and service.port not in _MAIL_PORTS:
            raise Refused("Mail through this machine goes to port 25, 465 or 587.")
        if why := why_forbidden(ip, may_be_local=is_mail):
            raise Refused(f"Its host is {why}, where no notification is sent to.")


def resolve(host: str) -> list[IP]:
    """Every address of the host. Raises HostNotFound."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostNotFound from None
    return [ipaddress.ip_address(str(address[0]).split("%")[0]) for *_, address in found]


def why_forbidden(ip: IP, *, may_be_local: bool = False) -> str:
    """What is wrong with sending there; empty if nothing is. Only mail may go to this machine."""
    ip = _unwrapped(ip)
    if ip in _METADATA or ip.is_link_local:
        return "a link-local or metadata address"
    if ip.is_loopback:
        return "" if may_be_local else "this machine itself"
    if ip.is_unspecified or ip.is_multicast or ip.is_reserved:
        return "no address of a single machine"
    return ""


def _unwrapped(ip: IP) -> IP:
    """The IPv4 address inside an IPv6 one, if that is where it leads."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
