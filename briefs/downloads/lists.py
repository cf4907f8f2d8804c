"""A list of briefs as CSV, made while it is sent: 200,000 rows take no more memory than 500.

A download is read part by part, in statements as short as those of a page, so neither a time-out
of the web server nor a pooler ends it, and nothing is held between them.
"""

import csv
import io
from array import array
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db import close_old_connections, connection
from django.db.models import Choices
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from briefs.dossier.dossier import Dossier, Situation, dossiers
from briefs.dossier.loading import listed
from briefs.downloads.cells import moment, text
from briefs.finding.keysets import Keyset, Place
from briefs.links import absolute, user_name
from briefs.models import Brief, Priority
from briefs.models.queryset import BriefQuerySet
from briefs.permissions import PERSONAL_DATA
from personas.models import SignalKind, ValuePeriod

KEYS = 10_000  # sorted at once: with fewer a long list would be sorted more often
ROWS = 500
BROKE_OFF = "The download broke off here: rows are missing. Download it again."


def _words(choices: type[Choices]) -> dict[Any, str]:
    """Their labels; Django looks those up anew for every row."""
    return {"": "", **dict(choices.choices)}


_STATES, _OUTCOMES = _words(Brief.State), _words(Brief.Outcome)
_PRIORITIES, _KINDS, _PERIODS = _words(Priority), _words(SignalKind), _words(ValuePeriod)

# A further column is one line here.
_COLUMNS: dict[str, Callable[[Dossier], Any]] = {
    "Brief": lambda one: one.brief.pk,
    "State": lambda one: _STATES[one.brief.state],
    "Priority": lambda one: _PRIORITIES[one.brief.priority],
    "Signal": lambda one: _KINDS[one.brief.kind],
    "Happened (UTC)": lambda one: moment(one.brief.happened_at),
    "Persona": lambda one: one.persona.name,
    "Value": lambda one: one.brief.value_amount,
    "Currency": lambda one: one.brief.value_currency,
    "Period": lambda one: _PERIODS[one.brief.value_period],
    "Value a month": lambda one: one.brief.value_month,
    "Plan": lambda one: one.brief.plan,
    "Research": lambda one: one.research.state,
    "First step": lambda one: one.first_step,
    "Assignee": lambda one: user_name(one.brief.assignee) if one.brief.assignee else "",
    "Opened (UTC)": lambda one: moment(one.brief.created_at),
    "Due (UTC)": lambda one: moment(one.brief.due_at),
    "First touch (UTC)": lambda one: moment(one.brief.first_touch_at),
    "Closed (UTC)": lambda one: moment(one.brief.closed_at),
    "Outcome": lambda one: _OUTCOMES[one.brief.outcome],
    "Why": lambda one: one.brief.closing_reason,
}
# What says or quotes who somebody is: empty for who may not read that of thousands at once.
_PERSONAL: dict[str, Callable[[Dossier], Any]] = {
    "Customer": lambda one: one.customer.name,
    "E-mail": lambda one: one.customer.email,
    "Id": lambda one: one.customer.external_id,
    "Company": lambda one: one.brief.company,
    "What exactly": lambda one: one.brief.detail,
    "Offered": lambda one: one.brief.offer_in_words,
    "Note at closing": lambda one: one.brief.closing_note,
}


def response(
    briefs: BriefQuerySet, request: HttpRequest, *, are_all: bool
) -> StreamingHttpResponse:
    """These briefs in their order, for whoever asks. The file's name says if there may be more."""
    answer = StreamingHttpResponse(
        _bytes(briefs, request.user, absolute(reverse("briefs:inbox"), request)),
        content_type="text/csv; charset=utf-8",
    )
    name = f"savedesk-briefs-{timezone.localdate()}{'' if are_all else '-some-of-the-newest'}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _bytes(briefs: BriefQuerySet, reader: Any, desk: str) -> Iterator[bytes]:
    is_personal = reader.has_perm(PERSONAL_DATA)
    yield ("\ufeff" + _lines([["Link", *_COLUMNS, *_PERSONAL]])).encode()  # for spreadsheets: UTF-8
    try:
        for batch in _batches(briefs, Situation(reader)):
            yield _lines(_row(one, desk, is_personal) for one in batch).encode()
    except Exception:
        yield _lines([[BROKE_OFF]]).encode()
        raise  # the web server breaks the connection off


def _batches(briefs: BriefQuerySet, situation: Situation) -> Iterator[list[Dossier]]:
    keyset, behind = Keyset(briefs), None
    rows = listed(Brief.objects.all()).select_related("closing_reason", "offer")
    while True:
        _let_go()
        keys, behind = _keys(keyset, behind)
        for start in range(0, len(keys), ROWS):
            _let_go()
            some = keys[start : start + ROWS]
            found = rows.in_bulk(some)
            yield dossiers((found[key] for key in some if key in found), situation)
        if len(keys) < KEYS:
            return


def _let_go() -> None:
    """Of a connection that is too old or broken: between two parts this thread has none in use."""
    if not connection.in_atomic_block:
        close_old_connections()


def _keys(keyset: Keyset, behind: Place | None) -> tuple["array[int]", Place | None]:
    """The next keys, and the place of the last one."""
    keys = array("q")
    for key, place in keyset.part(KEYS, behind):
        keys.append(key)
        behind = place
    return keys, behind


def _row(one: Dossier, desk: str, is_personal: bool) -> Iterator[Any]:
    """`desk`: its address."""
    yield f"{desk}briefs/{one.brief.pk}/"  # to ask Django for 200,000 addresses takes a minute
    for value in _COLUMNS.values():
        yield _cell(value(one))
    for value in _PERSONAL.values():
        yield _cell(value(one)) if is_personal else ""


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, int | Decimal) else text(str(value))


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
