from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BriefsConfig(AppConfig):
    name = "briefs"
    verbose_name = "Briefs and research"

    def ready(self) -> None:
        post_migrate.connect(_watch_texts, sender=self)
        _register_thresholds()
        _register_guard()
        _register_personal_tables()
        _register_tombstones()


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


def _register_guard() -> None:
    """What an edit of the rules would stop or multiply has to be accepted."""
    from briefs.foreseeing.consequences import foresee
    from personas.rules import versions

    versions.guards.append(foresee)


def _register_personal_tables() -> None:
    """In the order in which an erasure takes the rows: the customer comes last."""
    from briefs.forgetting import brief_tables, customer_tables

    brief_tables.enter()
    customer_tables.enter()
    customer_tables.enter_customer()


def _register_tombstones() -> None:
    """Nobody who was erased gets a row by work that had begun before."""
    from briefs.forgetting import ordering
    from personas.people import erased
    from webhooks.models import Tombstone

    erased.tell_by(Tombstone.objects.all().among_locked, ordering.order_again)
