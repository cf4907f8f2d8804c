from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from webhooks import checks, connections, personal_tables  # noqa: F401 - importing registers the checks

        connection_created.connect(connections.begin, dispatch_uid="time-outs")
        personal_tables.enter()
