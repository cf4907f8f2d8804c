from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"
    verbose_name = "Operations"

    def ready(self) -> None:
        from operations import personal_tables
        from operations.supervising import beats, giving_back  # once the apps can be imported

        beats.connect()
        giving_back.connect()
        personal_tables.enter()
