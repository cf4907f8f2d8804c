"""One message and one kind of signal within a day: the cause that many briefs share.

Briefs of one cause are folded in lists from five on. A cause with more briefs than its message
usually has is an incident, which one person owns.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil, sqrt
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.functional import cached_property

from personas.models import SignalKind
from providers import plain

FOLDED_FROM = 5  # briefs
WITHIN = timedelta(hours=24)  # of the first one
MOST_WITHOUT_HISTORY = 20  # briefs; one more is an incident
HISTORY = timedelta(days=90)
LONGEST_NAME = 200  # characters
LEAST_HISTORY = 3  # earlier days of the message, before they tell what is usual

# What tells one message from another: the first of these families that an event names. Customer.io
# fills exactly one. An automation has several messages, which it calls actions.
_FAMILIES = (
    ("newsletter", "newsletter_id", ""),
    ("broadcast", "broadcast_id", "action_id"),
    ("transactional", "transactional_message_id", ""),
    ("campaign", "campaign_id", "action_id"),
)
_LONGEST_ID = 40


def message_key(message: Mapping[str, Any]) -> str:
    """The message by its ids, such as `campaign:7/12`; empty if the event names none."""
    for family, name, part in _FAMILIES:
        if key := _id(message.get(name)):
            action = _id(message.get(part)) if part else ""
            return f"{family}:{key}/{action}" if action else f"{family}:{key}"
    return ""


def _id(value: Any) -> str:
    is_id = isinstance(value, str | int) and not isinstance(value, bool)
    given = str(value).strip() if is_id else ""
    return given if len(given) <= _LONGEST_ID else ""


def most_usual(sizes: list[int]) -> tuple[float | None, int]:
    """From the briefs of earlier days: how many are usual, and the most that is not an incident.

    Three standard deviations above the mean, as if people acted independently of each other.
    """
    if len(sizes) < LEAST_HISTORY:
        return None, MOST_WITHOUT_HISTORY
    mean = sum(sizes) / len(sizes)
    return mean, max(FOLDED_FROM - 1, ceil(mean + 3 * sqrt(mean)))


class CauseQuerySet(models.QuerySet["Cause"]):
    def current(self) -> Self:
        """Those that new briefs may share."""
        return self.filter(ended_at=None)

    def incidents(self) -> Self:
        return self.filter(incident_at__isnull=False)

    def told_for_all(self) -> Self:
        """Incidents whose message to people stands for one on each brief, for a day.

        Of a campaign that goes on for months, nobody would hear again until they close it.
        """
        return self.filter(incident_at__gt=Now() - WITHIN)

    def counted(self) -> Any:
        """With `number`: of the briefs."""
        return self.annotate(number=models.Count("briefs"))

    def over(self) -> Self:
        """Their day is over, by the database's clock, and they are no incident.

        What happened days ago may still be on its way: such a cause stays for a day as well.
        """
        a_day_ago = Now() - WITHIN
        return self.current().filter(
            incident_at=None, first_at__lt=a_day_ago, created_at__lt=a_day_ago
        )

    def left_empty(self) -> Self:
        """No brief came of them, and no batch that began them is still under way."""
        long_ago = Now() - timedelta(hours=1)
        return self.filter(incident_at=None, briefs=None, created_at__lt=long_ago).exclude(
            ended_at=None
        )


class Cause(models.Model):
    """One message and one kind of signal; its briefs refer to it.

    | from      | arrow                               | to                                        |
    |---|---|---|
    | -         | begun by the pipeline               | gathering: briefs of a day refer to it    |
    | any open  | `begin_earlier`: an earlier act     | the same: its day begins with that        |
    | gathering | `end`: its day is over              | ended                                     |
    | gathering | `becomes_incident`: too many briefs | incident: further briefs join             |
    | incident  | `close`: by a person, with a note   | closed                                    |
    | closed    | `reopen`: by a person               | incident, unless a newer is `in_the_way`  |

    What is reported late still refers to the cause of its day, though that ended.
    Briefs are counted, never added up, so that two workers need not wait for each other. A brief
    that turns out to mean something else leaves its cause.
    """

    message = models.CharField(max_length=120, help_text="The message by its ids in Customer.io.")
    kind = models.CharField("signal", max_length=20, choices=SignalKind.choices)
    described = models.JSONField(
        default=dict, help_text="The message's names, subject and ids, as its first event had them."
    )
    first_at = models.DateTimeField(help_text="When the first customer did it.")
    created_at = models.DateTimeField(db_default=Now())
    usual = models.FloatField(
        null=True, blank=True, help_text="Briefs on earlier days of this message; empty: unknown."
    )
    most = models.PositiveIntegerField(help_text="One brief more than this makes it an incident.")
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on new briefs have another cause."
    )
    incident_at = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="incidents",
        verbose_name="owner",
    )
    closing_note = models.TextField(blank=True, help_text="What was done.")

    objects = CauseQuerySet.as_manager()

    class Meta:
        verbose_name = "incident"
        constraints = [
            models.UniqueConstraint(
                fields=["message", "kind"], condition=Q(ended_at=None), name="cause_one_current"
            ),
        ]
        indexes = [
            models.Index(fields=["message", "kind", "-first_at"], name="cause_history"),
            models.Index(
                fields=["-incident_at"],
                condition=Q(incident_at__isnull=False),
                name="cause_incident",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("briefs:incident", args=[self.pk])

    @property
    def _present(self) -> "Cause | None":
        """The cause that takes this message's briefs now, if there is one: this one, or a newer."""
        return Cause.objects.filter(message=self.message, kind=self.kind, ended_at=None).first()

    @property
    def in_the_way(self) -> "Cause | None":
        """Of a closed incident: the newer cause of its message that forbids to reopen it.

        One that has briefs of nobody, because they left it or their people were erased, forbids
        nothing, unless it is an incident, about which people may be doing something.
        """
        newer = self._present
        return None if newer is None or newer._is_of_nobody else newer

    @property
    def _is_of_nobody(self) -> bool:
        of_somebody = self.briefs.filter(customer__is_erased=False)
        return not self.is_incident and not of_somebody.exists()

    @property
    def name(self) -> str:
        """The message as people know it: its name, else its subject, else its ids."""
        said = self.described
        for key in ("newsletter_name", "broadcast_name", "campaign_name", "subject"):
            if name := plain.line(said.get(key, ""), LONGEST_NAME):
                return name
        family, _, ids = self.message.partition(":")
        return f"{family} {ids}"

    @property
    def is_incident(self) -> bool:
        return self.incident_at is not None

    @property
    def is_open(self) -> bool:
        """Whether it is an incident that nobody has closed."""
        return self.is_incident and self.ended_at is None

    @property
    def lasts_until(self) -> datetime:
        return self.first_at + WITHIN

    @cached_property
    def may_begin_at(self) -> datetime:
        """The earliest act that may be its first: all of one day. As of the first use."""
        last = self.briefs.aggregate(last=models.Max("happened_at"))["last"]
        return max(self.first_at, last or self.first_at) - WITHIN

    def takes(self, moment: datetime) -> bool:
        """Whether a brief of what happened then is one of its briefs.

        An incident goes on until somebody closes it, and what is late may be of the day before it.
        """
        if self.is_incident:
            return moment >= self.first_at - WITHIN
        return self.first_at <= moment <= self.lasts_until

    # Arrows. Each says whether it led there.

    def end(self) -> bool:
        return self._write(Q(incident_at=None, ended_at=None), ended_at=Now())

    def begin_earlier(self, moment: datetime) -> bool:
        """Let what happened then be its first act: acts are reported in any order."""
        return self._write(Q(ended_at=None, first_at__gt=moment), first_at=moment)

    def becomes_incident(self) -> bool:
        return self._write(Q(incident_at=None, ended_at=None), incident_at=Now())

    @transaction.atomic
    def close(self, note: str, actor: Any) -> bool:
        changed = self._write(
            Q(incident_at__isnull=False, ended_at=None), ended_at=Now(), closing_note=note
        )
        if changed:
            self.log(f"closed the incident: {note}", actor)
        return changed

    def reopen(self, actor: Any) -> bool:
        """Raises IntegrityError if the message has a newer cause by now, which is in the way."""
        with transaction.atomic():
            newer = self._present if self.is_incident and not self.is_open else None
            if newer and newer._is_of_nobody:
                newer.end()  # what arrives for it in this moment is reported late, and stays its
            changed = self._write(
                Q(incident_at__isnull=False, ended_at__isnull=False), ended_at=None, closing_note=""
            )
            if changed:
                self.log("reopened the incident", actor)
        return changed

    @transaction.atomic
    def give(self, to: Any, words: str, actor: Any) -> bool:
        """To an owner, or to nobody."""
        changed = self._write(Q(incident_at__isnull=False, ended_at=None), assignee=to)
        if changed:
            self.log(words, actor)
        return changed

    def log(self, text: str, actor: Any) -> "CauseEntry":
        return CauseEntry.objects.create(cause=self, text=text, actor=actor)

    def _write(self, condition: Q, **fields: Any) -> bool:
        changed = Cause.objects.filter(condition, pk=self.pk).update(**fields)
        self.refresh_from_db()
        return bool(changed)


class CauseEntry(models.Model):
    """The log of an incident: what people did about it."""

    cause = models.ForeignKey(Cause, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    text = models.TextField()

    class Meta:
        default_permissions = ()
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.text
