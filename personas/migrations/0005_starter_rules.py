"""Brings starter rules that nobody has edited to what a new installation begins with.

An edited rule stays as the team wrote it, and so do rules of its own. A rule counts as edited if
anything but its position or its switch differs from the starter rule of the version before.
"""

from django.db import migrations
from django.utils import timezone

PREFERENCES = "cio_subscription_preferences_changed, subscription_preferences_changed"
NOT_SENT = "turn on Body Content for the reporting webhook, so that it says what changed"
OF_PREFERENCES = {"object_types": "", "metrics": PREFERENCES, "level": "any"}
OF_BOUNCES = {"object_types": "email", "metrics": "bounced", "level": "any"}
# name before -> (fields and conditions before, fields and conditions now)
CHANGED = {
    "Opted out of a whole channel or of every topic": (
        {**OF_PREFERENCES, "kind": "all_topics_off", "effect": "opens_brief", "severity": 3,
         "match": "all", "note": ""},
        [("preferences", "in", "channel off, all topics off")],
        {"name": "Opted out of every topic"},
        [("preferences", "equals", "all topics off")],
    ),
    "Preferences changed, direction unknown": (
        {**OF_PREFERENCES, "kind": "other", "effect": "ignore", "severity": 1, "match": "all",
         "note": NOT_SENT},
        [],
        {"note": "what they chose before is not known, or it is what the event states"},
        [],
    ),
    "E-mail bounced: address gone": (
        {**OF_BOUNCES, "kind": "address_gone", "effect": "opens_brief", "severity": 2,
         "match": "any", "note": ""},
        [
            ("smtp_status", "contains", "5.1."),
            ("failure_message", "contains", "user unknown"),
            ("failure_message", "contains", "unknown user"),
            ("failure_message", "contains", "no such user"),
            ("failure_message", "contains", "does not exist"),
            ("failure_message", "contains", "recipient not found"),
            ("failure_message", "contains", "mailbox unavailable"),
            ("failure_message", "contains", "account is disabled"),
        ],
        {"name": "E-mail bounced: address gone or suspended", "match": "all"},
        [("bounce", "in", "gone, suspended")],
    ),
    "E-mail bounced: mailbox full or busy": (
        {
            **OF_BOUNCES,
            "kind": "mailbox_full", "effect": "timeline", "severity": 1, "match": "any",
            "note": "this mends itself; a person who cannot be reached for long bounces differently",
        },
        [
            ("smtp_class", "equals", "4"),
            ("smtp_status", "equals", "5.2.2"),
            ("failure_message", "contains", "mailbox full"),
            ("failure_message", "contains", "mailbox is full"),
            ("failure_message", "contains", "over quota"),
            ("failure_message", "contains", "quota exceeded"),
        ],
        {"match": "all"},
        [("bounce", "in", "full, busy, expired")],
    ),
    "E-mail bounced: blocked by policy": (
        {
            **OF_BOUNCES,
            "kind": "blocked", "effect": "notice", "severity": 1, "match": "any",
            "note": "the receiving server refuses our mail: a matter for whoever runs the sending",
        },
        [
            ("smtp_status", "contains", "5.7."),
            ("failure_message", "contains", "blocked"),
            ("failure_message", "contains", "blacklist"),
            ("failure_message", "contains", "policy"),
            ("failure_message", "contains", "dmarc"),
        ],
        {"name": "E-mail bounced: our sending was refused", "match": "all"},
        [("bounce", "equals", "blocked")],
    ),
}
# The rule whose events "Turned off a channel" takes over, by its names before and now.
OPTED_OUT = "Opted out of a whole channel or of every topic", "Opted out of every topic"
TURNED_OFF = "Turned off a channel"
# (the rule before which it is tried, fields, conditions), in their order
NEW = [
    (
        "Opted out of every topic",
        {"name": TURNED_OFF, "metrics": PREFERENCES, "kind": "channel_opt_out",
         "effect": "opens_brief", "severity": 2},
        [("preferences", "equals", "channel off")],
    ),
    (
        "Opted in to topics",
        {"name": "Turned on a channel", "metrics": PREFERENCES, "kind": "channel_opt_in",
         "effect": "good_news", "severity": 1},
        [("preferences", "equals", "channel on")],
    ),
    (
        "Preferences changed, direction unknown",
        {"name": "Preferences changed, content not sent", "metrics": PREFERENCES, "kind": "other",
         "effect": "ignore", "severity": 1, "note": NOT_SENT},
        [("preferences", "equals", "not sent")],
    ),
    (
        "Preferences changed, direction unknown",
        {"name": "Preferences changed, content unreadable", "metrics": PREFERENCES, "kind": "other",
         "effect": "ignore", "severity": 1,
         "note": "the event says what changed, but in a form that cannot be read: see its body"},
        [("preferences", "equals", "unreadable")],
    ),
    (
        "Unsubscribed",
        {"name": "Bounced or complained: another address", "object_types": "email",
         "metrics": "bounced, spammed, complained", "kind": "other_address", "effect": "timeline",
         "severity": 1, "note": "the message went to another address than this person's"},
        [("recipient_is", "equals", "another address")],
    ),
    (
        "Unsubscribed",
        {"name": "Stopped text messages by a reply", "object_types": "sms, whatsapp",
         "metrics": "replied", "kind": "channel_opt_out", "effect": "opens_brief", "severity": 2},
        [("reply", "equals", "stop")],
    ),
    (
        "Unsubscribed",
        {"name": "Started text messages by a reply", "object_types": "sms, whatsapp",
         "metrics": "replied", "kind": "channel_opt_in", "effect": "good_news", "severity": 1},
        [("reply", "equals", "start")],
    ),
    (
        "Push bounced",
        {"name": "Reached again after the address was gone", "object_types": "email",
         "metrics": "delivered, clicked", "kind": "reached", "effect": "good_news", "severity": 1},
        [("reached", "equals", "again")],
    ),
]  # fmt: skip
STEP = 10  # between two positions, as the starter rules are numbered
REASON = "events are read anew: a new version of the starter rule"


