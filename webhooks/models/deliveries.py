"""Writes deliveries into the events table, many in one statement.

Raw SQL because the ORM cannot count on conflict.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection

from webhooks.clock import NOW_SQL
from webhooks.parsing import SKEW, ParsedEvent, is_same_event

_RECORD_SQL = """
    INSERT INTO webhooks_webhookevent
        (event_id, object_type, metric, occurred_at, stated_time, identifiers, body, body_size,
         body_sha256, headers, is_verified, status, status_reason, reason_code, received_at,
         last_received_at, deliveries, tries, history)
    VALUES {rows}
    ON CONFLICT (event_id) DO UPDATE
        SET deliveries = webhooks_webhookevent.deliveries + 1,
            last_received_at = excluded.last_received_at
    RETURNING event_id, deliveries,
        CASE WHEN deliveries > 1 THEN metric END, CASE WHEN deliveries > 1 THEN identifiers END
"""
_RECORD_ROW_SQL = (
    "(%s, %s, %s, {times}, %s, %s, %s, %s, %s, %s, %s, %s, %s, {now}, {now}, 1, 0, '[]')"
)
# `occurred_at` and `stated_time`: nothing happens after it was received, by the clock that stamps
# both. See `parsing.bounded`.
_TIMES_SQL = """
    CASE WHEN %s <= {now} THEN %s WHEN %s <= {now} THEN {now} END,
    CASE WHEN %s <= {now} THEN NULL ELSE %s END
"""
# For nearly all rows, because each parameter costs the driver time: those that this host's clock
# takes to be past. If it is wrong, the moment is bounded all the same.
_PAST_SQL = {"postgresql": "LEAST(%s, {now}), NULL", "sqlite": "MIN(%s, {now}), NULL"}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as the events table stores it; quarantined if `quarantined_because` is set."""

    event: ParsedEvent
    body: bytes
    body_size: int
    headers: dict[str, str]
    is_verified: bool
    body_sha256: str = ""
    quarantined_because: str = ""
    reason_code: str | None = None

    def written(self) -> tuple[str, list[Any]]:
        """The row as SQL, and its parameters."""
        event, at = self.event, self.event.occurred_at
        is_past = at is not None and at < datetime.now(UTC)
        stated_at = connection.ops.adapt_datetimefield_value(at)
        times = [stated_at]
        if not is_past:
            early = connection.ops.adapt_datetimefield_value(at - SKEW if at else None)
            times = [stated_at, stated_at, early, early, event.stated_time or None]
        return _row_sql(connection.vendor, is_past), [
            event.event_id,
            event.object_type,
            event.metric,
            *times,
            json.dumps(event.identifiers),
            self.body,
            self.body_size,
            self.body_sha256,
            json.dumps(self.headers),
            self.is_verified,
            "quarantined" if self.quarantined_because else "pending",
            self.quarantined_because,
            self.reason_code,
        ]


@cache
def _row_sql(vendor: str, is_past: bool) -> str:
    times = _PAST_SQL[vendor] if is_past else _TIMES_SQL
    return _RECORD_ROW_SQL.replace("{times}", times).format(now=NOW_SQL[vendor])


def record(rows: Sequence[DeliveryRow]) -> dict[str, int]:
    """Store the rows; see `EventQuerySet.record`."""
    written = [row.written() for row in rows]
    statement = _RECORD_SQL.format(rows=", ".join(sql for sql, _ in written))
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for _, values in written for value in values])
        found = cursor.fetchall()
    events = {row.event.event_id: row.event for row in rows}
    return {
        key: deliveries
        if metric is None
        or events[key].has_no_id  # the same body, whatever an earlier version read from it
        or is_same_event(events[key], metric, json.loads(identifiers))
        else 0
        for key, deliveries, metric, identifiers in found
    }
