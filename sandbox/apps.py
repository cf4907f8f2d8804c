"""Registers the sandbox with Django, for one purpose: `manage.py sandbox` is found."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Has no models and no migrations; nothing else in the project depends on it at run time."""

    name = "sandbox"
    verbose_name = "Sandbox"