def renew(apps, schema_editor):
    rules = apps.get_model("personas", "SignalRule")
    if not rules.objects.exists():
        return  # a new installation: the starter rules are loaded later
    for name, (fields, conditions, new_fields, new_conditions) in CHANGED.items():
        rule = rules.objects.filter(name=name, **fields).first()
        new_name = new_fields.get("name", name)
        is_taken = new_name != name and rules.objects.filter(name=new_name).exists()
        if rule is None or is_taken or _conditions(rule) != conditions:
            continue
        for field, value in new_fields.items():
            setattr(rule, field, value)
        rule.save()
        _note(apps, rule, "~")
        if new_conditions != conditions:
            for old in rule.conditions.all():
                _note(apps, old, "-")
                old.delete()
            _add_conditions(apps, rule, new_conditions)
    for before, fields, conditions in NEW:
        if not rules.objects.filter(name=fields["name"]).exists():
            if fields["name"] == TURNED_OFF:
                place, is_active = _place_of_turned_off(rules)
            else:
                place, is_active = _place_of(rules, before), True
            position = _make_room(rules, place)
            rule = rules.objects.create(position=position, is_active=is_active, **fields)
            _note(apps, rule, "+")
            _add_conditions(apps, rule, conditions)


def _conditions(rule):
    return list(rule.conditions.order_by("pk").values_list("field", "operator", "value"))


def _add_conditions(apps, rule, conditions):
    model = apps.get_model("personas", "SignalCondition")
    for field, operator, value in conditions:
        added = model.objects.create(rule=rule, field=field, operator=operator, value=value)
        _note(apps, added, "+")


def _in_order(rules):
    return list(rules.objects.order_by("position", "pk"))


def _place_of(rules, name):
    """Where this rule is in the order; first if it is gone, where no other rule can hide it."""
    places = [place for place, rule in enumerate(_in_order(rules)) if rule.name == name]
    return places[0] if places else 0


def _place_of_turned_off(rules):
    """The place of the new rule and whether it is on, so that what the team decided stays.

    Before, one rule spoke of channels and of topics. If the team edited it, it goes on to decide:
    the new rule comes after it. If the team switched it off, deleted or renamed it, the new rule is
    there to be switched on.
    """
    before, now = OPTED_OUT
    for place, rule in enumerate(_in_order(rules)):
        if rule.name == before:
            return place + 1, rule.is_active
        if rule.name == now:
            return place, rule.is_active
    return 0, False


def _make_room(rules, place):
    """A position for a rule at this place; those of the rules from there on make room for it."""
    order = _in_order(rules)
    if place == len(order):
        return order[-1].position + STEP
    position = order[place].position
    for rule in order[place:]:
        rule.position += STEP
        rule.save(update_fields=["position"])
    return position


def _note(apps, row, kind):
    """An entry in the row's history, as an edit in the admin makes one."""
    history = apps.get_model("personas", f"Historical{type(row).__name__}")
    fields = {
        field.attname: getattr(row, field.attname) for field in type(row)._meta.concrete_fields
    }
    history.objects.create(
        history_date=timezone.now(), history_type=kind, history_change_reason=REASON, **fields
    )


class Migration(migrations.Migration):
    dependencies = [("personas", "0004_event_meanings")]
    operations = [migrations.RunPython(renew, migrations.RunPython.noop)]
