"""What a brief says of a bounce: the reading of the server's reply, in words."""

import pytest

from briefs.dossier.story import happenings, timeline
from briefs.tests.factories import make_brief, make_signal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "reply", "words"),
    [
        ("address_gone", "550 5.1.1 user unknown",
         "A message bounced, because the address no longer exists."),
        ("address_gone", "550 5.2.1 this mailbox is disabled",
         "A message bounced, because the mailbox is closed, suspended or inactive."),
        ("mailbox_full", "552 recipient inbox is full",
         "A message bounced, because the mailbox is full."),
        ("mailbox_full", "450 4.7.1 Greylisted, try again later",
         "A message bounced, because the receiving server was busy or at fault itself."),
        ("mailbox_full", "4.4.1 connection timed out",
         "A message bounced, because no server answered in time."),
        ("blocked", "550 5.1.8 bad outbound sender",
         "The receiving server refused a message of ours: they take no mail from our address or "
         "our server."),
        ("blocked", "550 5.7.26 unauthenticated",
         "The receiving server refused a message of ours: our domain does not prove that the mail "
         "is ours."),
        ("bounced", "Something went wrong!", "A message bounced, and the reply does not say why."),
        # A team's own rule may decide otherwise: then its kind is what counts.
        ("address_gone", "Something went wrong!",
         "A message bounced, because nobody gets mail at the address."),
        ("mailbox_full", "550 5.1.1 user unknown",
         "A message bounced, because the mailbox was full or busy."),
        ("blocked", "550 5.1.1 user unknown", "The receiving server refused a message of ours."),
        ("blocked", None, "The receiving server refused a message of ours."),
    ],
)  # fmt: skip
def test_bounce_says_what_the_reply_means(kind, reply, words):
    signal = make_signal(kind=kind, message={"failure_message": reply} if reply else {})

    (happening,) = happenings([signal])

    assert happening.words == words


def test_timeline_says_it_before_the_reply():
    brief = make_brief()
    signal = make_signal(
        brief=brief, kind="mailbox_full", message={"failure_message": "552 5.2.2 over quota"}
    )

    (entry,) = timeline(brief, [signal], [])

    assert entry.title == "Mailbox full or busy"
    assert entry.detail == (
        "A message bounced, because the mailbox is full · Reply: 552 5.2.2 over quota"
    )
