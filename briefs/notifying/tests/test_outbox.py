"""The outbox over real HTTP and SMTP: tries until sent or given up, digests, and no secret told."""

import logging
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief, Notification, NotificationTarget, Priority
from briefs.notifying import addresses, outbox, sending
from briefs.notifying.tests.listener import (
    SECRET_PASSWORD,
    SECRET_PATH,
    Listener,
    MailListener,
    make_notification,
    make_target,
    may_be_this_machine,
)
from briefs.tests.factories import make_brief
from operations import tasks
from webhooks import waking
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def listener(monkeypatch):
    may_be_this_machine(monkeypatch)
    with Listener() as running:
        yield running


@pytest.fixture
def target(listener):
    return make_target(listener.address)


def tell(target, count, priority=Priority.URGENT):
    for _ in range(count):
        brief = make_brief(priority=priority)
        make_notification(target, kind="brief", brief=brief, subject=f"Brief {brief.pk}")


@pytest.fixture
def nobody_listens():
    """An address at a port that nobody else gets."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"json://127.0.0.1:{taken.getsockname()[1]}{SECRET_PATH}"


def wait_until(holds, seconds=60.0):
    stop_at = time.monotonic() + seconds
    while not holds() and time.monotonic() < stop_at:
        time.sleep(0.01)
    assert holds()


def age(**moments):
    """Move every notification's times into the past."""
    past = {field: timezone.now() - by for field, by in moments.items()}
    Notification.objects.exclude(started_at=None).update(**past)


# One message


def test_due_notification_is_posted_and_sent(listener, target):
    notification = make_notification(target, subject="Urgent", body="Call them.")

    tasks.notify()

    notification.refresh_from_db()
    assert notification.status == "sent"
    assert [(p["title"], p["message"]) for p in listener.posts] == [("Urgent", "Call them.")]
    assert listener.paths == [SECRET_PATH]


@pytest.mark.parametrize("status", [404, 429, 500, 302])
def test_refused_notification_is_tried_again_later(listener, target, status):
    listener.status = status
    listener.headers = {"Location": listener.address.replace("json", "http")}
    notification = make_notification(target)

    outbox.send_due()
    outbox.send_due()

    notification.refresh_from_db()
    assert notification.status == "pending"
    assert str(status) in notification.status_reason
    assert len(listener.posts) == 1  # not before its time, and no redirect is followed


def test_refused_connection_is_tried_again_later(listener, nobody_listens):
    notification = make_notification(make_target(nobody_listens))

    outbox.send_due()

    notification.refresh_from_db()
    assert notification.status == "pending"
    assert "Connection refused" in notification.status_reason


def test_notification_is_dead_after_six_tries(listener, target):
    listener.status = 500
    notification = make_notification(target)

    for _ in range(8):
        Notification.objects.update(available_at=None)
        outbox.send_due()

    notification.refresh_from_db()
    assert notification.status == "failed"
    assert len(listener.posts) == 6


def test_message_without_an_answer_is_tried_again_although_it_may_have_arrived(
    listener, target, monkeypatch
):
    listener.may_answer.clear()  # a delay may be over before a busy machine looks
    notification = make_notification(target)

    with monkeypatch.context() as patch:
        patch.setattr(addresses, "READ_SECONDS", 0.1)
        outbox.send_due()
    wait_until(lambda: listener.posts)
    listener.may_answer.set()
    Notification.objects.update(available_at=None)
    outbox.send_due()

    notification.refresh_from_db()
    assert (notification.status, notification.tries) == ("sent", 2)
    assert len(listener.posts) == 2


def test_answer_that_drips_is_given_up_when_the_time_is_over(listener):
    listener.is_dripping = True
    began = time.monotonic()

    with pytest.raises(sending.NotDelivered, match=r"no answer within 0\.5 s"):
        sending.deliver(listener.address, "Subject", "Body", seconds=0.5)

    assert time.monotonic() - began < 50  # the answer takes a minute


