"""The bell: whether a wake-up for waiting events is already queued."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Bell(models.Model):
    """One row, silent or rung. While it is rung no second wake-up is queued."""

    is_rung = models.BooleanField(default=False)
    rung_at = models.DateTimeField(null=True, blank=True)
    silenced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="bell_is_one_row")]

    def __str__(self) -> str:
        return "rung" if self.is_rung else "silent"

    @classmethod
    def turn_on(cls) -> bool:
        """Turn the bell from silent to rung; True only for the caller that changed it."""
        silent = cls.objects.filter(pk=1, is_rung=False)
        if silent.update(is_rung=True, rung_at=Now()):
            return True
        if cls.objects.filter(pk=1).exists():
            return False
        cls._create()
        return bool(silent.update(is_rung=True, rung_at=Now()))

    @classmethod
    def turn_off(cls) -> None:
        row = cls.objects.filter(pk=1)
        if not row.update(is_rung=False, silenced_at=Now()):
            cls._create()
            row.update(silenced_at=Now())

    @staticmethod
    def _create() -> None:
        Bell.objects.bulk_create([Bell(pk=1)], ignore_conflicts=True)
