"""What is wrong with the segment of customers with an open brief. Briefs do not depend on it."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Min
from django.db.models.functions import Coalesce, Now

from briefs.links import admin_url
from briefs.models import SavingSegment, SegmentMembership
from briefs.saving import comparing
from briefs.times import length
from operations.figures import Figures
from operations.troubles.kinds import Kind, Trouble
from providers.customerio_track import TrackApi

PATIENCE = timedelta(minutes=10)  # of a fault that may heal by itself
UNCOMPARED = timedelta(days=2)  # one night may fail
_EFFECT = "campaigns may mail customers whom somebody is talking to, and spare others"
_TRACK_KEYS = "Account settings > API Credentials > Track API Keys"
_CURES = {
    SavingSegment.Fault.KEY: "Put site id and key of the right workspace and region into "
    f"CIO_TRACK_SITE_ID and CIO_TRACK_KEY (in Customer.io: {_TRACK_KEYS}) and restart. An App API "
    "key is refused there.",
    SavingSegment.Fault.GONE: "If it was deleted in Customer.io, manage.py register_segment makes "
    "it anew; name it in your campaigns again. Or turn it off: manage.py register_segment --off. "
    "If it is there, check CIO_REGION and CIO_TRACK_BASE_URL.",
    SavingSegment.Fault.LIMIT: "Something else in the workspace uses up the limit. It is tried "
    "again by itself.",
    SavingSegment.Fault.AWAY: "Check the way out of this network and CIO_TRACK_BASE_URL. It is "
    "tried again at least every 5 minutes.",
}


def not_kept(figures: Figures) -> Iterator[Trouble]:
    """From the first moment on if only a person can cure it."""
    row = figures.segment
    if row is None:
        return
    if not TrackApi().is_configured:
        why, since = "CIO_TRACK_SITE_ID or CIO_TRACK_KEY is not set", figures.now
        cure = f"{_CURES[SavingSegment.Fault.KEY]} Or: manage.py register_segment --off."
    elif row.failing_since is None:
        return
    else:
        why, since = row.reason, row.failing_since
        cure = _CURES[SavingSegment.Fault(row.fault)]
        needs_person = row.fault in (SavingSegment.Fault.KEY, SavingSegment.Fault.GONE)
        if not needs_person and figures.now - since < PATIENCE:
            return
    yield Trouble(
        Kind.SEGMENT,
        "problem",
        since,
        f"The segment “{row.name}” in Customer.io is not kept: {why}. Briefs are not affected, but "
        f"{_EFFECT}.",
        cure,
    )


def failed_rows(figures: Figures) -> Iterator[Trouble]:
    if figures.segment is None or not figures.segment_failed:
        return
    failed = SegmentMembership.objects.all().failed()
    since = failed.aggregate(at=Min(Coalesce("due_at", Now())))["at"] or figures.now
    url = admin_url("briefs_segmentmembership_changelist")
    yield Trouble(
        Kind.SEGMENT_ROWS,
        "hint",
        min(since, figures.now),
        f"{figures.segment_failed.of('customer')} with an open brief could not be put into the "
        f"segment “{figures.segment.name}” on any try: campaigns may mail them.",
        "Look in the admin by which identifier it failed: does Customer.io know them by it? "
        "Once they have another one, they are tried again after the next nightly comparison.",
        url=url,
        link="Who they are" if url else "",
    )


def uncompared(figures: Figures) -> Iterator[Trouble]:
    row = figures.segment
    if row is None:
        return
    last = row.compared_at
    has_failed = row.compare_reason and (last is None or figures.now - last >= UNCOMPARED)
    if not has_failed and figures.now - row.compare_at < UNCOMPARED:  # due, and not at its end
        return
    if row.compare_reason or not comparing.is_possible():
        why = row.compare_reason or "CIO_APP_KEY is not set"
        cure = (
            "The key in CIO_APP_KEY must be allowed to read segments. It is tried again every "
            "quarter of an hour."
        )
    else:
        why = "no comparison came to its end"
        cure = (
            "It goes on whenever no look-up waits. Check that the workers of the cluster research "
            "run, and that they reach Customer.io."
        )
    ago = f"for {length(figures.now - last)}" if last else "yet"
    yield Trouble(
        Kind.SEGMENT_UNCOMPARED,
        "hint",
        last or min(row.compare_at, figures.now),
        f"Customer.io's list of the segment “{row.name}” was not compared with ours {ago}: "
        f"{why}. Whoever is in it by mistake stays in it meanwhile.",
        cure,
    )
