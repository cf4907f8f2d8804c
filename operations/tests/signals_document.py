"""Writes docs/signals.md: what each event of Customer.io means under the starter rules.

    .venv/bin/python -m operations.tests.signals_document > docs/signals.md

Every line comes from the code: the rules say what an event is, the channels' own functions say what
it closes and what opens it again. A test compares the file with it.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import django

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HEAD = """# What an event means

Made from the code by `operations/tests/signals_document.py`; a test keeps it true. It shows the
starter rules: a team that edits its rules in the admin decides otherwise.

`customer` stands for all events about the person: Customer.io sends these with the object type of
the channel that led to them. What an event *is compared with* is told in
[architecture.md](architecture.md).

*Closes* names the channels that a brief then shows as “no”; in brackets those that are unsure.
*Opened again by* names later events of the same person. A new address opens e-mail again, whatever
happened to the old one. Of an event about another address than the person's, nothing is closed.

Link scanners: three or more people of one company who unsubscribed within ten seconds, beside a
click that Customer.io marks as a machine's, are one brief of low priority, “Probably a link
scanner”.

| object type | metric | when | signal | leads to | closes | opened again by |
|---|---|---|---|---|---|---|
"""


STEPS_HEAD = """
## What to do first

The starter steps. A brief shows the first one of its persona and signal that uses no closed
channel, else the first one of its signal for everybody, else “No contact” and why. `{detail}`
stands for the name of the channel or of the topics.

