from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BriefsConfig(AppConfig):
    name = "briefs"
    verbose_name = "Briefs and research"

    def ready(self) -> None:
        post_migrate.connect(_watch_texts, sender=self)


def _watch_texts(using: str, **kwargs: Any) -> None:
    from briefs.models import watching  # once the models can be imported

    watching.install(using)
