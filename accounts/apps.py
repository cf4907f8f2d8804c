from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and tokens"

    def ready(self) -> None:
        from accounts import personal_tables  # once the apps can be imported

        post_migrate.connect(fill_roles, sender=self)
        personal_tables.enter()


def fill_roles(using: str, **kw: Any) -> None:
    """Give each role its permissions, after every migrate."""
    from accounts.models import roles  # only once the apps are there to be imported

    roles.fill(using)
