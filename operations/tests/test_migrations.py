"""The rules for migrations in CONTRIBUTING.md: hosts of the release before go on meanwhile.

They hold for what came after the baseline, in tables that the baseline has. Each sentence says what
to do. A migration that may break a rule says so itself:

    permitted = {"AddConstraint offer": "the table has 30 rows"}
"""

from typing import NamedTuple

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.fields import NOT_PROVIDED

from config import migrating
from operations.tests import unsquashed

# The last migrations of the release before. At a release: set them to its own.
BASELINE = {"accounts": "0004", "briefs": "0039", "personas": "0016", "webhooks": "0007"}
CONCURRENT = (AddIndexConcurrently, RemoveIndexConcurrently)
LATER = (
    "the release before reads and writes it. Take it out of the models alone "
    "(SeparateDatabaseAndState with state_operations; give a column a default in the database "
    "first), and out of the database in the next release (RunSQL)."
)
# What touches no table, or is quick and takes nothing from the release before.
HARMLESS = (
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.AlterModelTableComment,
    migrations.AlterOrderWithRespectTo,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    *CONCURRENT,
)


class Rule(NamedTuple):
    operation: str  # as it is named in `permitted`
    cure: str


def broken_rules(migration, state, baseline):
    """What the migration breaks. `state` are the models before it, and afterwards those after it.

    `baseline` are the tables of the release before, as (app, model).
    """
    found = []
    for operation in migration.operations:
        found += _broken_by(operation, migration.app_label, state, baseline)
        operation.state_forwards(migration.app_label, state)
    if not migration.atomic and not all(isinstance(one, CONCURRENT) for one in _all(migration)):
        found.append(
            Rule("atomic", "a migration that says atomic = False holds indexes alone: one that is "
                 "interrupted is run again from its beginning.")
        )  # fmt: skip
    return [rule for rule in found if rule.operation not in getattr(migration, "permitted", {})]


def _all(migration):
    """Its operations on the database."""
    for operation in migration.operations:
        is_split = isinstance(operation, migrations.SeparateDatabaseAndState)
        yield from operation.database_operations if is_split else [operation]


def _broken_by(operation, app, state, baseline):
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        broken = [_broken_by(one, app, state, baseline) for one in operation.database_operations]
        broken += [_left_behind(one, app, state, baseline) for one in operation.state_operations]
        return [rule for rules in broken for rule in rules]
    cure = _cure(operation, app, state, baseline)
    return [Rule(_name(operation), cure)] if cure else []


def _left_behind(operation, app, state, baseline):
    """A column that only the models lose: this release inserts rows without it."""
    if not isinstance(operation, migrations.RemoveField):
        return []
    model = state.models[app, operation.model_name_lower]
    field = model.fields[operation.name]
    is_filled = field.many_to_many or field.null or field.db_default is not NOT_PROVIDED
    if is_filled or (app, operation.model_name_lower) not in baseline:
        return []
    return [Rule(_name(operation), "rows are inserted without it now. Give it db_default before.")]


def _name(operation):
    subject = getattr(operation, "model_name", None) or getattr(operation, "name", "")
    if isinstance(operation, migrations.RunPython):
        subject = operation.code.__name__
    field = getattr(operation, "name", "") if hasattr(operation, "field") else ""
    return " ".join(filter(None, [type(operation).__name__, f"{subject}.{field}".strip(".")]))


