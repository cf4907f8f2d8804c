"""Our mail is refused: one trouble with its number of customers, and never a brief each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Alarm, Brief
from briefs.pipeline.draining import drain
from briefs.tests.factories import make_customer, make_event, make_signal
from briefs.times import clock_and_day
from operations import alarms, troubles
from operations.doctor import Verdict, work
from operations.troubles import Kind
from operations.troubles.sending import MANY
from personas.starter import load_if_empty

pytestmark = pytest.mark.django_db

KINDS = (Kind.MAIL_REFUSED, Kind.SOME_MAIL_REFUSED)
BLOCKLISTED = "554 5.7.1 Client host [192.0.2.4] blocked using zen.spamhaus.org"
SPAM = "550 5.7.1 message looks like spam"


def bounce(reply=BLOCKLISTED, kind="blocked", effect="notice", hours=1, **kw):
    return make_signal(
        kind=kind,
        effect=effect,
        message={"failure_message": reply},
        happened_at=timezone.now() - timedelta(hours=hours),
        **kw,
    )


def found():
    return troubles.look(kinds=KINDS)


def test_refused_mail_says_how_many_why_and_what_to_do():
    for hours in (1, 3, 5):
        bounce(hours=hours)
    bounce(SPAM, hours=2)
    bounce("552 5.2.2 full", kind="mailbox_full", effect="timeline")

    (trouble,) = found()

    assert trouble.kind == Kind.SOME_MAIL_REFUSED
    assert trouble.level == "hint"
    assert timezone.now() - trouble.since >= timedelta(hours=5)
    assert f"4 customers since {clock_and_day(trouble.since)}, of 5 whose" in trouble.text
    assert (
        "Most often (3 of the latest 4 replies) they take no mail from our address or our server."
        in (trouble.text)
    )
    assert "blocklists" in trouble.cure


def test_many_bounces_of_one_customer_are_one_customer():
    customer = make_customer()
    for _ in range(MANY + 2):
        bounce(customer=customer)

    (trouble,) = found()

    assert "Our mail is refused: 1 customer since" in trouble.text
    assert trouble.level == "hint"


def test_mail_of_many_and_of_most_is_a_problem_that_rings_and_that_doctor_fails_for():
    for _ in range(MANY):
        bounce()
    for _ in range(MANY - 1):
        bounce("550 5.1.1 user unknown", kind="address_gone", effect="opens_brief")

    (trouble,) = found()
    alarms.check()

    assert (trouble.kind, trouble.level) == (Kind.MAIL_REFUSED, "problem")
    assert "Our mail is refused" in Alarm.objects.get(kind="mail_refused").words
    assert work.our_mail().level == Verdict.FAIL

    bounce("550 5.1.1 user unknown", kind="address_gone", effect="opens_brief")
    (trouble,) = found()
    assert trouble.kind == Kind.SOME_MAIL_REFUSED  # no longer most of those that bounced


def test_few_refusals_ring_nobody():
    for _ in range(MANY - 1):
        bounce()

    alarms.check()

    assert not Alarm.objects.filter(kind="mail_refused", opened_at__isnull=False).exists()
    assert work.our_mail().level == Verdict.WARN


@pytest.mark.parametrize(
    "other",
    [{"hours": 25}, {"effect": "timeline"}, {"effect": "opens_brief"}, {"kind": "mailbox_full"}],
)
def test_older_ones_and_what_a_rule_made_no_notice_of_are_not_told(other):
    bounce(**other)

    assert found() == []
    assert work.our_mail().level == Verdict.OK


def test_reply_that_names_no_cause_is_told_too():
    bounce("xyz")  # by a team's own rule

    (trouble,) = found()

    assert "The replies do not say why." in trouble.text
    assert trouble.cure == "Read the replies of these bounces."


def test_signal_from_the_future_is_told():
    bounce(hours=-1)

    (trouble,) = found()

    assert trouble.since <= timezone.now()


@pytest.mark.parametrize(
    ("reply", "cure"),
    [
        ("550 5.7.26 unauthenticated", "SPF, DKIM and DMARC"),
        (SPAM, "what is in these messages"),
        ("421 4.7.0 deferred due to user complaints", "Send more slowly"),
    ],
)
def test_each_cause_has_its_cure(reply, cure):
    bounce(reply)

    assert cure in found()[0].cure


def test_health_page_tells_it_and_links_staff_to_the_messages(signed_in, admin_client):
    bounce()

    page = signed_in.get("/webhook-health/").content.decode()
    for_staff = admin_client.get("/webhook-health/").content.decode()

    assert "Our mail is refused" in page
    assert "Refused messages" in for_staff
    assert "Refused messages" not in page


def test_bounces_that_are_our_fault_open_no_brief_but_the_notice():
    load_if_empty()
    for number in range(3):
        make_event(
            {
                "object_type": "email",
                "metric": "bounced",
                "timestamp": int(timezone.now().timestamp()),
                "data": {
                    "identifiers": {"id": f"c{number}"},
                    "recipient": f"c{number}@example.com",
                    "subject": "News",
                    "failure_message": "550 5.1.8 bad outbound sender",
                },
            }
        )

    drain()

    assert Brief.objects.count() == 0
    assert "Our mail is refused: 3 customers since" in found()[0].text
