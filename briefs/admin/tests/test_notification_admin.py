"""The admin pages of notifications: addresses are never shown again, and a test can be sent."""

import logging

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from briefs.admin import notifications as pages
from briefs.models import Alarm, Notification, NotificationTarget
from briefs.notifying import addresses, outbox
from briefs.notifying.tests.listener import (
    Listener,
    make_notification,
    make_target,
    may_be_this_machine,
)
from briefs.tests.factories import make_brief

pytestmark = pytest.mark.django_db

TARGETS = "/admin/briefs/notificationtarget/"
SECRET = "a-very-secret-part"
ADDRESS = f"jsons://user:{SECRET}@desk.example.com/hook"


@pytest.fixture(autouse=True)
def _public_names(monkeypatch):
    """Host names resolve to a public address, IP addresses to themselves."""
    real = addresses.socket.getaddrinfo

    def found(host, *args, **kw):
        return real(host if host[0].isdigit() or ":" in host else "203.0.113.7", *args, **kw)

    monkeypatch.setattr(addresses.socket, "getaddrinfo", found)


def page(target):
    return f"{TARGETS}{target.pk}/change/"


def save(client, url=f"{TARGETS}add/", **kw):
    data = {"name": "#retention", "minimum_priority": 4, "is_active": "on", "address": ADDRESS}
    return client.post(url, {**data, **kw}, follow=True)


def refusal(client, address):
    response = save(client, address=address)
    assert not NotificationTarget.objects.exists()
    return " ".join(response.context["adminform"].form.errors["address"])


def every_cell():
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            yield from (str(cell) for row in cursor.fetchall() for cell in row)


# The address


def test_address_is_saved_and_readable_only_with_the_key(admin_client):
    save(admin_client)

    target = NotificationTarget.objects.get()
    assert target.address == ADDRESS
    assert target.masked_address == "jsons://…"


def test_address_is_in_no_row_unencrypted(admin_client):
    save(admin_client)
    target = NotificationTarget.objects.get()
    save(admin_client, page(target), address=f"{ADDRESS}/changed", gets_alarms="on")

    assert target.history.count() == 2
    assert not [cell for cell in every_cell() if SECRET in cell]


def test_address_is_on_no_page_and_in_no_log(admin_client, caplog):
    caplog.set_level(logging.DEBUG)
    made = save(admin_client)
    target = NotificationTarget.objects.get()
    urls = [TARGETS, page(target), f"{TARGETS}{target.pk}/history/",
            f"{TARGETS}{target.pk}/history/{target.history.get().pk}/"]  # fmt: skip

    pages = [admin_client.get(url) for url in urls]

    shown = "".join(response.content.decode() for response in pages)
    assert {response.status_code for response in pages} == {200}
    assert "jsons://…" in shown
    assert SECRET not in made.content.decode() + shown + caplog.text


def test_empty_address_keeps_the_stored_one(admin_client):
    target = make_target(ADDRESS)

    save(admin_client, page(target), name="renamed", address="")

    target.refresh_from_db()
    assert (target.name, target.address) == ("renamed", ADDRESS)


def test_new_target_needs_an_address(admin_client):
    assert refusal(admin_client, "") == "Enter the address to send to."


def test_address_that_the_key_does_not_open_says_so_and_can_be_entered_anew(admin_client, settings):
    target = make_target(ADDRESS)
    key = settings.SECRET_KEY
    NotificationTarget.objects.update(sealed_address=sealed_under("another key", settings))
    settings.SECRET_KEY = key

    assert "SECRET_KEY has changed" in admin_client.get(page(target)).content.decode()
    save(admin_client, page(target))
    target.refresh_from_db()
    assert target.address == ADDRESS


def sealed_under(key, settings):
    settings.SECRET_KEY = key
    return make_target(ADDRESS, name="sealed elsewhere").sealed_address


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("file:///etc/passwd", "must begin with one of"),
        ("syslog://localhost", "must begin with one of"),
        ("dbus://", "must begin with one of"),
        ("no address at all", "must begin with one of"),
        ("http://desk.example.com/hook", "http:// is not allowed"),
        ("https://hooks.slack.com/services/T1/B2/x", "write slack://"),
        ("slack://only-one-part", "is a part missing"),
        ("json://", "is a part missing"),
        ("json://169.254.169.254/latest/meta-data/", "link-local or metadata"),
        ("mmosts://169.254.169.254/token", "link-local or metadata"),
        ("mmosts://127.0.0.1:8995/token", "this machine"),
        ("mailto://u:p@x.org:6379?smtp=127.0.0.1&to=a@x.org", "port 25, 465 or 587"),
        ("jsons://user@169.254.169.254/", "link-local or metadata"),
        ("json://2852039166/", "link-local or metadata"),
        ("json://[fd00:ec2::254]/", "link-local or metadata"),
        ("json://[::ffff:169.254.169.254]/", "link-local or metadata"),
        ("json://127.0.0.1:8000/", "this machine itself"),
        ("json://[::1]/", "this machine itself"),
        ("json://0.0.0.0/", "no address of a single machine"),
        ("workflows://127.0.0.1:443/abcdefgh/signature/", "this machine itself"),
        ("mailto://u:p@x.org?smtp=169.254.169.254&to=a@x.org", "link-local or metadata"),
        ("mailto://u:p@x.org?pgp=yes&pgppub=/etc/passwd", "parameter that is not allowed"),
        ("json://h.example/?optional=yes", "parameter that is not allowed"),
        ("json://h.example/#?redirect=yes", "parameter that is not allowed"),
        ("jsons://h.example/?verify=no", "parameter that is not allowed"),
    ],
)
def test_forbidden_address_is_refused_in_words(admin_client, address, words):
    assert words in refusal(admin_client, address)


