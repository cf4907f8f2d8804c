from datetime import UTC, datetime, timedelta

import pytest

from briefs.models import Signal
from briefs.models.signals import ABOUT_CHANNELS
from briefs.reading.channels import closed_channels, in_words, routes
from personas.models import Customer, SignalKind, SubscriptionNames

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def customer(**kw):
    fields = {"email": "a@example.com", "fetched_at": NOW, "attributes": {"plan": "pro"}, **kw}
    return Customer(**fields)


def signal(kind, days_ago=1, channel="email"):
    message = {"channel": channel} if channel else {}
    return Signal(kind=kind, happened_at=NOW - timedelta(days=days_ago), message=message)


def answers(who, *signals):
    return {route.channel: route.answer for route in routes(who, signals)}


def reasons(who, *signals):
    return {route.channel: route.reason for route in routes(who, signals)}


def mail(who, *signals):
    found = answers(who, *signals)
    return found["E-mail, marketing"], found["E-mail, transactional"]


def test_nothing_against_it_means_yes():
    assert mail(customer()) == ("yes", "yes")


def test_unsubscribing_stops_marketing_only():
    assert mail(customer(is_unsubscribed=True)) == ("no", "yes")


def test_unsubscribing_counts_though_the_profile_does_not_say_so():
    assert mail(customer(is_unsubscribed=False), signal("unsubscribed")) == ("no", "yes")


def test_subscribing_again_undoes_it():
    later = signal("subscribed", days_ago=1)

    assert mail(customer(), later, signal("unsubscribed", days_ago=2)) == ("yes", "yes")


def test_subscribing_before_does_not_undo_it():
    earlier = signal("subscribed", days_ago=3)

    assert mail(customer(), earlier, signal("unsubscribed", days_ago=2)) == ("no", "yes")


@pytest.mark.parametrize("kind", ["spam_complaint", "address_gone", "dropped"])
def test_nothing_arrives_at_a_suppressed_or_dead_address(kind):
    assert mail(customer(), signal(kind)) == ("no", "no")


def test_a_complaint_says_why_even_transactional_mail_is_lost():
    reason = reasons(customer(), signal("spam_complaint"))["E-mail, transactional"]

    assert reason.startswith("a complaint suppresses the address (22 Nov 2026), until they ask")


@pytest.mark.parametrize("kind", ["bounced", "mailbox_full", "blocked"])
def test_a_bounce_makes_it_uncertain(kind):
    assert mail(customer(), signal(kind)) == ("unknown", "unknown")


def test_a_bounced_push_says_nothing_of_mail():
    assert mail(customer(), signal("bounced", channel="push")) == ("yes", "yes")


def test_without_a_profile_or_address_nobody_knows():
    found = answers(customer(email="", fetched_at=None, attributes={}))

    assert set(found.values()) == {"unknown"}


def test_a_profile_without_address_says_no():
    assert mail(customer(email="")) == ("no", "no")


def test_deleted_people_cannot_be_contacted():
    assert set(answers(customer(is_deleted=True)).values()) == {"no"}


def test_the_email_channel_turned_off():
    who = customer(preferences={"channels": {"email": False}})

    assert mail(who) == ("no", "unknown")


def test_all_topics_turned_off():
    who = customer(preferences={"topics": {"news": False, "tips": False}})

    assert mail(who) == ("no", "yes")


def test_opting_out_of_every_topic_stops_marketing_only():
    assert mail(customer(), signal("all_topics_off")) == ("no", "yes")


def test_topic_or_subscription_turned_on_later_undoes_it():
    for back in ("topic_opt_in", "subscribed"):
        assert mail(customer(), signal("all_topics_off", 2), signal(back, 1)) == ("yes", "yes")


def test_bounce_of_another_address_closes_nothing():
    elsewhere = signal("address_gone")
    elsewhere.message["recipient"] = "sales@ours.example"

    assert mail(customer(), elsewhere) == ("yes", "yes")


def test_new_address_is_not_closed_by_what_happened_to_the_old_one():
    old = signal("spam_complaint")
    old.message["recipient"] = "a@example.com"

    assert mail(customer(email="new@example.com"), old) == ("yes", "yes")
    assert mail(customer(email="A@Example.com"), old) == ("no", "no")


