from django.apps import AppConfig


class BriefsConfig(AppConfig):
    name = "briefs"
    verbose_name = "Briefs and research"

    def ready(self) -> None:
        from briefs.supervising import beats  # only once the apps are there to be imported

        beats.keep()