| signal | for whom | first step | contacts by | when |
|---|---|---|---|---|
"""


def document() -> str:
    return HEAD + "\n".join(_rows()) + "\n" + STEPS_HEAD + "\n".join(_steps()) + "\n"


def _steps() -> Iterator[str]:
    """The starter steps in the order in which they are tried."""
    from personas.models import FirstStep
    from personas.starter.first_steps import rows
    from personas.starter.personas import PERSONAS

    for persona, fields in rows({given["slug"]: given["name"] for given in PERSONAS}):
        step = FirstStep(**fields)
        channels, time = step.get_channels_display(), step.time_words
        who = persona or "everybody"
        yield f"| {step.get_kind_display()} | {who} | {step.text} | {channels} | {time} |"


def _rows() -> Iterator[str]:
    from operations.registration import METRICS

    rulebook = _starter_rulebook()
    for object_type, metrics in METRICS.items():
        for metric in metrics.split():
            seen = set()
            for when, data, found_out in _situations(object_type, metric):
                cells = _meaning(rulebook, object_type, metric, data, found_out)
                if cells not in seen or when:
                    yield f"| {object_type} | {metric} | {when} | {' | '.join(cells)} |"
                seen.add(cells)


def _situations(object_type: str, metric: str) -> Iterator[tuple[str, dict, dict]]:
    """What may be told apart within one metric: in words, and how an event says it."""
    from personas.rules import bounces, preferences

    if metric == "subscription_preferences_changed":
        for word in preferences.WORDS:
            yield word, {}, {"preferences": word}
    elif metric == "bounced" and object_type == "email":
        for reading, reply in _REPLIES.items():
            assert bounces.read(reply).reading == reading, reply
            yield f"the reply says: {reading}", {"failure_message": reply}, {}
        yield "at another address", {}, {"recipient_is": "another address"}
    elif metric == "spammed":
        yield "", {}, {}
        yield "at another address", {}, {"recipient_is": "another address"}
    elif metric == "replied":
        for words in ("STOP", "START", "Thanks!"):
            yield f"“{words}”", {"inbound_event_id": "i", "content": words}, {}
    elif metric in ("delivered", "clicked") and object_type == "email":
        yield "", {}, {}
        yield "after the address was gone", {}, {"reached": "again"}
        if metric == "clicked":
            yield "likewise, by a machine", {"machine": True}, {"reached": "again"}
    else:
        yield "", {}, {}


_REPLIES = {
    "gone": "550 5.1.1 user unknown",
    "suspended": "550 5.2.1 this mailbox is disabled",
    "full": "552 5.2.2 mailbox full",
    "busy": "450 4.2.1 try again later",
    "expired": "4.4.7 message expired",
    "blocked": "554 5.7.1 message blocked by policy",
    "unknown": "something went wrong",
}


def _meaning(rulebook, object_type, metric, data, found_out) -> tuple[str, ...]:
    from personas.models import Effect

    sent = f"cio_{metric}" if metric.startswith("subscription_pref") else metric
    match = rulebook.rule_for(object_type, sent, data, **found_out)
    if match is None or match.rule.effect == Effect.IGNORE:
        note = f": {match.rule.note}" if match and match.rule.note else ""
        idle = _starter_rulebook(is_active=False).rule_for(object_type, sent, data, **found_out)
        if match is None and idle:
            note = f", until rule “{idle.rule.name}” is switched on"
        return "–", f"nothing{note}", "", ""
    rule = match.rule
    leads_to = {
        Effect.OPENS_BRIEF: f"a brief, {rule.get_severity_display().lower()}",
        Effect.GOOD_NEWS: "good news on the timeline",
        Effect.TIMELINE: "an entry on the timeline",
        Effect.NOTICE: "a notice for the engineer",
    }[Effect(rule.effect)]
    closes, undone_by = _closes(rule.kind, object_type, data)
    return f"{rule.get_kind_display()} (rule “{rule.name}”)", leads_to, closes, undone_by


def _closes(kind: str, object_type: str, data) -> tuple[str, str]:
    from personas.models import SignalKind
    from personas.rules import facts

    if kind == SignalKind.CHANNEL_OPT_OUT and object_type == "customer":
        assert all(_answers(_signal(kind, "email", turned=key)) != OPEN for key in CHANNEL_KEYS)
        return "the channel that was turned off", _named(SignalKind.CHANNEL_OPT_IN)
    level = facts.level(object_type, {"recipient": "x", **data})
    given = {"turned": object_type} if kind == SignalKind.CHANNEL_OPT_OUT else {}
    channel = "email" if object_type == "customer" else object_type
    cause = _signal(kind, channel, level, **given)
    changed = {name: answer for name, answer in _answers(cause).items() if answer != OPEN[name]}
    if not changed:
        return "", ""
    worse = [name for name, answer in changed.items() if answer == "no"]
    unsure = [name for name, answer in changed.items() if answer == "unknown"]
    closes = " ".join([", ".join(worse), f"({', '.join(unsure)})" if unsure else ""]).strip()
    back = [
        other
        for other in (SignalKind.SUBSCRIBED, SignalKind.CHANNEL_OPT_IN, SignalKind.TOPIC_OPT_IN,
                      SignalKind.REACHED)
        if _answers(cause, _later(other, channel)) == OPEN
    ]  # fmt: skip
    return closes, _named(*back) or "nothing that is reported"


def _named(*kinds: str) -> str:
    from personas.models import SignalKind

    return ", ".join(str(SignalKind(kind).label) for kind in kinds)


CHANNEL_KEYS = ("email", "sms", "whatsapp", "push", "in_app")
# Of somebody who agreed to everything.
OPEN = dict.fromkeys(
    ["E-mail, marketing", "E-mail, transactional", "Push", "SMS", "WhatsApp", "In-app"], "yes"
)


def _answers(*signals) -> dict[str, str]:
    from briefs.reading.channels import routes
    from personas.models import Customer

    customer = Customer(
        email="a@example.com",
        phone="+15550100",
        devices=[{"id": "d"}],
        preferences={"channels": dict.fromkeys(CHANNEL_KEYS, True)},
        fetched_at=NOW,
    )
    return {route.channel: route.answer for route in routes(customer, signals)}


def _signal(kind: str, channel: str, level: str = "person", days: int = 2, turned: str = ""):
    from briefs.models import Signal

    message = {"channel": channel, **({"turned": turned} if turned else {})}
    return Signal(kind=kind, level=level, happened_at=NOW - timedelta(days=days), message=message)


def _later(kind: str, channel: str):
    from personas.models import SignalKind

    turned = channel if kind == SignalKind.CHANNEL_OPT_IN else ""
    return _signal(kind, channel, "person", days=1, turned=turned)


def _starter_rulebook(is_active: bool = True):
    """The starter rules as a batch reads them, without a database."""
    from personas.models import Persona, SignalCondition, SignalRule
    from personas.rules.rulebook import Rulebook
    from personas.starter.signal_rules import SIGNAL_RULES

    rules = []
    for given in SIGNAL_RULES:
        fields = dict(given)
        conditions = fields.pop("conditions", [])
        rule = SignalRule(**fields)
        rule.condition_list = [
            SignalCondition(field=name, operator=operator, value=value)
            for name, operator, value in conditions
        ]
        if rule.is_active is is_active:
            rules.append(rule)
    nobody = Persona(name="Everyone else")
    return Rulebook(rules, [], nobody, nobody, {})


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    django.setup()
    print(document(), end="")  # noqa: T201 - its output
