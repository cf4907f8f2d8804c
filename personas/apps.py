from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PersonasConfig(AppConfig):
    name = "personas"
    verbose_name = "Rules and customers"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from personas.models import letters

        connection_created.connect(letters.begin, dispatch_uid="letters")
        post_migrate.connect(_watch_rules, sender=self)


def _watch_rules(using: str, **kwargs: Any) -> None:
    from personas.models import watching  # once the models can be imported

    watching.install(using)
