"""The team's own wordings of the question to Mave: versions that never change, and their use."""

from typing import Any, Never

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Now

from briefs.models import wording
from briefs.models.wording import Wording


class QuestionTemplateManager(models.Manager["QuestionTemplate"]):
    def in_use(self) -> "QuestionTemplate | None":
        """The version that questions are written by, in one query; None: the built-in text."""
        choice = TemplateChoice.objects.select_related("template").first()
        return choice.template if choice else None

    @transaction.atomic
    def write(self, text: str, *, note: str = "", by: Any = None) -> "QuestionTemplate":
        """Keep a text as a new version, and use it from now on."""
        version = self.create(text=text, note=note, created_by=by)
        version.use(by)
        return version


class QuestionTemplate(models.Model):
    """One version of the team's own question. An edit makes another; none is changed or removed.

    Without any, the built-in text of `briefs/research/questions.py` is asked.
    """

    text = models.TextField(help_text="The question, with variables in braces.")
    note = models.CharField(
        "what changed", max_length=200, blank=True, help_text="For those who compare versions."
    )
    created_at = models.DateTimeField("written at", db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="written by",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = QuestionTemplateManager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Version {self.version}"

    @property
    def version(self) -> str:
        """Kept with every question and in its hash. Never one of the built-in text's versions."""
        return f"own-{self.pk}"

    @property
    def wording(self) -> Wording:
        return Wording(self.version, self.text)

    def clean(self) -> None:
        self.text = wording.tidy(self.text)
        if faults := wording.faults(self.text):
            raise ValidationError({"text": faults})

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("answers rest on this version, so it never changes: write another")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise TypeError("answers rest on this version, so it stays")

    def use(self, by: Any = None) -> None:
        """Ask by this version from now on. Questions that wait already keep their words."""
        TemplateChoice.objects.create(template=self, chosen_by=by)


class TemplateChoice(models.Model):
    """When somebody made a version current. The newest row says which one is."""

    template = models.ForeignKey(
        QuestionTemplate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="choices",
        help_text="Empty: the built-in text.",
    )
    chosen_at = models.DateTimeField(db_default=Now())
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.template) if self.template else "The built-in text"

    @classmethod
    def use_built_in(cls, by: Any = None) -> None:
        cls.objects.create(template=None, chosen_by=by)
