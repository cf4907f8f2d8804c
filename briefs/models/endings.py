"""Why a customer stayed or left, and what was offered: without it nothing can be learned later."""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords


class ChoosableQuerySet(models.QuerySet[Any]):
    def choosable(self, present: Any) -> Self:
        """Those that are offered, and the one that a brief has: it may be said again."""
        return self.filter(Q(is_active=True) | Q(pk=present))


class Choosable(models.Model):
    """One of a list that the team keeps, from which whoever closes a brief chooses."""

    position = models.PositiveIntegerField(default=100, help_text="They are offered in this order.")
    name = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(
        default=True, help_text="Offered when a brief is closed. Closed briefs keep theirs."
    )
    history = HistoricalRecords(inherit=True)

    objects = ChoosableQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class ClosingReason(Choosable):
    """Why somebody stayed or left, in the team's own words."""


class Offer(Choosable):
    """What a customer was offered. Its code and what it asks for never change."""

    class Asks(models.TextChoices):
        NOTHING = "nothing", "nothing more"
        PERCENT = "percent", "how many per cent"
        WORDS = "words", "what it was, in words"

    code = models.SlugField(
        max_length=40,
        primary_key=True,
        help_text="What programs call it: letters, digits, - and _. It cannot be changed later.",
    )
    asks = models.CharField(
        "asks for",
        max_length=7,
        choices=Asks.choices,
        default=Asks.NOTHING,
        help_text="What else has to be said of it. It cannot be changed later.",
    )


class Ended(models.Model):
    """The part of a brief that says how it ended, beside outcome, note and time.

    All of it is empty while the brief is open, and for briefs closed before it was asked.
    """

    closing_reason = models.ForeignKey(
        ClosingReason,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # an index of its own leaves out the briefs without a reason
        verbose_name="reason",
    )
    # Its column has held the code since before offers were rows.
    offer = models.ForeignKey(
        Offer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_column="offer",
        db_index=False,  # as for the reason
        verbose_name="what was offered",
    )
    # Null, so that no database rewrites all briefs for it.
    offer_percent = models.PositiveSmallIntegerField(
        "per cent of the offer",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    offer_words = models.CharField(max_length=200, null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def offer_in_words(self) -> str:
        return offer_in_words(self.offer, self.offer_percent, self.offer_words or "")


def offer_in_words(offer: Offer | None, percent: int | None, words: str) -> str:
    """“A discount, 20 %”; empty if it is not said."""
    if offer is None:
        return ""
    said = {Offer.Asks.PERCENT: f"{percent} %" if percent else "", Offer.Asks.WORDS: words}
    return ", ".join(filter(None, [offer.name, said.get(Offer.Asks(offer.asks))]))