def test_message_that_is_still_being_sent_is_not_sent_a_second_time_beside_it(listener):
    listener.may_answer.clear()
    message = (listener.address, "Subject", "Body")
    first = threading.Thread(target=sending.deliver, args=message)
    first.start()
    wait_until(lambda: listener.posts)

    with pytest.raises(sending.NotDelivered, match="has not ended yet"):
        sending.deliver(*message)

    listener.may_answer.set()
    first.join()
    wait_until(lambda: message not in sending._running)
    sending.deliver(*message)
    assert len(listener.posts) == 2


def test_message_that_is_given_up_before_its_sending_began_is_never_sent(listener, monkeypatch):
    is_over = threading.Event()

    def slow(host):
        is_over.wait(60)
        return []

    monkeypatch.setattr(addresses, "resolve", slow)
    message = (listener.address, "Subject", "Body")

    with pytest.raises(sending.NotDelivered):
        sending.deliver(*message, seconds=0.1)
    is_over.set()

    wait_until(lambda: message not in sending._running)
    assert listener.posts == []


def test_forbidden_host_is_refused_again_when_sending(monkeypatch):
    notification = make_notification(make_target("json://metadata.example.com/"))
    found = [addresses.ipaddress.ip_address("169.254.169.254")]
    monkeypatch.setattr(addresses, "resolve", lambda host: found)

    outbox.send_due()

    notification.refresh_from_db()
    assert "link-local or metadata" in notification.status_reason


def test_address_sealed_under_another_key_says_so(listener, target, settings):
    notification = make_notification(target)
    settings.SECRET_KEY = "another key"

    outbox.send_due()

    notification.refresh_from_db()
    assert "SECRET_KEY has changed" in notification.status_reason
    assert listener.posts == []


