"""Why a customer stayed or left, and what was offered: without it nothing can be learned later."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords


class ClosingReason(models.Model):
    """Why somebody stayed or left, in the team's own words. The team keeps the list."""

    position = models.PositiveIntegerField(default=100, help_text="They are offered in this order.")
    name = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(
        default=True, help_text="Offered when a brief is closed. Closed briefs keep theirs."
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Offer(models.TextChoices):
    """What the customer was offered."""

    NOTHING = "nothing", "Nothing"
    HELP = "help", "Help"  # training, a call, a repair
    PAUSE = "pause", "A pause"
    DISCOUNT = "discount", "A discount"  # with its per cent
    OTHER = "other", "Something else"  # in words


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
    # Null, so that no database rewrites all briefs for it.
    offer = models.CharField("what was offered", max_length=10, choices=Offer.choices, null=True,
                             blank=True)  # fmt: skip
    offer_percent = models.PositiveSmallIntegerField(
        "discount in per cent",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    offer_words = models.CharField(max_length=200, null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def offer_in_words(self) -> str:
        return offer_in_words(self.offer or "", self.offer_percent, self.offer_words or "")


def offer_in_words(offer: str, percent: int | None, words: str) -> str:
    """“a discount of 20 %”; empty if it is not said."""
    if not offer:
        return ""
    if offer == Offer.DISCOUNT and percent:
        return f"a discount of {percent} %"
    if offer == Offer.OTHER and words:
        return words
    return str(Offer(offer).label).lower()
