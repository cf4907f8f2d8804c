"""The ceiling of the pipeline: the same rows, written without deciding anything.

Takes what a drain has written to one database and writes it into a twin where it is still to be
done: per batch one transaction that leases the events and one that ends them, as the pipeline
does. COPY on PostgreSQL, executemany on SQLite; all rows are read before the clock starts.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.installation import Database

BATCH_SIZE = 500
OF_EVENTS = "(SELECT id FROM webhooks_webhookevent WHERE id BETWEEN {first} AND {last})"
OF_BRIEFS = f"(SELECT brief_id FROM briefs_signal WHERE event_id IN {OF_EVENTS})"
TABLES = {
    "briefs_brief": f"id IN {OF_BRIEFS}",
    "briefs_signal": f"event_id IN {OF_EVENTS}",
    "briefs_activity": f"brief_id IN {OF_BRIEFS}",
}
OUTCOMES = f"SELECT id, status, status_reason FROM webhooks_webhookevent WHERE id IN {OF_EVENTS}"
SUBSCRIPTIONS = f"""
    SELECT id, is_unsubscribed, subscription_changed_at FROM personas_customer
    WHERE id IN (SELECT customer_id FROM briefs_signal WHERE event_id IN {OF_EVENTS})"""
LEASE = """
    UPDATE webhooks_webhookevent SET tries = tries + 1, lease_until = CURRENT_TIMESTAMP
    FROM (VALUES {rows}) AS new WHERE id = new.column1"""
FINISH = """
    UPDATE webhooks_webhookevent SET status = new.column2, status_reason = new.column3,
        lease_until = NULL, finished_at = CURRENT_TIMESTAMP
    FROM (VALUES {rows}) AS new WHERE id = new.column1"""
LEARN = """
    UPDATE personas_customer
    SET is_unsubscribed = new.column2, subscription_changed_at = new.column3
    FROM (VALUES {rows}) AS new WHERE id = new.column1"""


@dataclass
class Batch:
    """What one batch wrote, ready to be written again."""

    outcomes: list[Any] = field(default_factory=list)
    subscriptions: list[Any] = field(default_factory=list)
    tables: dict[str, list[Any]] = field(default_factory=dict)


def rate(drained: Database, twin: Database) -> float:
    """Events a second: the rows of the drained database, written into the twin."""
    with contextlib.closing(drained.connect()) as source:
        research = _rows(drained, source, "briefs_research", "id > 0")
        batches = _batches(drained, source)
    with contextlib.closing(twin.connect()) as target:
        writes = _Writes(twin, target)
        writes.transaction(partial(writes.insert, "briefs_research", research))
        began = time.perf_counter()
        for batch in batches:
            keys = [row[:1] for row in batch.outcomes]
            writes.transaction(partial(writes.update, LEASE, keys))
            writes.transaction(partial(writes.end, batch))
        took = time.perf_counter() - began
    return sum(len(batch.outcomes) for batch in batches) / took


def _batches(database: Database, source: Any) -> list[Batch]:
    keys = [key for (key,) in source.execute("SELECT id FROM webhooks_webhookevent ORDER BY id")]
    batches = []
    for start in range(0, len(keys), BATCH_SIZE):
        some = keys[start : start + BATCH_SIZE]
        bounds = {"first": some[0], "last": some[-1]}
        batches.append(
            Batch(
                outcomes=list(source.execute(OUTCOMES.format(**bounds))),
                subscriptions=list(source.execute(SUBSCRIPTIONS.format(**bounds))),
                tables={
                    table: _rows(database, source, table, condition.format(**bounds))
                    for table, condition in TABLES.items()
                },
            )
        )
    return batches


def _rows(database: Database, source: Any, table: str, condition: str) -> list[Any]:
    select = f"SELECT * FROM {table} WHERE {condition} ORDER BY id"
    if not database.is_postgres:
        return list(source.execute(select))
    with source.cursor().copy(f"COPY ({select}) TO STDOUT") as copied:
        return [bytes(line) for line in copied]


class _Writes:
    def __init__(self, database: Database, target: Any) -> None:
        self.database, self.target = database, target
        self.mark = "%s" if database.is_postgres else "?"

    def transaction(self, write: Callable[[], None]) -> None:
        if not self.database.is_postgres:
            self.target.execute("BEGIN IMMEDIATE")
        write()
        self.target.commit()

    def end(self, batch: Batch) -> None:
        self.update(LEARN, batch.subscriptions)
        for table, rows in batch.tables.items():
            self.insert(table, rows)
        self.update(FINISH, batch.outcomes)

    def insert(self, table: str, rows: list[Any]) -> None:
        if self.database.is_postgres:
            with self.target.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(b"".join(rows))
        elif rows:
            marks = ", ".join("?" * len(rows[0]))
            self.target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def update(self, statement: str, rows: list[Any]) -> None:
        if not rows:
            return
        row = f"({', '.join([self.mark] * len(rows[0]))})"
        values = [value for some in rows for value in some]
        self.target.execute(statement.format(rows=", ".join([row] * len(rows))), values)