@pytest.mark.parametrize("kind", ["unsubscribed", "all_topics_off"])
def test_no_counts_whichever_address_the_message_went_to(kind):
    copy = signal(kind)
    copy.message["recipient"] = "old@example.com"

    assert mail(customer(), copy) == ("no", "yes")


def test_address_that_was_reached_again_is_open():
    assert mail(customer(), signal("address_gone", 2), signal("reached", 1)) == ("yes", "yes")
    assert mail(customer(), signal("address_gone", 1), signal("reached", 2)) == ("no", "no")


def test_mail_that_arrives_does_not_lift_a_complaint():
    assert mail(customer(), signal("spam_complaint", 2), signal("reached", 1)) == ("no", "no")


ALL_OPEN = {
    "devices": [{"id": "d"}],
    "attributes": {"phone": "+44 20"},
    "preferences": {"channels": {"sms": True, "whatsapp": True, "in_app": True}},
}


def test_unsubscribing_stops_everything_but_transactional_mail_and_in_app_messages():
    found = answers(customer(**ALL_OPEN, is_unsubscribed=True))

    assert {channel for channel, answer in found.items() if answer == "no"} == {
        "E-mail, marketing",
        "Push",
        "SMS",
        "WhatsApp",
    }


def channel_signal(kind, turned, days_ago=1):
    """A preference or a reply that turned these channels; reported by e-mail, as a link is."""
    told = signal(kind, days_ago)
    told.message["turned"] = turned
    return told


@pytest.mark.parametrize(
    ("key", "channel"), [("push", "Push"), ("sms", "SMS"), ("whatsapp", "WhatsApp")]
)
def test_no_by_channel_closes_that_channel_and_no_other(key, channel):
    for off in (signal("unsubscribed", 2, key), channel_signal("channel_opt_out", key, 2)):
        found = answers(customer(**ALL_OPEN), off)

        assert [name for name, answer in found.items() if answer == "no"] == [channel]


def test_channel_turned_on_again_is_open():
    off, on = (
        channel_signal("channel_opt_out", "sms, push", 2),
        channel_signal("channel_opt_in", "sms"),
    )
    found = answers(customer(**ALL_OPEN), off, on)

    assert (found["SMS"], found["Push"]) == ("yes", "no")


def test_subscribing_again_takes_back_an_unsubscribe_by_text_message_but_no_stop():
    back = signal("subscribed", 1)

    assert answers(customer(**ALL_OPEN), signal("unsubscribed", 2, "sms"), back)["SMS"] == "yes"
    stop = channel_signal("channel_opt_out", "sms", 2)
    assert answers(customer(**ALL_OPEN), stop, back)["SMS"] == "no"


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"push_enabled": "true", "_last_status": "sent"}, "yes"),
        ({"push_enabled": "True", "_last_status": ""}, "yes"),
        ({"push_enabled": "false"}, "no"),
        ({"_last_status": "bounced"}, "no"),
        ({"_last_status": "suppressed"}, "no"),
    ],
)
def test_device_says_whether_push_arrives(told, answer):
    who = customer(devices=[{"id": "d", "attributes": told}])

    assert answers(who)["Push"] == answer


def test_one_of_two_devices_is_enough():
    who = customer(devices=[{"id": "d"}, {"id": "e", "attributes": {"push_enabled": "false"}}])

    assert reasons(who)["Push"] == "1 of 2 devices"


def test_phone_identifier_is_a_number_too():
    assert answers(customer(phone="+15550100"))["SMS"] == "unknown"


def test_some_topics_off_are_named():
    who = customer(preferences={"topics": {"news": False, "tips": True}})

    assert reasons(who)["E-mail, marketing"] == "except news"


def workspace(**topics):
    named = {key: {"name": key.title(), "is_on_by_default": is_on} for key, is_on in topics.items()}
    return SubscriptionNames(topics=named)


def test_topics_off_are_called_by_their_names():
    who = customer(preferences={"topics": {"news": False, "tips": True}})
    found = {r.channel: r.reason for r in routes(who, [], workspace(news=True, tips=True))}

    assert found["E-mail, marketing"] == "except News"