def _cure(operation, app, state, baseline):
    if isinstance(operation, migrations.RunPython) and operation.code is migrations.RunPython.noop:
        return ""
    if isinstance(operation, migrations.RunPython | migrations.RunSQL):
        return (
            "it runs in one transaction, whatever the size of the table. Fill columns in batches "
            "by the sweep (briefs/pipeline/revaluing.py does), and let code read rows that are "
            "not filled yet. Where it is quick for sure, say why in `permitted`."
        )
    name = getattr(operation, "model_name", None) or getattr(operation, "name", "")
    if isinstance(operation, migrations.CreateModel) or (app, name.lower()) not in baseline:
        return ""  # hosts of the release before do not know the table
    if isinstance(operation, HARMLESS):
        return _of_package(operation)
    if isinstance(operation, migrations.AddIndex):
        return "writers wait while it is built. Use config.migrating.AddIndexConcurrently."
    if isinstance(operation, migrations.AddField):
        return _of_new(operation.field)
    if isinstance(operation, migrations.AlterField):
        model: ModelState = state.models[app, name.lower()]
        return _of_changed(model.fields[operation.name], operation.field)
    if isinstance(operation, migrations.AddConstraint | migrations.AlterUniqueTogether):
        return (
            "the whole table is read while nobody can write. For a unique one on many rows build a "
            "unique index in the background, in a release that writes no doubles any more."
        )
    return LATER


def _of_package(operation):
    if isinstance(operation, CONCURRENT) and type(operation).__module__ != migrating.__name__:
        return "SQLite does not know it. Use the operation of this name in config.migrating."
    return ""


def _of_new(field):
    if isinstance(field, models.ManyToManyField):
        return ""  # a table of its own
    if isinstance(field, models.GeneratedField):
        return "PostgreSQL writes the whole table anew. Use a column that the sweep fills."
    if not field.null and field.db_default is NOT_PROVIDED:
        return "the release before inserts rows without it. Give it db_default, or null=True."
    if field.db_index or field.unique:
        return (
            "its index is built while writers wait. Say db_index=False, and add the index by "
            "config.migrating.AddIndexConcurrently in a migration of its own."
        )
    return ""


def _of_changed(old, new):
    if isinstance(new, models.ManyToManyField):
        return ""
    if old.null and not new.null:
        return "the release before may write an empty one. Wait a release."
    if old.db_default is not NOT_PROVIDED and new.db_default is NOT_PROVIDED:
        return "the release before may insert rows without it. Wait a release."
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        return "its index is built while writers wait. Use config.migrating.AddIndexConcurrently."
    if not _is_wider(old, new):
        return f"{LATER} What replaces it is a new column, filled by the sweep."
    return ""


def _is_wider(old, new):
    """Whether all that fits into the old column fits into the new one, without rewriting rows."""
    if old.remote_field or new.remote_field:
        return _target(old) == _target(new)
    if old.db_type(connection) == new.db_type(connection):
        return True
    texts = models.CharField | models.TextField
    if not (isinstance(old, texts) and isinstance(new, texts)):
        return False
    return new.max_length is None or (old.max_length or new.max_length + 1) <= new.max_length


def _target(field):
    return field.remote_field and str(field.remote_field.model).lower()


# Tests --------------------------------------------------------------------------------------------


def test_migrations_since_the_release_before_keep_the_rules():
    loader = unsquashed.Loader(None)
    plan = [node for leaf in loader.graph.leaf_nodes() for node in loader.graph.forwards_plan(leaf)]
    ours = {config.label for config in apps.get_app_configs() if config.name in OURS}
    before = [node for node in dict.fromkeys(plan) if node[0] not in ours or is_old(*node)]
    state = loader.project_state(before)
    baseline = set(state.models)
    broken = []
    for node in dict.fromkeys(plan):
        if node not in before:
            rules = broken_rules(loader.graph.nodes[node], state, baseline)
            broken += [f"{'.'.join(node)}, {rule.operation}: {rule.cure}" for rule in rules]

    assert not broken, "\n\n".join(["CONTRIBUTING.md, “Migrations”.", *broken])


OURS = ("accounts", "briefs", "operations", "personas", "webhooks")


def is_old(app, name):
    return name[:4] <= BASELINE.get(app, "")


NAME = models.CharField(max_length=20)
INDEXED = models.CharField(max_length=20, db_index=True)
OWNER = models.ForeignKey("auth.User", models.CASCADE, null=True)
INDEX = models.Index(fields=["name"], name="big_name")
IS_NAMED = models.CheckConstraint(condition=~models.Q(name=""), name="big_named")
OUT_OF_THE_MODELS = migrations.SeparateDatabaseAndState(
    state_operations=[migrations.RemoveField("Big", "name")]
)


