from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BriefsConfig(AppConfig):
    name = "briefs"
    verbose_name = "Briefs and research"

    def ready(self) -> None:
        post_migrate.connect(_watch_texts, sender=self)
        _register_thresholds()


def _watch_texts(using: str, **kwargs: Any) -> None:
    from briefs.models import watching  # once the models can be imported

    watching.install(using)


def _register_thresholds() -> None:
    """The thresholds of priority are rules too."""
    from briefs.models import PriorityThreshold
    from personas.rules.parts import Amount, Column, Part, register

    register(
        Part(
            "thresholds", "threshold", PriorityThreshold,
            (Column("currency", True), Amount("top_from", True), Amount("low_below", True)),
            PriorityThreshold.objects.all, lambda row: row.currency, ("currency",),
        )
    )  # fmt: skip