@pytest.mark.parametrize(("is_on", "answer"), [(True, "yes"), (False, "no")])
def test_topic_that_they_never_chose_is_what_the_workspace_says(is_on, answer):
    who = customer(preferences={"topics": {"news": False}})
    found = {r.channel: r.answer for r in routes(who, [], workspace(news=True, tips=is_on))}

    assert found["E-mail, marketing"] == answer


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"devices": [{"id": "d"}]}, "yes"),
        ({"devices": []}, "no"),
        ({"devices": [], "fetched_at": None}, "unknown"),
        ({"devices": [{"id": "d"}], "preferences": {"channels": {"push": False}}}, "no"),
    ],
)
def test_push_needs_a_device(fields, answer):
    assert answers(customer(**fields))["Push"] == answer


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"attributes": {"phone": "+44 20"}}, "unknown"),
        ({"attributes": {"Phone": "+44 20"}, "preferences": {"channels": {"sms": True}}}, "yes"),
        ({"attributes": {"phone": "+44 20"}, "preferences": {"channels": {"sms": False}}}, "no"),
        ({"attributes": {"phone": " "}}, "no"),
        ({"attributes": {}, "fetched_at": None}, "unknown"),
    ],
)
def test_sms_needs_a_number_and_consent(fields, answer):
    assert answers(customer(**fields))["SMS"] == answer


@pytest.mark.parametrize(
    "name",
    ["phoneNumber", "Phone Number", "mobilePhone", "telephone", "telephone_number", "cell_phone",
     "cellphone", "tel", "_phone", "sms_phone", "Phone-No", "Mobile No.", "contact_phone",
     "work phone", "phone1", "msisdn"],
)  # fmt: skip
def test_a_number_is_found_under_all_these_names(name):
    assert answers(customer(attributes={name: "+44 20"}))["SMS"] == "unknown"


@pytest.mark.parametrize(
    "name", ["phone_verified", "phone_opt_in", "phone_model", "sms", "hotel", "headphones"]
)
def test_other_attributes_are_no_number(name):
    assert answers(customer(attributes={name: "1"}))["SMS"] == "no"


@pytest.mark.parametrize("value", [False, None, {}, [], "n/a", "unknown"])
def test_what_holds_no_digit_is_no_number(value):
    assert answers(customer(attributes={"phone": value}))["SMS"] == "no"


@pytest.mark.parametrize(
    ("channels", "answer"), [({}, "unknown"), ({"in_app": True}, "yes"), ({"in_app": False}, "no")]
)
def test_in_app_is_seen_only_in_the_product(channels, answer):
    who = customer(preferences={"channels": channels})

    assert answers(who)["In-app"] == answer


def closed_keys(who, *signals):
    return {channel.key: channel for channel in closed_channels(routes(who, signals))}


def test_nothing_is_closed_while_nothing_speaks_against_it():
    who = customer(attributes={"phone": "+44 20"}, devices=[{"id": "d"}])

    assert closed_keys(who) == {}


def test_unsubscribing_closes_email_for_advice_but_not_for_invoices():
    email = closed_keys(customer(is_unsubscribed=True))["email"]

    assert in_words([email]) == "marketing e-mail (unsubscribed)"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("address_gone", "the address is gone"),
        ("spam_complaint", "a complaint suppresses the address"),
    ],
)
def test_a_dead_address_closes_all_email(kind, reason):
    email = closed_keys(customer(), signal(kind))["email"]

    assert in_words([email]) == f"e-mail ({reason}, 22 Nov 2026)"


def test_a_bounce_or_a_single_topic_closes_nothing():
    who = customer(preferences={"topics": {"news": False, "tips": True}})

    assert "email" not in closed_keys(who, signal("bounced"))


@pytest.mark.parametrize("channel", ["push", "sms", "in_app"])
def test_a_channel_turned_off_is_closed_and_the_others_are_not(channel):
    who = customer(
        preferences={"channels": {channel: False}}, devices=[{"id": "d"}], attributes={"phone": "1"}
    )

    assert list(closed_keys(who)) == [channel]


def test_without_a_number_no_text_message_reaches_them():
    sms = closed_keys(customer())["sms"]

    assert in_words([sms]) == "SMS (the profile has no phone number)"


@pytest.mark.parametrize("kind", sorted(set(SignalKind) - set(ABOUT_CHANNELS)))
@pytest.mark.parametrize("before", [None, "unsubscribed", "all_topics_off", "spam_complaint"])
def test_kinds_that_are_not_read_from_the_database_would_change_nothing(kind, before):
    earlier = [signal(before, days_ago=2)] if before else []

    assert routes(customer(), [*earlier, signal(kind)]) == routes(customer(), earlier)
