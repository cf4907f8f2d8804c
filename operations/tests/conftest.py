"""What tests of an upgrade share."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connections


@pytest.fixture
def empty_database(django_db_setup, django_db_blocker):
    """An empty database in place of the tests' usual one, which is migrated already."""
    usual = connections["default"]
    name = usual.settings_dict["NAME"]
    is_sqlite = usual.vendor == "sqlite"
    with django_db_blocker.unblock():
        if not is_sqlite:
            with usual._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "upgraded_{name}"')
        connections.settings["default"]["NAME"] = ":memory:" if is_sqlite else f"upgraded_{name}"
        del connections["default"]
        ContentType.objects.clear_cache()
        yield
        ContentType.objects.clear_cache()
        connections["default"].close()
        connections["default"] = usual
        connections.settings["default"]["NAME"] = name
        if not is_sqlite:
            with usual._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "upgraded_{name}"')
