"""The address at which people reach the desk, as PUBLIC_URL gives it."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.values import HOST

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def read(text: str) -> str:
    """The address as a browser writes it in Origin: scheme, host and port, no standard port.

    Raises ImproperlyConfigured if it is anything else than such an address.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text.rstrip("/").lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    is_host = re.fullmatch(HOST, f"[{host}]" if ":" in host else host)
    is_whole = is_host and parts.scheme in ("http", "https")
    if not is_whole or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ImproperlyConfigured(
            "PUBLIC_URL must be scheme, host and, if needed, port: https://desk.example.com:8443"
        )
    standard = {"http": 80, "https": 443}[parts.scheme]
    shown = f":{port}" if port and port != standard else ""
    return f"{parts.scheme}://{host_of(text)}{shown}"


def host_of(url: str) -> str:
    """The host of an address as ALLOWED_HOSTS writes it: IPv6 in brackets."""
    host = urlsplit(url.lower()).hostname or ""
    return f"[{host}]" if ":" in host else host
