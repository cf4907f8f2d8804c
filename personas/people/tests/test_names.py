"""The names of topics and channels: asked for once a day, and never in anybody's way."""

from datetime import timedelta

import pytest
from django.utils import timezone

from personas.models import AppApiHealth, AppApiPace, SubscriptionNames
from personas.people import lookups, names

pytestmark = pytest.mark.django_db

ROUTES = ("subscription_topics", "subscription_channels")


def known():
    return SubscriptionNames.known()


def age(**length):
    SubscriptionNames.objects.update(fetched_at=timezone.now() - timedelta(**length))


def test_names_are_kept_by_the_key_that_preferences_use(sandbox):
    names.refresh()

    assert known().topics["topic_1"] == {"name": "Product updates", "is_on_by_default": True}
    assert known().topics["topic_4"] == {"name": "Partner offers", "is_on_by_default": False}
    assert known().channels["sms"] == {"name": "Text messages", "is_on_by_default": True}
    assert known().defaults["topics"]["topic_4"] is False


def test_they_are_asked_for_once_a_day(sandbox):
    names.refresh()
    SubscriptionNames.objects.update(topics={})

    names.refresh()
    age(hours=23)
    names.refresh()
    assert known().topics == {}

    age(hours=25)
    names.refresh()
    assert known().topics


@pytest.mark.parametrize("status", ["404", "403"])
def test_workspace_without_them_is_asked_once_a_day_too(sandbox, status):
    sandbox.faults.add("subscription_topics", status, count=None)

    names.refresh()

    assert known().topics == {}
    assert "email" in known().channels
    assert known().fetched_at > timezone.now() - timedelta(minutes=1)


def test_names_that_were_known_stay_where_the_key_may_no_longer_read_them(sandbox):
    names.refresh()
    age(days=2)
    for route in ROUTES:
        sandbox.faults.add(route, "403", count=None)

    names.refresh()

    assert known().topics["topic_1"]["name"] == "Product updates"


@pytest.mark.parametrize("fault", ["500", "drop", "html", "truncated"])
def test_failure_is_tried_again_in_ten_minutes_and_holds_back_no_look_up(sandbox, fault):
    sandbox.faults.add("subscription_channels", fault)

    names.refresh()
    assert known().topics == {}
    assert not AppApiHealth.is_closed()
    names.refresh()
    assert known().topics == {}  # not yet

    age(days=1, minutes=1)
    names.refresh()
    assert known().topics


def test_nobody_is_asked_while_the_app_api_fails(sandbox):
    AppApiHealth.current().failed("it fails", timedelta(minutes=1))

    names.refresh()

    assert known().fetched_at is None


def test_nobody_is_asked_without_a_key(sandbox, settings):
    settings.CIO_APP_KEY = ""

    names.refresh()

    assert known().fetched_at is None


def test_nobody_is_asked_by_a_preview(sandbox):
    with lookups.known_profiles_only():
        names.refresh()

    assert known().fetched_at is None


def test_they_wait_for_their_turn_and_not_long(sandbox):
    AppApiPace.hold_back(60)

    names.refresh()

    assert known().topics == {}


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ([], ""),
        (["email"], "E-mail"),
        (["sms"], "SMS"),
        (["in_app", "whatsapp"], "In-app and WhatsApp"),
        (["urban_airship", "line", "slack"], "Airship push, LINE and Slack"),
        (["inbox", "pager"], "Inbox and pager"),
    ],
)
def test_channels_are_named_in_our_words(channels, words):
    assert SubscriptionNames().words(channels=channels) == words


def test_channel_that_we_do_not_know_is_named_as_in_the_workspace():
    row = SubscriptionNames(channels={"fax": {"name": "Fax machine"}})

    assert row.words(channels=["fax"]) == "Fax machine"


def test_topic_without_a_name_is_named_by_its_key():
    row = SubscriptionNames(topics={"topic_1": {"name": "Tips"}, "topic_2": {"name": ""}})

    assert row.words(topics=["topic_1", "topic_2", "topic_3"]) == "Tips, topic_2, topic_3"


def test_row_says_what_it_holds():
    assert str(SubscriptionNames(topics={"topic_1": {}})) == "1 topics, 0 channels"
