"""A day at the desk, in two browsers at once: what a person does, and what the lead does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief, NotificationTarget
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload, make_reason
from briefs.triage import forgetting
from conftest import make_user
from webhooks.tests.clock import clock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.on_sqlite,
    pytest.mark.begins_at("2026-11-23T10:00"),  # a Monday; the desk works from nine to five, UTC
]


@pytest.fixture
def sign_in(chromium, live_server, starter, sandbox):
    """Sign in by name, each in a browser of their own."""
    contexts = []

    def sign_in(name):
        contexts.append(chromium.new_context())
        page = contexts[-1].new_page()
        page.goto(f"{live_server.url}/login/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", "a-long-password")
        page.get_by_role("button", name="Sign in").click()
        page.locator("#list").wait_for()
        return page

    yield sign_in
    for context in contexts:
        context.close()


def signal(number=1, metric="unsubscribed", object_type="customer", **message):
    moment = int((timezone.now() - timedelta(minutes=1)).timestamp())
    data = {"identifiers": {"id": f"enterprise-logistics-low-{number}"}, **message}
    make_event(make_payload(data=data, timestamp=moment, metric=metric, object_type=object_type))
    draining.drain()


def says(page, words):
    page.get_by_text(words).first.wait_for()


def does(page, fold, form, **entered):
    """Unfold an act, enter what it asks for, and send it."""
    page.locator(f"summary:text-is('{fold}')").click()
    enter(page, form, **entered)


def enter(page, form, **entered):
    for name, value in entered.items():
        field = page.locator(f"#{form} [name={name}]")
        if field.first.get_attribute("type") == "radio":
            page.check(f"#{form} [name={name}][value={value}]")
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(str(value))
        else:
            field.fill(str(value))
    page.locator(f"#{form} [type=submit]").first.click()


def looks_at(page, tab):
    page.locator(".brand").click()
    page.locator(".tabs a", has_text=tab).click()
    page.locator(f".tabs [aria-current]:has-text('{tab}')").wait_for()


def opens(page, tab):
    """The first brief of this tab."""
    looks_at(page, tab)
    page.locator(".row-link").first.click()
    page.locator(".triage").wait_for()


def test_a_person_works_a_brief_with_a_colleague(sign_in, user, lead):
    signal()
    reason = make_reason("The price")
    robin, lee = sign_in("robin"), sign_in("lee")

    opens(robin, "Open")
    does(robin, "Log contact", "contact-form",
         channel="phone", is_reached="no", next_date="2026-11-26")  # fmt: skip
    says(robin, "The contact is logged.")
    does(robin, "Comment", "comment-form", text="@lee, they are away until Thursday.")
    says(robin, "Your comment is there.")
    does(robin, "Assign to a colleague", "assign-form", to=lead.pk)
    says(robin, "The brief is lee's.")

    opens(lee, "Mine")
    says(lee, "Phone · no answer · next on 26 Nov")
    does(lee, "Snooze", "snooze-form", until="signal", why_moved="they are away")
    says(lee, "It wakes at once if they signal again.")
    signal(metric="spammed", object_type="email")
    lee.reload()
    says(lee, "woke up: Spam complaint")

    robin.reload()
    does(robin, "Close this brief", "close-form",
         outcome="retained", reason=reason.pk, offer="discount", offer_percent=20)  # fmt: skip
    says(robin, "Closed: Retained")
    robin.get_by_text("look at it or reopen it").click()
    does(robin, "Correct how it ended", "correct-form", outcome="churned")
    says(robin, "Corrected: it ended as Churned.")
    brief = Brief.objects.get()
    assert (brief.outcome, brief.offer_percent, brief.assignee) == ("churned", 20, lead)


def test_a_person_takes_back_what_was_done_to_many_but_not_what_a_colleague_did(
    sign_in, user, lead
):
    signal(1)
    signal(2)
    robin, lee = sign_in("robin"), sign_in("lee")

    robin.select_option("#bulk-which", "page")
    robin.select_option("#bulk-kind", "snooze")
    robin.click(".bulk-bar button")
    says(robin, "2 briefs will change.")
    enter(robin, "bulk-form", until="tomorrow")
    says(robin, "2 briefs are snoozed.")

    opens(lee, "Snoozed")
    lee.get_by_role("button", name="Wake it up").click()
    says(lee, "The brief is awake.")
    robin.get_by_role("button", name="Undo").click()

    says(robin, "1 brief is as before.")
    says(robin, "1 not undone: changed since")


def test_the_lead_sees_what_was_left_lying(sign_in, user, lead, django_user_model):
    kim = make_user(django_user_model, "kim", "Agent")
    signal()
    Brief.objects.get().assign(kim, kim)
    clock.set("2026-11-25T12:00")
    robin, lee = sign_in("robin"), sign_in("lee")

    looks_at(lee, "Overdue")
    lee.locator("summary:text-is('Save as a view')").click()
    lee.fill("#view-name", "What is late")
    lee.check(".views [name=is_team]")
    lee.get_by_role("button", name="Save the view").click()
    lee.locator(".view-links [aria-current]:has-text('What is late')").wait_for()
    robin.reload()
    robin.locator(".view-links a", has_text="What is late").click()
    robin.locator(".brief-row .overdue").wait_for()

    lee.locator(".top-nav a", has_text="Team").click()
    lee.locator("main a", has_text="kim").first.click()
    lee.locator("summary", has_text="Deactivate kim").click()
    lee.get_by_role("button", name="Yes, deactivate this account").click()
    says(lee, "1 brief is unassigned again")

    opens(robin, "Unassigned")
    says(robin, "made it unassigned: kim left the team")


def test_the_lead_gets_the_days_list(sign_in, lead):
    target = NotificationTarget(name="Lee", gets_forgotten=True, minimum_priority=None)
    target.address = "json://127.0.0.1:9/lee"
    target.save()
    signal()
    clock.set("2026-11-25T12:00")
    forgetting.sweep()
    clock.set("2026-11-26T10:00")
    forgetting.sweep()
    lee = sign_in("lee")

    lee.goto(f"{lee.url}admin/briefs/notification/")

    says(lee, "1 brief was forgotten")


def test_the_lead_works_an_incident_and_closes_its_briefs_together(sign_in, lead):
    reason = make_reason("The newsletter")
    for number in range(22):
        signal(number, metric="unsubscribed", object_type="email", newsletter_id=5,
               newsletter_name="Spring sale")  # fmt: skip
    lee = sign_in("lee")
    says(lee, "Incident “Spring sale”: Unsubscribed, 22 people")

    lee.get_by_role("link", name="Open the incident").click()
    lee.get_by_role("button", name="Own this incident").click()
    says(lee, "The incident is yours.")
    lee.locator("summary:text-is('Note what was done')").click()
    lee.get_by_label("What was done").last.fill("Sent to the wrong list.")
    lee.get_by_role("button", name="Note", exact=True).click()
    says(lee, "noted: Sent to the wrong list.")

    lee.select_option("#incident-kind", "close")
    lee.get_by_role("button", name="Continue").click()
    says(lee, "Close: 22 briefs")
    enter(lee, "bulk-form", outcome="not_at_risk", reason=reason.pk)
    says(lee, "Done: 22 briefs")

    lee.goto(lee.url.split("/bulk/")[0] + "/incidents/")
    lee.get_by_role("link", name="Spring sale").click()
    says(lee, "0 of 22")
    lee.locator("summary:text-is('Close the incident')").click()
    lee.get_by_label("What was done").first.fill("The newsletter is stopped.")
    lee.get_by_role("button", name="Close the incident").click()
    says(lee, "The incident is closed. Its briefs are as they were.")
    assert not Brief.objects.open()
