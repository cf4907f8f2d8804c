"""The installation: its workers, the size of its tables, its connections and its version."""

import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

from operations.figures import Figures
from webhooks import full_disk
from webhooks.models import ServiceBeat
from webhooks.models.beats import FRESH

# The rows as the last ANALYZE or VACUUM estimated them: counting would read the whole table.
_TABLES_SQL = """
    SELECT relname, pg_total_relation_size(oid), GREATEST(reltuples, 0)
    FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)
        AND relnamespace = current_schema()::regnamespace
"""
_CONNECTIONS_SQL = """
    SELECT COALESCE(application_name, ''), COUNT(*) FROM pg_stat_activity
    WHERE datname = CURRENT_DATABASE() GROUP BY 1
"""


def workers(figures: Figures) -> Iterator[Metric]:
    alive = GaugeMetricFamily(
        "savedesk_workers",
        "Living workers of this service on this host, as its supervisor said within the last 90 "
        "seconds; 0 if it said nothing. A host that is gone is shown for a day.",
        labels=["host", "service"],
    )
    for host, service, number, at in _beats():
        alive.add_metric([host, service], number if figures.now - at < FRESH else 0)
    yield alive


def _beats() -> Iterator[tuple[str, str, int, datetime]]:
    yield from ServiceBeat.objects.order_by("host", "service").values_list(
        "host", "service", "workers", "at"
    )


def sizes(figures: Figures) -> Iterator[Metric]:
    whole = GaugeMetricFamily("savedesk_database_bytes", "Size of the database on its disk.")
    tables = GaugeMetricFamily(
        "savedesk_table_bytes",
        "Size of a table with its indexes. PostgreSQL only.",
        labels=["table"],
    )
    rows = GaugeMetricFamily(
        "savedesk_table_rows",
        "Rows of a table, as the database estimated them last. PostgreSQL only.",
        labels=["table"],
    )
    free = GaugeMetricFamily(
        "savedesk_database_disk_free_bytes",
        "Free on the disk of the database. SQLite only: servers do not say it.",
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            names = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
            cursor.execute(_TABLES_SQL, [names])
            for name, size, number in cursor.fetchall():
                tables.add_metric([name], size)
                rows.add_metric([name], number)
            cursor.execute("SELECT pg_database_size(CURRENT_DATABASE())")
            whole.add_metric([], cursor.fetchone()[0])
        elif (file := Path(connection.settings_dict["NAME"])).exists():
            beside = (file, file.with_name(f"{file.name}-wal"))  # what is not yet in the file
            whole.add_metric([], sum(one.stat().st_size for one in beside if one.exists()))
    if (left := full_disk.free_bytes()) is not None:
        free.add_metric([], left)
    yield from (whole, tables, rows, free)


def connections(figures: Figures) -> Iterator[Metric]:
    found = GaugeMetricFamily(
        "savedesk_database_connections",
        "Connections to this database by application: service and host. PostgreSQL only.",
        labels=["application"],
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_CONNECTIONS_SQL)
            for application, number in cursor.fetchall():
                found.add_metric([application], number)
    yield found


def info(figures: Figures) -> Iterator[Metric]:
    yield InfoMetricFamily(
        "savedesk",
        "Which version answers, and on what.",
        value={
            "version": settings.VERSION,
            "python": platform.python_version(),
            "database": connection.vendor,
        },
    )
