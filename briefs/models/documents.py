"""What can be searched: a document for each brief, customer and answer, kept up by marks.

Triggers of the database mark what changed (`watching`), in the transaction of the change;
`briefs.finding.words.indexing` writes the documents anew. The documents have no foreign keys: to
check those, whoever writes them would wait for people and for merges.
"""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

CLASSES = "ABCD"  # from what says who or what it is, down to research


class WordsField(models.Field):  # type: ignore[type-arg]  # generic for the stubs only
    """On PostgreSQL a tsvector, given as text. Elsewhere empty: SQLite has a table of words."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value: Any, _compiler: Any, connection: Any) -> str:
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"


class Document(models.Model):
    """The words of a row, whose key it has."""

    id = models.BigIntegerField(primary_key=True)
    words = WordsField()

    class Meta:
        abstract = True
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class BriefDocument(Document):
    """A brief with its customer, signals, comments and contact log.

    What its research and its persona say, many briefs have in common. So these are found for
    themselves, and lead to briefs by these columns.
    """

    research = models.BigIntegerField(default=0)  # 0: none
    persona_kind = models.CharField(max_length=45)

    class Meta(Document.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["research"], name="briefdocument_research"),
            models.Index(fields=["persona_kind"], name="briefdocument_case"),
        ]

    @staticmethod
    def case(persona: int, kind: str) -> str:
        """Which persona and which kind of signal, in one word."""
        return f"{persona}:{kind}"


class CustomerDocument(Document):
    """A customer with all identifiers of now and before."""


class ResearchDocument(Document):
    """An answer."""


class TextChange(models.Model):
    """Something whose documents are to be written anew. Written by triggers, one row a change.

    Rows are never shared: a mark that was there before may be read before this change can be seen.
    """

    class Kind(models.TextChoices):
        BRIEF = "brief", "A brief"
        CUSTOMER = "customer", "A customer, and their briefs"
        RESEARCH = "research", "An answer"
        REASON = "reason", "The name of a reason, and the briefs closed with it"
        OFFER = "offer", "The name of an offer, and all briefs closed with one"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class SearchIndex(models.Model):
    """One row: how far all documents are written, the newest first, and by which rules."""

    rules = models.CharField(max_length=20, blank=True, help_text="Others make all documents anew.")
    briefs_below = models.BigIntegerField(default=0, help_text="Those below this key are to come.")
    customers_below = models.BigIntegerField(default=0)
    research_below = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it goes on.")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="searchindex_is_one_row")]

    def __str__(self) -> str:
        return "finished" if self.finished_at else f"briefs below {self.briefs_below} are to come"

    @classmethod
    def taken(cls) -> "SearchIndex | None":
        """The row, locked until the transaction ends; None while another worker has it."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update(skip_locked=True).filter(pk=1).first()
