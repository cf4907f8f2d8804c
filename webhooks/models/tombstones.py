"""Who was erased: keyed digests of what named them, and nothing else.

What Customer.io still sends about them is stored like everything else, and emptied before it is
worked on. The key is a row of its own: SECRET_KEY changes, and tombstones must outlive that.
"""

import hmac
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from providers.addresses import BETWEEN_DIGITS, folded


def new_secret() -> str:
    return secrets.token_hex(32)


class TombstoneKey(models.Model):
    """One row: the key of all digests, and the lock by which nobody comes back by mistake."""

    secret = models.CharField(max_length=64, default=new_secret, editable=False)
    looked_until = models.DateTimeField(
        null=True, help_text="Quarantined events received before were searched for erased people."
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="tombstonekey_is_one_row"),
        ]

    def __str__(self) -> str:
        return "key of the tombstones"

    @classmethod
    def locked(cls, *, alone: bool) -> "TombstoneKey":
        """The row, locked until the transaction ends: alone, or with others who are not alone.

        Whoever writes a person takes it with others before asking for tombstones, and whoever puts
        up tombstones takes it alone. So either the writer sees them, or the eraser sees what was
        written. SQLite lets only one transaction write anyway.
        """
        if not cls.objects.filter(pk=1).exists():
            TombstoneKey.objects.bulk_create([TombstoneKey(pk=1)], ignore_conflicts=True)
        if alone or connection.vendor != "postgresql":
            return cls.objects.select_for_update().get(pk=1)
        return cls.objects.raw("SELECT * FROM webhooks_tombstonekey WHERE id = 1 FOR SHARE")[0]


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def among(self, people: Sequence[Mapping[str, str]]) -> list[bool]:
        """Of each set of identifiers, whether one of them is that of somebody erased."""
        key = TombstoneKey.objects.filter(pk=1).first()
        if key is None:
            return [False] * len(people)
        return self._among(key, people)

    def among_locked(self, people: Sequence[Mapping[str, str]]) -> list[bool]:
        """The same; until the transaction ends nobody of these can be erased meanwhile."""
        return self._among(TombstoneKey.locked(alone=False), people)

    def _among(self, key: TombstoneKey, people: Sequence[Mapping[str, str]]) -> list[bool]:
        wanted = [digests(key, _asked(person)) for person in people]
        every = set().union(*wanted) if wanted else set()
        erased = set(self.filter(digest__in=every).values_list("digest", flat=True))
        return [bool(one & erased) for one in wanted]

    @transaction.atomic
    def put_up(self, identifiers: Mapping[str, Iterable[str]]) -> int:
        """For each of these; returns how many there are now."""
        found = digests(TombstoneKey.locked(alone=True), identifiers)
        rows = [Tombstone(digest=one) for one in sorted(found)]
        self.bulk_create(rows, ignore_conflicts=True)
        return len(rows)

    @transaction.atomic
    def lift(self, identifiers: Mapping[str, Iterable[str]]) -> int:
        """Somebody erased may be known again; returns how many tombstones they had of these."""
        found = digests(TombstoneKey.locked(alone=True), identifiers)
        return self.filter(digest__in=found).delete()[0]


class Tombstone(models.Model):
    """One identifier of somebody who was erased. Nobody can read from it which."""

    digest = models.CharField(max_length=64, unique=True, help_text="HMAC-SHA256, keyed.")
    made_at = models.DateTimeField(db_default=Now())

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest[:8]


def _asked(person: Mapping[str, str]) -> dict[str, list[str]]:
    """By kind. Some products give an address as the id: it may be known as an address alone."""
    asked = {kind: [value] for kind, value in person.items()}
    if "@" in person.get("id", ""):
        asked["email"] = [*asked.get("email", ()), person["id"]]
    return asked


def digests(key: TombstoneKey, identifiers: Mapping[str, Iterable[str]]) -> set[str]:
    secret = bytes.fromhex(key.secret)
    return {
        hmac.digest(secret, f"{kind}\0{normal}".encode("utf-8", "replace"), "sha256").hex()
        for kind, values in identifiers.items()
        for value in values
        if (normal := normalised(kind, value))
    }


def normalised(kind: str, value: str) -> str:
    """One form for all in which the identifier may be sent; empty if it names nobody."""
    text = unicodedata.normalize("NFC", value).strip()
    if kind == "cio_id":
        return text.removeprefix("cio_")
    if kind == "email":
        return folded(text)
    if kind == "phone":
        return BETWEEN_DIGITS.sub("", text).removeprefix("+").removeprefix("00")
    return text
