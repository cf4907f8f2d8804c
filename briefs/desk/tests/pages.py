"""What tests of pages share: reading what a person would see."""

import html
import re
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

_INLINE = re.compile(r"</?(?:a|code|em|mark|strong|time)\b[^>]*>")
_UNSEEN = re.compile(r"<(dialog|template)\b.*?</\1>", re.S)
_TAG = re.compile(r"<[^>]+>")


def text(response: Any) -> str:
    """The words of a page, without tags and with single spaces."""
    shown = _UNSEEN.sub("", response.content.decode())
    page = _TAG.sub(" ", _INLINE.sub("", shown))
    return " ".join(html.unescape(page).split())


def messages(response: Any) -> list[str]:
    """The messages that a redirect led to."""
    return [str(message) for message in response.context["messages"]]


def rows(response: Any) -> list[Any]:
    """The briefs of a list that have a line of their own, in its order."""
    return [line.row.dossier.brief for line in response.context["lines"] if line.row]


def queries_of(client: Any, path: str) -> int:
    """How many queries the page takes, once all that is kept for a minute has been read."""
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        client.get(path)
    return len(seen)
