"""The kinds of trouble there are, and what is known of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import TextChoices

# The supervisor restarts a stuck cluster within two minutes; what lasts for three is told.
TOLD_AFTER = timedelta(minutes=3)


class Kind(TextChoices):
    """Code reads the kind; the words of a trouble are for people."""

    # Customer.io's webhooks
    NOT_STORED = "not_stored", "Webhooks cannot be stored"
    NO_KEY = "no_key", "There is no signing key"
    WRONG_SIGNATURE = "wrong_signature", "Webhooks are rejected: wrong signature"
    OTHER_SIGNATURE = "other_signature", "Somebody signs with another key"  # ours are accepted
    TOO_OLD = "too_old", "Webhooks are rejected: old timestamp"
    TOO_LARGE = "too_large", "Webhooks are refused: over 64 MiB"
    REFUSED_BEFORE = "refused_before", "Webhooks were refused, and are accepted again"
    UNSIGNED = "unsigned", "Nothing but requests without a signature"
    SILENCE = "silence", "No webhooks for longer than ever"
    QUIET = "quiet", "No webhooks for a while"  # as long as has happened before
    DELIVERED_AGAIN = "delivered_again", "Many webhooks are delivered again"
    QUARANTINED = "quarantined", "Webhooks cannot be read"
    LISTS = "lists", "Webhooks hold several events each"
    NO_EVENT_ID = "no_event_id", "Signals come without an event id"
    UNVERIFIED = "unverified", "Requests without a signature are accepted"
    # Our mail to the customers
    MAIL_REFUSED = "mail_refused", "Our mail is refused"
    SOME_MAIL_REFUSED = "some_mail_refused", "Some of our mail is refused"
    # What comes of signals
    NO_BRIEFS = "no_briefs", "Signals arrive and briefs do not"
    FEWER_BRIEFS = "fewer_briefs", "Briefs were stopped knowingly"  # an edit that was accepted
    # Events and their workers
    NOT_TAKEN = "not_taken", "Events are due and none is taken"
    BEHIND = "behind", "The workers are behind"  # they take events, and others wait for long
    UNSWEPT = "unswept", "No worker looks for work"
    UNSCHEDULED = "unscheduled", "Nothing starts the sweep"
    FAILED = "failed", "Events failed on every try"
    JOB_FAILED = "job_failed", "A reprocessing job failed"
    # Research
    NOT_ASKED = "not_asked", "Research is due and none is asked"
    PAUSED = "paused", "Research is paused"
    MAVE_FAILS = "mave_fails", "Mave fails"
    # The segment in Customer.io
    SEGMENT = "segment", "The segment is not kept"
    SEGMENT_ROWS = "segment_rows", "Some customers are not in the segment"
    SEGMENT_UNCOMPARED = "segment_uncompared", "The segment is not compared"
    # What is kept, and how long
    NOT_PRUNED = "not_pruned", "Old rows are not removed"
    NOT_ERASED = "not_erased", "Somebody is not erased"
    FAILED_GO = "failed_go", "Failed events will be removed"


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: Kind
    level: Literal["problem", "hint"]  # a problem stops something; a hint did or may
    since: datetime
    text: str
    cure: str
    reason: str = ""  # which one it is, where people are told anew when that changes
    url: str = ""  # into the admin, for who may open it
    link: str = ""


@dataclass(frozen=True, slots=True)
class Ages:
    """How old a trouble is when it is first told, and when it is told no more."""

    least: timedelta = timedelta(0)
    most: timedelta = timedelta.max

    def hold(self, age: timedelta) -> bool:
        return self.least <= age < self.most


Choice = Mapping[Kind, Ages]  # what one reader wants to hear of
ANY_AGE = Ages()
