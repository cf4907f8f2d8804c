"""Fills the codes of reasons from the sentences of the version before: the last time they are read.

Rows that a host of that version writes meanwhile have words alone, and are shown as they are.
"""

import re

from django.db import migrations

_CODE = r"Mavera answered (\d{3}(?: \([\w.-]{1,60}\))?)"
_BESIDE = re.compile(rf" \({_CODE}\)|(?<=asked to wait): {_CODE}")
_ALONE = re.compile(_CODE)


def parted(text):
    """The sentence without Mavera's code, and the code."""
    if found := _BESIDE.search(text):
        return text[: found.start()] + text[found.end() :], found[1] or found[2]
    if found := _ALONE.search(text):
        words = "Mavera failed" if found[1].startswith("5") else "Mavera refused the request"
        if found[1].startswith("429"):
            words = "Mavera asked to wait"
        return text[: found.start()] + words + text[found.end() :], found[1]
    return text, ""


def joined(words, code):
    return f"{words} (Mavera answered {code})" if code else words


def fill(apps, schema_editor):
    model = apps.get_model
    research = model("briefs", "Research").objects
    asked_back = research.filter(
        status="failed", status_reason__startswith="Mave asked back instead of answering: "
    )
    asked_back.exclude(answer="").update(reason_code="asked_back")
    coded = research.filter(status_reason__contains="Mavera answered ", reason_code=None)
    for key, before in list(coded.values_list("pk", "status_reason")):
        words, code = parted(before)
        if code:
            same = research.filter(pk=key, status_reason=before)
            same.update(status_reason=words, mavera_code=code)
    for health in model("briefs", "MaveHealth").objects.all():
        health.held_reason, health.held_code = parted(health.held_reason)
        health.breaker_reason, health.breaker_code = parted(health.breaker_reason)
        health.save(update_fields=["held_reason", "held_code", "breaker_reason", "breaker_code"])
    # A pause without Mavera's status is a person's, and so are its words.
    for policy in model("briefs", "ResearchPolicy").objects.exclude(paused_status=None):
        policy.paused_reason, policy.paused_code = parted(policy.paused_reason)
        policy.save(update_fields=["paused_reason", "paused_code"])
    activities = model("briefs", "Activity").objects.filter(actor=None)
    arrived = activities.filter(text__startswith="the profile arrived: ")
    arrived.update(code="profile_arrived")


def empty(apps, schema_editor):
    """Mavera's codes go back into their sentences; the others are dropped with their columns."""
    model = apps.get_model
    for research in model("briefs", "Research").objects.exclude(mavera_code=None).only(
        "status_reason", "mavera_code"
    ):
        research.status_reason = joined(research.status_reason, research.mavera_code)
        research.save(update_fields=["status_reason"])
    for health in model("briefs", "MaveHealth").objects.all():
        health.held_reason = joined(health.held_reason, health.held_code)[:300]
        health.breaker_reason = joined(health.breaker_reason, health.breaker_code)[:300]
        health.save(update_fields=["held_reason", "breaker_reason"])
    for policy in model("briefs", "ResearchPolicy").objects.exclude(paused_at=None):
        policy.paused_reason = joined(policy.paused_reason, policy.paused_code)[:300]
        policy.save(update_fields=["paused_reason"])


class Migration(migrations.Migration):

    dependencies = [
        ('briefs', '0011_reason_codes'),
    ]

    operations = [
        migrations.RunPython(fill, empty),
    ]