def test_old_key_among_the_fallbacks_still_opens_an_address(listener, target, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    make_notification(target)

    outbox.send_due()

    assert len(listener.posts) == 1


def test_address_sealed_by_a_former_key_is_sealed_anew_when_it_is_used(target, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    make_notification(target)

    outbox.send_due()
    settings.SECRET_KEY_FALLBACKS = []

    target.refresh_from_db()
    assert target.address.endswith(SECRET_PATH)


def test_address_sealed_by_the_present_key_is_not_written_again(target):
    before = target.sealed_address
    make_notification(target)

    outbox.send_due()

    target.refresh_from_db()
    assert target.sealed_address == before


def test_address_that_was_entered_meanwhile_is_not_overwritten(target, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    stale = NotificationTarget.objects.get(pk=target.pk)
    target.address = "json://desk.example.com/new"
    target.save()

    assert not stale.seal_anew()

    target.refresh_from_db()
    assert target.address == "json://desk.example.com/new"


@pytest.mark.parametrize("status", [200, 500])
def test_no_log_and_no_reason_holds_the_address(
    listener, nobody_listens, target, caplog, capfd, status
):
    caplog.set_level(logging.DEBUG)
    listener.status = status
    gone = make_notification(make_target(nobody_listens))
    notification = make_notification(target)

    outbox.send_due()

    gone.refresh_from_db()
    notification.refresh_from_db()
    out, err = capfd.readouterr()
    told = gone.status_reason + notification.status_reason + caplog.text + out + err
    assert len(listener.posts) == 1
    assert "secret-token" not in told
    assert "127.0.0.1" not in told


def test_reason_quotes_no_customer(listener, target):
    listener.status = 500
    notification = make_notification(target, subject="Urgent", body="Customer: Ada")

    outbox.send_due()

    notification.refresh_from_db()
    assert "error=500" in notification.status_reason
    assert "Ada" not in notification.status_reason


def test_plugin_that_fails_is_tried_again_with_its_words(target, monkeypatch):
    def fail(address):
        raise ValueError(f"bad\x00 {address}")

    monkeypatch.setattr(addresses, "open_service", fail)
    notification = make_notification(target)

    outbox.send_due()

    notification.refresh_from_db()
    assert notification.status == "pending"
    assert notification.status_reason.startswith("try 1: ValueError: bad ")
    assert "secret" not in notification.status_reason


# Mail


@pytest.fixture
def mail(monkeypatch):
    may_be_this_machine(monkeypatch)
    with MailListener() as running:
        yield running


def test_due_notification_is_mailed_and_sent(mail):
    notification = make_notification(make_target(mail.address), subject="Urgent")

    outbox.send_due()

    notification.refresh_from_db()
    assert notification.status == "sent"
    assert "Subject: Urgent" in mail.mails[0]


@pytest.mark.parametrize(
    ("command", "answer", "said"),
    [
        ("AUTH", f"535-5.7.8 no\r\n535 {SECRET_PASSWORD} is wrong", "535, b'5.7.8 no … is wrong"),
        ("RCPT", "550 no such user team@example.com", "550, b'no such user …"),
        ("DATA", "451 later", "451, b'later'"),
    ],
)
def test_refused_mail_is_tried_again_with_what_the_server_said(mail, caplog, command, answer, said):
    mail.answers[command] = answer
    notification = make_notification(make_target(mail.address))

    outbox.send_due()

    notification.refresh_from_db()
    assert (notification.status, mail.mails) == ("pending", [])
    assert said in notification.status_reason
    assert SECRET_PASSWORD not in notification.status_reason + caplog.text


# What the library says


@pytest.mark.parametrize(
    "address",
    [
        "json://user:Pa@1!@h.example.com/x",
        "json://user:Pa%401%21@h.example.com/x",
        "json://user:Pa%401!@h.example.com:8080/x?-key=v",
        "json://h.example.com/Pa@1!",
        "json://h.example.com/x?+Authorization=Pa%401%21&method=POST",
        "mailto://h.example.com?to=a@x.org,Pa@1!",
    ],
)
@pytest.mark.parametrize(
    "secret", ["Pa@1!", "pa@1!", "Pa%401%21", "'Pa@1!'", "at\\r\\nPa@1!\\r\\n"]
)
def test_no_part_of_the_address_is_in_what_the_library_said(address, secret):
    said = sending.hide_address(address, f"Refused {secret} by h.example.com or a@x.org")

    assert said.startswith(("Refused …", "Refused '…'", "Refused at …"))
    assert "1" not in said


@pytest.mark.parametrize(
    ("address", "text", "said"),
    [
        ("tgram://123456789:abcdefg_hijk/7", "url: /bot123456789:abcdefg_hijk/x", "url: /bot…/x"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIia", "url: /T1JJ3T3L2/A1BRTD4JD/TIia", "url: /…/…/…"),
        (
            "json://mail.example.com/hook",
            "email to mail.example.com: webhook",
            "email to …: webhook",
        ),
        ("json://a/", "a connection error", "a connection error"),
        ("json://a/", "two\nlines\x00", "two lines"),
        ("json://a/", "x" * 2000, "x" * sending.LONGEST_REASON),
    ],
)
def test_words_of_the_library_are_kept_without_the_address(address, text, said):
    assert sending.hide_address(address, text) == said


# One sender at a time


def test_many_senders_at_once_send_each_message_once(threaded_db, listener):
    listener.delay = 0.05
    target = make_target(listener.address)
    for _ in range(6):
        make_notification(target)

    at_once(4, lambda number: outbox.send_due())

    assert sorted(listener.subjects) == sorted(set(listener.subjects))
    assert len(listener.posts) == 6


def test_two_claims_at_the_same_moment_get_one_row(threaded_db):
    make_notification()

    claims = at_once(4, lambda number: outbox.claim_next())

    assert sum(claim is not None for claim in claims) == 1


def test_message_whose_sender_died_is_sent_again_later(listener, target):
    notification = make_notification(target)
    token = outbox.claim_next().lease_token
    age(lease_until=timedelta(seconds=1))

    outbox.send_due()

    notification.refresh_from_db()
    assert (notification.status, listener.posts) == ("pending", [])
    assert "its sender ended before the outcome was known" in notification.status_reason
    assert not notification.sent(token)  # the sender was only frozen and goes on

    Notification.objects.update(available_at=None)
    outbox.send_due()
    notification.refresh_from_db()
    assert (notification.status, len(listener.posts)) == ("sent", 1)


def test_message_whose_senders_all_die_is_given_up(listener, target):
    notification = make_notification(target)

    for _ in range(16):  # claimed and put back in turn
        Notification.objects.update(available_at=None)
        outbox.claim_next()
        age(lease_until=timedelta(seconds=1))

    notification.refresh_from_db()
    assert (notification.status, notification.tries) == ("failed", 6)
    assert listener.posts == []


def test_nobody_else_sends_while_one_does(listener, target):
    make_notification(target)
    make_notification(target)
    outbox.claim_next()

    assert outbox.send_due() == 0
    assert listener.posts == []


# Many


def test_few_briefs_are_told_one_by_one_the_most_urgent_first(listener, target):
    tell(target, 2, Priority.HIGH)
    tell(target, 3, Priority.URGENT)

    outbox.send_due()

    told = Notification.objects.filter(status="sent").order_by("started_at", "pk")
    assert [row.brief.priority for row in told] == [4, 4, 4, 3, 3]


def test_too_many_briefs_for_single_messages_are_one_digest(listener, target):
    tell(target, 4, Priority.URGENT)
    tell(target, 19, Priority.HIGH)

    outbox.send_due()

    assert listener.subjects == ["23 new briefs in the last minutes: 4 urgent, 19 high"]
    digest = Notification.objects.get(kind="digest")
    assert digest.status == "sent"
    assert digest.parts.filter(status="cancelled", status_reason="told in a digest").count() == 23


def test_briefs_after_a_full_minute_wait_for_the_next(listener, target):
    tell(target, 5)
    outbox.send_due()
    tell(target, 2)

    outbox.send_due()
    assert len(listener.posts) == 5

    age(started_at=timedelta(minutes=2))
    outbox.send_due()
    assert len(listener.posts) == 7


def test_alarm_is_not_delayed_by_many_briefs(listener, target):
    tell(target, 6)
    outbox.send_due()
    tell(target, 6)
    make_notification(target, kind="alarm", subject="Alarm")

    outbox.send_due()

    assert listener.subjects[1:] == ["Alarm"]


def test_digest_that_was_refused_is_tried_again_as_it_is(listener, target):
    listener.status = 500
    tell(target, 6)
    outbox.send_due()
    listener.status = 200
    Notification.objects.filter(status="pending").update(available_at=None)

    outbox.send_due()

    assert len(listener.posts) == 2
    assert len(set(listener.subjects)) == 1


def test_target_that_fails_delays_no_other(listener, nobody_listens, target):
    make_notification(make_target(nobody_listens))
    make_notification(target)

    assert outbox.send_due() == 2
    assert len(listener.posts) == 1


# Not needed any more


def test_brief_that_was_closed_meanwhile_is_not_told(listener, target):
    tell(target, 1)
    Brief.objects.get().close("retained")

    outbox.send_due()

    notification = Notification.objects.get()
    assert (notification.status, listener.posts) == ("cancelled", [])


def test_target_that_was_switched_off_is_told_nothing_but_a_test(listener):
    off = make_target(listener.address, is_active=False)
    make_notification(off)
    make_notification(off, kind="test", subject="Test")

    outbox.send_due()

    assert listener.subjects == ["Test"]


# Waking


def test_sender_that_runs_out_of_time_wakes_the_next(listener, target, monkeypatch):
    woken = []
    monkeypatch.setattr(outbox, "RUN_SECONDS", 0.0)
    monkeypatch.setattr(waking, "async_task", lambda task, **kw: woken.append(task))
    make_notification(target)

    outbox.send_due()

    assert woken == ["briefs.tasks.notify"]


def test_waking_a_sender_survives_a_dead_broker(monkeypatch, caplog):
    def refuse(*_, **__):
        raise ConnectionError("redis://user:password@host")

    monkeypatch.setattr(waking, "async_task", refuse)

    outbox.wake()

    assert "briefs.tasks.notify not put into the queue" in caplog.text
    assert "password" not in caplog.text
