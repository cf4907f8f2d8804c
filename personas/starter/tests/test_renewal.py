"""The starter rules of an installation of the version before, brought up to date by a migration."""

from importlib import import_module

import pytest
from django.apps import apps

from personas import starter
from personas.models import SignalCondition, SignalRule

migration = import_module("personas.migrations.0005_starter_rules")

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]


def shown(rule):
    fields = ("name", "object_types", "metrics", "level", "match", "kind", "effect", "severity",
              "note", "is_active")  # fmt: skip
    conditions = rule.conditions.values_list("field", "operator", "value")
    return (*(getattr(rule, field) for field in fields), tuple(conditions))


def rules():
    return [shown(rule) for rule in SignalRule.objects.all()]


@pytest.fixture
def new():
    """What a new installation begins with, which is then taken away."""
    starter.load_if_empty()
    return rules()


@pytest.fixture
def before(new):
    """The rules of the version before, in the order that they had."""
    added = [fields["name"] for _, fields, _ in migration.NEW]
    SignalRule.objects.filter(name__in=added).delete()
    for name, (fields, conditions, now, _) in migration.CHANGED.items():
        rule = SignalRule.objects.get(name=now.get("name", name))
        SignalRule.objects.filter(pk=rule.pk).update(name=name, **fields)
        rule.conditions.all().delete()
        for field, operator, value in conditions:
            SignalCondition.objects.create(rule=rule, field=field, operator=operator, value=value)


def renew():
    migration.renew(apps, None)


@pytest.mark.usefixtures("before")
def test_rules_that_nobody_edited_become_those_of_a_new_installation(new):
    assert rules() != new

    renew()

    assert rules() == new


@pytest.mark.usefixtures("before")
def test_edited_rule_stays_as_the_team_wrote_it():
    edited = SignalRule.objects.get(name="E-mail bounced: address gone")
    edited.conditions.first().delete()
    edited.severity = 3
    edited.save()
    as_written = shown(edited)

    renew()

    assert shown(SignalRule.objects.get(pk=edited.pk)) == as_written


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    "edit",
    [{"metrics": "bounced, deferred"}, {"object_types": "email, sms"}, {"level": "delivery"},
     {"note": "ours"}, {"match": "all"}, {"effect": "timeline"}, {"kind": "other"}],
)  # fmt: skip
def test_any_edited_field_makes_a_rule_the_teams_own(edit):
    rule = SignalRule.objects.get(name="E-mail bounced: address gone")
    SignalRule.objects.filter(pk=rule.pk).update(**edit)
    as_written = shown(SignalRule.objects.get(pk=rule.pk))

    renew()

    assert shown(SignalRule.objects.get(pk=rule.pk)) == as_written


OPTED_OUT, NOW = migration.OPTED_OUT


def order():
    return [rule.name for rule in SignalRule.objects.all()]


@pytest.mark.usefixtures("before")
def test_edited_rule_of_opt_outs_goes_on_to_decide_about_channels():
    SignalRule.objects.filter(name=OPTED_OUT).update(effect="timeline")

    renew()

    place = order().index(OPTED_OUT)
    assert order()[place + 1] == migration.TURNED_OFF


@pytest.mark.usefixtures("before")
def test_edited_rule_of_opt_outs_at_the_end_is_still_followed_by_the_new_one():
    SignalRule.objects.filter(name=OPTED_OUT).update(effect="timeline", position=9_000)

    renew()

    assert order()[-2:] == [OPTED_OUT, migration.TURNED_OFF]


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("edit", [{}, {"effect": "timeline"}])
def test_team_that_wants_no_brief_for_an_opt_out_gets_none_for_a_channel(edit):
    SignalRule.objects.filter(name=OPTED_OUT).update(is_active=False, **edit)

    renew()

    assert not SignalRule.objects.get(name=migration.TURNED_OFF).is_active
    assert not SignalRule.objects.get(name=OPTED_OUT if edit else NOW).is_active


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("name", ["", "Our opt-outs"])
def test_rule_that_was_deleted_or_renamed_does_not_come_back_by_another_name(name):
    old = SignalRule.objects.filter(name=OPTED_OUT)
    _ = old.update(name=name) if name else old.delete()

    renew()

    assert NOW not in order()
    assert not SignalRule.objects.get(name=migration.TURNED_OFF).is_active


@pytest.mark.usefixtures("before")
def test_every_other_deleted_rule_stays_deleted():
    names = [name for name in migration.CHANGED if name != OPTED_OUT]
    SignalRule.objects.filter(name__in=names).delete()

    renew()

    renewed = [fields.get("name", name) for name, (_, _, fields, _) in migration.CHANGED.items()]
    assert set(order()) & {*names, *renewed} == {NOW}


@pytest.mark.usefixtures("before")
def test_rule_that_was_switched_off_or_moved_stays_so():
    SignalRule.objects.filter(name="E-mail bounced: address gone").update(is_active=False)

    renew()

    assert not SignalRule.objects.get(name="E-mail bounced: address gone or suspended").is_active


@pytest.mark.usefixtures("before")
def test_change_is_in_the_history_with_its_reason():
    renew()

    rule = SignalRule.objects.get(name="E-mail bounced: our sending was refused")
    assert rule.history.filter(history_change_reason=migration.REASON).exists()


@pytest.mark.usefixtures("before")
def test_running_it_twice_changes_nothing_more():
    renew()
    once = rules()

    renew()

    assert rules() == once


def test_empty_table_stays_empty_until_the_starter_rules_are_loaded():
    renew()

    assert not SignalRule.objects.exists()
