"""What is promised of the rules and their versions."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Max

from briefs.models import Brief, Signal
from operations.invariants.promises import Broken, promise
from personas.models import RulesState, RuleVersion
from personas.rules import documents


@promise(
    "The versions of the rules have no gap, and the newest one tells the present rules",
    RuleVersion,
    "Save any rule in the admin: that makes a version of the rules as they are.",
)
def version_tells_the_rules(_now: datetime) -> Iterator[Broken]:
    """Rules that something wrote past the pages have a version with the next batch of events."""
    found = RuleVersion.objects.aggregate(number=Count("pk"), newest=Max("pk"))
    if found["number"] != (found["newest"] or 0):
        words = f"there are {found['number']} versions up to number {found['newest']}"
        yield Broken("versions", "", words)
    state = RulesState.read()
    if (state.version_edits or 0) > state.edits:
        words = f"version {state.version} tells {state.version_edits} edits, and there were fewer"
        yield Broken("version", state.version or "", f"{words}: {state.edits}")
    if not state.is_told:
        return
    newest = RuleVersion.objects.filter(pk=state.version or 0).first()
    if newest is None or newest.number != found["newest"]:
        yield Broken("version", state.version or "", "it is said to be the newest, and is not")
    elif newest.digest != documents.digest(documents.take()):
        yield Broken("version", newest.number, "it is said to tell the present rules, and does not")
    elif newest.digest != documents.digest(newest.document):
        yield Broken("version", newest.number, "its document is not the one that was written")


@promise(
    "What decided about signals and briefs is a version that is there",
    Signal,
    "A version was deleted, or the database was restored in part: restore it whole.",
)
def deciding_version_is_there(_now: datetime) -> Iterator[Broken]:
    newest = RuleVersion.objects.aggregate(newest=Max("pk"))["newest"] or 0
    for kind, rows in (("signal", Signal.objects), ("brief", Brief.objects)):
        highest = rows.aggregate(highest=Max("rules_version"))["highest"] or 0
        if highest > newest:
            words = f"version {highest} decided about it, and the newest is {newest}"
            yield Broken(kind, "", words)
