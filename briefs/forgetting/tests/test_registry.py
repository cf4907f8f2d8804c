"""Every table says what it keeps about people; a new one cannot forget to."""

from django.db import models

from webhooks import personal


def test_every_table_and_every_column_with_text_has_an_entry():
    assert personal.missing() == []


def test_a_new_table_and_a_new_column_are_named(monkeypatch):
    entries = [one for one in personal.entries if one.table != "briefs.Comment"]
    tokens = personal.Theirs("briefs.Comment", "", lambda person: None, "")
    monkeypatch.setattr(personal, "entries", entries)

    without_entry = personal.missing()
    entries.append(tokens)

    assert without_entry == ["briefs.Comment"]
    assert personal.missing() == ["briefs.Comment.text"]


def test_what_no_model_knows_is_a_table_of_words_or_of_django(db):
    """Raw SQL makes tables too. Those of words go with the documents, by a trigger."""
    from django.apps import apps
    from django.db import connection

    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    tables = set(connection.introspection.table_names()) - known
    words = ("briefs_briefwords", "briefs_customerwords", "briefs_researchwords")

    assert {name for name in tables if not name.startswith(words)} <= {"django_migrations"}


def test_what_is_registered_is_there():
    """A column that was renamed would be walked past."""
    for entry in personal.entries:
        model = personal.model_of(entry)
        named = [] if isinstance(entry, personal.Nobody) else entry.columns.split()
        columns = {field.name for field in model._meta.concrete_fields}
        assert set(named) <= columns, entry.table
        assert issubclass(model, models.Model)