@pytest.mark.parametrize(
    "address",
    [
        "json://10.0.0.5:8080/hook?method=PUT&+X-Team=retention",
        "mailto://localhost?from=desk@x.org&to=a@x.org",
        "mailtos://u:p@x.org?smtp=mail.x.org&to=a@x.org",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "tgram://123456789:abcdefg_hijklmnop/12315544",
        "workflows://prod-0.westus.logic.azure.com:443/643e69f83c8944/SENvKtiXWgUeYBmEyYjJdtlM8S/",
    ],
)
def test_address_of_a_listed_service_is_allowed(admin_client, address):
    save(admin_client, address=address)

    assert NotificationTarget.objects.get().address == address


def test_host_that_cannot_be_found_now_does_not_stop_the_saving(admin_client, monkeypatch):
    def unknown(*_, **__):
        raise addresses.socket.gaierror

    monkeypatch.setattr(addresses.socket, "getaddrinfo", unknown)

    save(admin_client)

    assert NotificationTarget.objects.exists()


# The test


@pytest.fixture
def listener(monkeypatch):
    """An endpoint, and a worker that sends at once when it is woken."""
    may_be_this_machine(monkeypatch)
    monkeypatch.setattr(outbox, "wake", outbox.send_due)
    with Listener() as running:
        yield running


def test_test_is_sent_and_its_success_is_reported(admin_client, listener):
    target = make_target(listener.address)

    response = admin_client.post(f"{TARGETS}{target.pk}/test/", follow=True)

    assert listener.subjects == ["Test of Savedesk"]
    assert "The test was sent." in response.content.decode()


def test_failed_test_says_why_and_not_where(admin_client, listener):
    listener.status = 404
    target = make_target(listener.address)

    html = admin_client.post(f"{TARGETS}{target.pk}/test/", follow=True).content.decode()

    assert "The test failed: Failed to send JSON" in html
    assert "error=404" in html
    assert "secret-token" not in html
    assert "127.0.0.1" not in html


def test_test_without_a_worker_says_that_it_waits(admin_client, monkeypatch):
    monkeypatch.setattr(pages, "WAIT_SECONDS", 0.0)

    response = admin_client.post(f"{TARGETS}{make_target().pk}/test/", follow=True)

    assert "The test waits for a worker." in response.content.decode()


def test_test_needs_post_and_the_right_to_change(client, user):
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_notificationtarget"))
    client.force_login(user)
    url = f"{TARGETS}{make_target().pk}/test/"

    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 403
    assert not Notification.objects.exists()


# Pages


def test_every_page_opens_and_obeys_the_content_security_policy(admin_client):
    notification = make_notification(brief=make_brief(), status="sent")
    alarm = Alarm.objects.create(kind="paused", words="Research is paused.")
    urls = [reverse("admin:briefs_notification_changelist"), TARGETS, f"{TARGETS}add/",
            page(notification.target), reverse("admin:briefs_alarm_changelist"),
            reverse("admin:briefs_notification_change", args=[notification.pk]),
            reverse("admin:briefs_alarm_change", args=[alarm.pk])]  # fmt: skip

    for url in urls:
        response = admin_client.get(url)
        html = response.content.decode()
        assert response.status_code == 200
        assert " style=" not in html
        assert "onclick=" not in html


def test_list_of_notifications_needs_no_query_per_row(admin_client, django_assert_num_queries):
    for _ in range(20):
        make_notification()

    with django_assert_num_queries(7):
        response = admin_client.get(reverse("admin:briefs_notification_changelist"))

    assert response.context["cl"].result_count == 20


@pytest.mark.parametrize("model", ["notification", "alarm"])
def test_nobody_adds_what_only_events_can_cause(admin_client, model):
    assert admin_client.get(reverse(f"admin:briefs_{model}_add")).status_code == 403