def nothing(apps, schema_editor):
    pass


def made_of(*operations, **attributes):
    made = migrations.Migration("0002_next", "app")
    made.operations = list(operations)
    vars(made).update(attributes)
    return made


def cures(migration):
    """What is said of a migration after a release with one table, `Big`."""
    state = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", NAME)]
    state.add_model(ModelState("app", "Big", fields))
    state.add_model(ModelState("auth", "User", fields[:1]))
    return [rule.cure for rule in broken_rules(migration, state, {("app", "big")})]


@pytest.mark.parametrize(
    ("operation", "cure"),
    [
        (migrations.AddField("Big", "size", models.IntegerField(default=0)), "db_default"),
        (migrations.AddField("Big", "size", models.IntegerField(null=True, unique=True)), "index"),
        (migrations.AddField("Big", "owner", OWNER), "db_index=False"),
        (migrations.AddIndex("Big", INDEX), "writers wait"),
        (AddIndexConcurrently("Big", INDEX), "SQLite"),
        (migrations.AddConstraint("Big", IS_NAMED), "whole table"),
        (migrations.RemoveField("Big", "name"), "models alone"),
        (migrations.RenameField("Big", "name", "title"), "models alone"),
        (migrations.DeleteModel("Big"), "models alone"),
        (migrations.RenameModel("Big", "Bigger"), "models alone"),
        (migrations.AlterField("Big", "name", models.CharField(max_length=19)), "new column"),
        (migrations.AlterField("Big", "name", models.IntegerField()), "new column"),
        (migrations.AlterField("Big", "name", INDEXED), "index"),
        (OUT_OF_THE_MODELS, "db_default before"),
        (migrations.RunPython(nothing), "by the sweep"),
        (migrations.SeparateDatabaseAndState([migrations.RunSQL("SELECT 1")]), "by the sweep"),
    ],
)  # fmt: skip
def test_what_stops_hosts_of_the_release_before_is_refused(operation, cure):
    (told,) = cures(made_of(operation))

    assert cure in told


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("Big", "size", models.IntegerField(db_default=0)),
        migrations.AddField("Big", "size", models.IntegerField(null=True)),
        migrations.AlterField("Big", "name", models.TextField(null=True, help_text="Longer.")),
        migrations.RunPython(migrations.RunPython.noop, nothing),
    ],
)
def test_what_they_do_not_notice_is_allowed(operation):
    assert cures(made_of(operation)) == []


def test_column_that_may_be_left_out_may_leave_the_models():
    with_default = models.CharField(max_length=20, db_default="")

    optional = migrations.AlterField("Big", "name", with_default)

    assert cures(made_of(optional, OUT_OF_THE_MODELS)) == []


def test_table_that_is_new_may_be_changed_freely():
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", NAME)]

    assert not cures(
        made_of(
            migrations.CreateModel("New", fields),
            migrations.AddField("New", "size", models.IntegerField(default=0)),
            migrations.AddIndex("New", INDEX),
            migrations.RemoveField("New", "size"),
        )
    )


def test_migration_says_itself_what_it_may_break_and_why():
    permitted = {"RunPython nothing": "a row at most", "AddConstraint Big": "30 rows"}
    both = [migrations.RunPython(nothing), migrations.AddConstraint("Big", IS_NAMED)]

    assert cures(made_of(*both, permitted=permitted)) == []
    assert len(cures(made_of(*both, permitted={"RunPython nothing": "a row at most"}))) == 1


def test_migration_without_a_transaction_holds_indexes_alone():
    index = migrating.AddIndexConcurrently("Big", INDEX)
    column = migrations.AddField("Big", "size", models.IntegerField(null=True))

    assert cures(made_of(index, atomic=False)) == []
    assert "again from its beginning" in cures(made_of(index, column, atomic=False))[0]
