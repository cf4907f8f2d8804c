"""Checks of the database, and of the rows that it must contain."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction

from operations.doctor.findings import Finding, counted, fail, ok, warn
from operations.unapplied import unapplied
from personas.models import Effect
from personas.rules import noting
from personas.rules.rulebook import Rulebook
from webhooks import full_disk

# SQLite needs locks and shared memory. These file systems lack them, or only claim to have them.
NETWORK_FILE_SYSTEMS = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "vboxsf",
    "virtiofs", "drvfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse",
)  # fmt: skip
MIB = 1024 * 1024
FEW_BYTES = 128 * MIB
# A table of 1 MiB that only this transaction sees: it takes room, or is refused.
TAKE_ROOM = (
    "CREATE TEMPORARY TABLE savedesk_room ON COMMIT DROP AS "
    "SELECT repeat(md5(n::text), 60) AS filling FROM generate_series(1, 500) n"
)
MOUNTS = Path("/proc/mounts")


def database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, ImproperlyConfigured, OSError) as error:
        if full_disk.is_full(error):
            return fail(full_disk.FULL, full_disk.CURE)
        return fail(
            f"{connection.display_name} cannot be reached ({type(error).__name__})",
            "Is the server up, and are host, user and password of DATABASE_URL right?",
        )
    if connection.vendor == "sqlite":
        return _sqlite()
    if _is_disk_of_server_full():
        return fail(full_disk.FULL, full_disk.CURE)
    version = ".".join(str(part) for part in connection.get_database_version())
    return ok(f"{connection.display_name} {version} answers")


def _sqlite() -> Finding:
    name = str(connection.settings_dict["NAME"])
    if connection.is_in_memory_db():  # type: ignore[attr-defined]  # of SQLite
        return warn(
            "SQLite in memory: every process has its own, which is lost when the process ends",
            "Leave DATABASE_URL empty for a file, or name a PostgreSQL.",
        )
    kind = file_system_of(Path(name))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        (mode,) = cursor.fetchone()
    free = full_disk.free_bytes()
    if free is not None and free < FEW_BYTES:
        words = f"{free // MIB:,} MiB are free on its disk"
        if free < full_disk.LEAST_BYTES:
            return fail(f"{full_disk.FULL}: {words}", full_disk.CURE)
        return warn(f"only {words}", full_disk.CURE)
    if kind in NETWORK_FILE_SYSTEMS:
        return warn(
            f"SQLite on a network file system ({kind}): it may lose or spoil data",
            "Keep the file on a disk of this machine, or use PostgreSQL.",
        )
    if mode != "wal":
        return warn(
            f"SQLite in {mode} mode: readers and writers wait for each other",
            "Keep the file on a disk of this machine, in a folder that we may write to.",
        )
    return ok("SQLite, a file on this machine; for several machines use PostgreSQL")


def _is_disk_of_server_full() -> bool:
    """PostgreSQL does not say how much is free, so it is asked to take some room for a moment."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(TAKE_ROOM)
            transaction.set_rollback(True)
    except DatabaseError as error:  # of another kind: this user may make no such table
        return full_disk.is_full(error)
    return False


def file_system_of(path: Path) -> str:
    """The kind of file system that holds the path; empty where Linux does not say."""
    try:
        mounts = [line.split() for line in MOUNTS.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return ""
    at = {point.replace("\\040", " "): kind for _, point, kind, *_ in mounts}
    path = path.resolve()
    return next((at[str(place)] for place in (path, *path.parents) if str(place) in at), "")


def migrations() -> Finding:
    if missing := unapplied():
        return fail(f"{counted(missing, 'migration')} not applied", "Run manage.py migrate.")
    return ok("all applied")


def rules() -> Finding:
    try:
        book = Rulebook.load()
    except LookupError:
        return fail("there are no personas", "Run manage.py load_starter_rules.")
    if not any(rule.effect == Effect.OPENS_BRIEF for rule in book.rules):
        return fail(
            "no active signal rule opens a brief",
            "Switch some on in the admin, or run manage.py load_starter_rules if there are none.",
        )
    if not book.roles:
        return fail(
            "no attribute names: every customer's profile is unknown",
            "Add them in the admin, or run manage.py load_starter_rules.",
        )
    if faults := noting.faults(book):
        more = f" And {len(faults) - 1} more like it." if len(faults) > 1 else ""
        return warn(faults[0] + more, "Change its conditions or its place in the admin.")
    return ok(
        f"{counted(len(book.rules), 'active signal rule')}, "
        f"{counted(len(book.personas) + 2, 'persona')}, "
        f"{counted(len(book.roles), 'attribute name')}"
    )
