"""The pages as a person meets them: in Chromium, on a desk and on a phone, by day and by night."""

import re
from datetime import timedelta
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from briefs.finding.tests.test_folds import make_folded
from briefs.finding.words import indexing
from briefs.models import (
    Brief,
    Cause,
    ContactLog,
    Holiday,
    LinkTemplate,
    MaveCall,
    NotificationTarget,
    QuestionTemplate,
    RecentSearch,
    SavedView,
    WorkingTime,
)
from briefs.tests.factories import (
    make_brief,
    make_cause,
    make_customer,
    make_persona,
    make_reason,
    make_research,
    make_signal,
    make_step,
    make_threshold,
)
from personas.models import AttributeName

pytestmark = [pytest.mark.browser, pytest.mark.on_sqlite]
LEDGER = "/admin/briefs/mavecall/"
TEMPLATES = "/admin/briefs/questiontemplate/"


def looks(*always):
    """Run a test in these looks, and in make test-all in the others as well."""
    every = [(size, scheme) for size in ("desk", "phone") for scheme in ("light", "dark")]
    marked = [pytest.param(*one, marks=[] if one in always else pytest.mark.long) for one in every]
    return pytest.mark.parametrize(("size", "scheme"), marked)


# Width and colours depend on each other nowhere. The admin is a place to work at a desk.
LOOKS = looks(("desk", "light"), ("phone", "dark"))
LOOKS_OF_ADMIN = looks(("desk", "light"))


@pytest.fixture
def editor(live_server, starter, user):
    user.is_staff = user.is_superuser = True
    user.save()
    return user


@pytest.fixture
def brief(live_server, starter):
    persona = make_persona(name="Enterprise, of the tests")
    research = make_research(
        persona=persona,
        status="done",
        finished_at=timezone.now(),
        answer="## First 24 hours\n\n1. Call the sponsor [1].\n2. Send an e-mail.\n\n"
        "## What to avoid\n\n- A second e-mail.",
        sources=[{"title": "A source", "url": "https://example.com/a", "domain": "example.com"}],
        credits=24,
    )
    attributes = {"name": "Ada Moreau", "plan": "enterprise", "mrr": "9100"}
    customer = make_customer(attributes=attributes, is_unsubscribed=True)
    brief = make_brief(customer=customer, persona=persona, research=research, basis="new",
                       value_amount=9100, value_month=9100, value_currency="USD",
                       value_period="month")  # fmt: skip
    make_signal(brief=brief)
    make_step(persona=persona)
    return brief


def assert_fit_for_everybody(page, *, besides=()):
    """Neither axe nor the console complains, and nothing is wider than the screen.

    `besides`: rules of axe that are not applied.
    """
    page.wait_for_load_state()  # a click returns while the next page is still empty
    assert not page.complaints, page.url
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    # By all rules; what passes is not listed.
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    found = [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations]
    assert not [one for one in found if one[0] not in besides], page.url
    page.complaints.clear()  # of axe's own inline styles


@LOOKS
def test_pages_are_accessible_fit_the_screen_and_obey_the_security_policy(
    open_page, brief, size, scheme
):
    page = open_page("/", size=size, scheme=scheme)
    assert_fit_for_everybody(page)
    for path in (brief.get_absolute_url(), "/insights/", "/webhook-health/", "/account/"):
        page.goto(urljoin(page.url, path))
        assert_fit_for_everybody(page)


@pytest.fixture
def returned(brief, user):
    """A brief of a customer whose last one was closed, and who may be written to and called."""
    SavedView.objects.create(owner=user, name="What bounced", query="kind=bounced", is_team=True)
    LinkTemplate.objects.create(label="Our CRM", url="https://crm.example/{email}")
    customer = make_customer(phone="+44 20 7946 0000", attributes={"name": "Ines Abbott"})
    last = make_brief(customer=customer, persona=brief.persona)
    ending = {"closing_reason": make_reason(name="Too dear"), "offer_id": "discount",
              "offer_percent": 10}  # fmt: skip
    last.close("retained", "A pause. " * 40, user, **ending)
    again = make_brief(
        customer=customer,
        persona=brief.persona,
        research=brief.research,
        basis="shared",
        returned_from=last,
    )
    make_signal(brief=again, kind="address_gone", message={"subject": "Hello", "channel": "email"})
    return again


@LOOKS
def test_tabs_views_closed_rows_and_a_returned_brief_are_accessible_and_fit(
    open_page, returned, size, scheme
):
    page = open_page("/?state=closed", size=size, scheme=scheme)
    page.get_by_text("Save as a view").click()
    assert_fit_for_everybody(page)
    closed = returned.customer.briefs.get(state="closed")
    for path in ("/?kind=bounced", returned.get_absolute_url(), closed.get_absolute_url()):
        page.goto(urljoin(page.url, path))
        for summary in page.locator("main details summary").all():
            summary.dispatch_event("click")  # even where another one's box lies over it
        assert_fit_for_everybody(page)


@pytest.fixture
def company(brief, user):
    """A company that two people leave, one of whom left it before and was won back."""
    fields = {"company": "Acme & Sons", "value_amount": 9100, "value_month": 9100,
              "value_currency": "USD", "value_period": "month",
              "value_level": "company"}  # fmt: skip
    for row in (brief.customer, brief):
        type(row)._default_manager.filter(pk=row.pk).update(**fields)
    chosen = {"topics": {"topic_4": False}, "channels": {"email": True, "sms": False}}
    customer = make_customer(
        attributes={"name": "Ines Abbott", "plan": "pro", "note": "A long one. " * 20},
        phone="+44 20 7946 0000", preferences=chosen, **fields,
    )  # fmt: skip
    customer.aliases.create(kind="email", value="ines@before.example")
    last = make_brief(customer=customer, persona=brief.persona, **fields)
    make_signal(brief=last, message={"subject": "Hello", "channel": "email"})
    ContactLog.objects.create(
        brief=last, actor=user, channel="phone", is_reached=True, note="They think about it."
    )
    last.log("commented: who knows them?", user)
    ending = {"closing_reason": make_reason(name="Too dear"), "offer_id": "discount",
              "offer_percent": 10}  # fmt: skip
    last.close("retained", "A pause. " * 40, user, **ending)
    again = make_brief(customer=customer, persona=brief.persona, kind="spam_complaint", **fields)
    make_signal(brief=again, kind="spam_complaint")
    return again


@LOOKS
def test_pages_of_company_and_customer_are_accessible_and_fit(
    open_page, company, editor, size, scheme
):
    page = open_page(company.get_absolute_url(), size=size, scheme=scheme)
    assert_fit_for_everybody(page)

    page.get_by_text("One more person of this company").click()
    expect(page.locator("h1")).to_have_text("Acme & Sons")
    assert_fit_for_everybody(page)
    page.get_by_role("link", name="Ines Abbott").first.click()
    expect(page.locator("h1")).to_have_text("Ines Abbott")
    assert_fit_for_everybody(page)
    for path in ("/companies/?name=Nobody", "/companies/", "/customers/999999/"):
        page.goto(urljoin(page.url, path))
        page.complaints.clear()  # the browser itself tells of each 404
        assert_fit_for_everybody(page)


@pytest.mark.parametrize(("size", "screens"), [("desk", 800), ("phone", 2 * 844)])
def test_research_begins_on_the_first_screen_of_a_desk_and_the_second_of_a_phone(
    open_page, brief, returned, size, screens
):
    page = open_page("/", size=size)

    for one in (brief, returned):
        page.goto(urljoin(page.url, one.get_absolute_url()))
        for words in ("#research-title", ".first-day", ".first-step"):
            assert page.locator(words).first.bounding_box()["y"] < screens, words


def test_address_is_copied_by_a_button_that_is_not_there_without_javascript(open_page, returned):
    path = returned.get_absolute_url()
    assert not open_page(path, javascript=False).get_by_role("button", name="Copy").count()
    page = open_page(path, permissions=["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy phone number").click()
    page.get_by_text("Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == "+44 20 7946 0000"


@pytest.mark.parametrize("javascript", [True, False])
def test_list_is_sorted_and_a_view_saved_and_the_way_back_leads_to_it(open_page, brief, javascript):
    make_brief(customer=make_customer(attributes={"name": "Zoe"}))
    page = open_page("/", javascript=javascript)

    page.get_by_role("link", name="Unassigned").click()
    page.get_by_role("link", name="Customer", exact=True).click()
    page.get_by_role("link", name="Customer", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("Zoe")
    page.get_by_text("Save as a view").click()
    page.fill("[name=name]", "By name")
    page.get_by_role("button", name="Save the view").click()
    page.get_by_role("link", name="Zoe", exact=True).click()
    page.get_by_role("link", name="Inbox: Unassigned").click()

    expect(page.locator(".view-links [aria-current]")).to_have_text("By name")
    expect(page.locator("[aria-sort]")).to_have_attribute("aria-sort", "descending")


@LOOKS_OF_ADMIN
def test_pages_of_the_questions_wording_are_accessible_and_fit_the_screen(
    open_page, editor, size, scheme
):
    own = QuestionTemplate.objects.write("Who are {segment}? {facts} {signal}", by=editor)
    page = open_page(TEMPLATES, size=size, scheme=scheme)
    assert_fit_for_everybody(page)

    page.goto(f"{page.url}{own.pk}/change/")
    for summary in page.locator("details summary").all():
        summary.click()

    assert_fit_for_everybody(page)


@pytest.fixture
def call(brief):
    """A request to Mave, with a long reason and a long answer to what was asked."""
    words = "the answer was lost on its way, and its thread could not be read either: " * 3
    type(brief.research).objects.update(answer="\n\n".join(["A line of the answer."] * 80))
    return MaveCall.objects.create(
        research=brief.research, outcome="unknown", is_repeat=True, credits=75, detail=words
    )


@LOOKS_OF_ADMIN
def test_pages_of_the_ledger_are_accessible_and_fit_the_screen(
    open_page, editor, brief, call, size, scheme
):
    page = open_page(LEDGER, size=size, scheme=scheme)
    assert_fit_for_everybody(page)
    research = f"/admin/briefs/research/{brief.research_id}/change/"
    for path in (f"{LEDGER}{call.pk}/change/", research, "/insights/"):
        page.goto(urljoin(page.url, path))
        assert_fit_for_everybody(page)


@pytest.fixture
def settled(brief):
    """One row of each kind that the team keeps for its desk."""
    return (
        make_threshold(),
        WorkingTime.objects.get_or_create(pk=1)[0],
        Holiday.objects.create(day="2026-12-25", name="Christmas Day"),
        make_reason(name="Too dear"),
        make_step(persona=brief.persona, text="Call them first."),
        NotificationTarget.objects.create(name="The desk"),
        LinkTemplate.objects.create(label="Our CRM", url="https://crm.example/{email}"),
        AttributeName.objects.first(),
        brief.persona,
    )


@pytest.mark.long
def test_admin_pages_of_the_desk_are_accessible_and_fit_a_desk(open_page, editor, settled):
    page = open_page("/admin/")
    for row in settled:
        rows = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
        for path in (rows, f"{rows}{row.pk}/change/"):
            page.goto(urljoin(page.url, path))
            # Django's own: the first column of its inline tables has no heading.
            assert_fit_for_everybody(page, besides={"empty-table-header"})


@pytest.fixture
def incident(brief):
    cause = make_cause(incident_at=timezone.now())
    make_folded(cause, 6)
    return cause


@LOOKS
def test_fold_and_incident_are_accessible_and_fit(open_page, incident, size, scheme):
    page = open_page(f"/?unfold={incident.pk}", size=size, scheme=scheme)
    assert_fit_for_everybody(page)
    for path in (incident.get_absolute_url(), "/incidents/"):
        page.goto(urljoin(page.url, path))
        for summary in page.locator("main details summary").all():
            summary.dispatch_event("click")  # even where another one's box lies over it
        assert_fit_for_everybody(page)


def test_on_a_phone_no_table_of_incidents_is_scrolled_sideways(open_page, incident, user):
    attributes = {"name": "Wolfeschlegelsteinhausenbergerdorff"}
    type(incident.briefs.first().customer).objects.update(attributes=attributes)
    incident.briefs.first().assign(user, user)

    for path in (incident.get_absolute_url(), "/incidents/"):
        page = open_page(path, size="phone")
        for cell in page.locator(".ledger.stacking tbody td").all():
            assert cell.is_visible()
            box = cell.bounding_box()
            assert box["x"] >= 0, cell.inner_text()
            assert box["x"] + box["width"] <= 390, cell.inner_text()
            assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth + 1")
    assert page.locator(".ledger.stacking tbody td").count() == 7


@pytest.mark.parametrize("size", ["phone", "small desk"])
def test_names_without_a_break_make_no_page_wider_than_the_screen(open_page, incident, size):
    name = "2026_spring_sale_newsletter_of_the_second_wave_final_version_" * 2
    brief = incident.briefs.first()
    Cause.objects.update(described={"newsletter_name": name, "subject": name})
    type(brief.persona).objects.filter(pk=brief.persona_id).update(name=name[:80])
    company = {"company": name, "attributes": {"name": name}}
    type(brief.customer).objects.update(**company)
    type(brief).objects.filter(pk=brief.pk).update(detail=name[:100])

    page = open_page(incident.get_absolute_url(), size=size)
    brief_url, customer = brief.get_absolute_url(), f"/customers/{brief.customer_id}/"
    lists = ("/incidents/", f"/?cause={incident.pk}", "/", f"/companies/?name={name}")
    for path in (page.url, brief_url, f"{brief_url}contact/", customer, *lists):
        page.goto(urljoin(page.url, path))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_name_that_turns_text_around_turns_nothing_beside_it(open_page, user):
    ada = make_customer(company="Acme", attributes={"name": "Ada \u202emoc"})
    make_brief(customer=ada, company="Acme").close("retained")

    entry = open_page("/companies/?name=Acme").locator(".timeline .entry")
    name, outcome = entry.locator("a").nth(1).bounding_box(), entry.locator("strong").bounding_box()

    assert name["x"] + name["width"] < outcome["x"]


def test_on_a_phone_each_line_of_a_row_begins_at_its_edge(open_page, incident):
    incident.briefs.update(kind="bounced", state="in_progress")
    page = open_page(f"/?cause={incident.pk}", size="phone")
    row = page.locator(".brief-row").first

    begins = """link => {
        const text = document.createRange();
        text.selectNodeContents(link);
        return text.getBoundingClientRect().left;
    }"""
    signal, link = row.locator(".c-signal .what"), row.locator(".c-signal .row-act")
    assert link.evaluate(begins) == signal.bounding_box()["x"]


def test_on_a_phone_what_to_do_with_many_is_read_in_full(open_page, incident):
    for path in ("/", incident.get_absolute_url()):
        page = open_page(path, size="phone")
        page.select_option(".bulk-bar [name=kind]", label="Log contact")
        for choice in page.locator(".bulk-bar select").all():
            needed = choice.evaluate("""select => {
                const alone = select.parentElement.appendChild(select.cloneNode());
                alone.append(new Option(select.selectedOptions[0].text));
                alone.style.cssText = "position: absolute; width: auto";
                return alone.offsetWidth;
            }""")
            assert choice.bounding_box()["width"] >= needed


def test_on_a_phone_the_list_leads_to_the_incidents(open_page, incident, user):
    incident.give(user, "took it", user)
    page = open_page("/", size="phone")

    page.get_by_role("link", name="Incidents (1 open)").click()

    expect(page.locator("h1")).to_have_text("Incidents")


@pytest.mark.parametrize("javascript", [True, False])
def test_fold_opens_and_closes_in_place(open_page, incident, javascript):
    page = open_page("/", javascript=javascript)
    expect(page.locator(".brief-row")).to_have_count(1)

    page.get_by_role("link", name="Unfold: 6 × Unsubscribed").click()
    expect(page.locator(".brief-row")).to_have_count(7)
    page.get_by_role("link", name="Fold: 6 × Unsubscribed", exact=True).click()

    expect(page.locator(".brief-row")).to_have_count(1)


def test_fold_leads_whoever_is_signed_out_to_the_sign_in_and_opens_after_it(
    open_page, incident, user
):
    page = open_page("/")
    page.context.clear_cookies(name="sessionid")
    page.locator(".fold-link").click()

    page.fill("[name=username]", "robin")
    page.fill("[name=password]", "a-long-password")
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator(".of-fold").first).to_be_visible()


@pytest.mark.parametrize("is_there", [True, False])
def test_list_that_does_not_come_is_said_to_be_the_one_from_before(
    open_page, brief, incident, is_there
):
    page = open_page("/")
    busy = (lambda route: route.fulfill(status=503)) if is_there else (lambda route: route.abort())
    page.route("**/?unfold=*", busy)
    page.locator(".fold-link").click()
    note = page.locator("#live-note")
    expect(note).to_contain_text("The list that you asked for did not come")
    expect(page.locator(".fold-link")).to_be_visible()
    page.unroute("**/?unfold=*")

    note.get_by_role("link", name="Ask again").click()

    expect(page.locator(".of-fold").first).to_be_visible()
    expect(note).to_be_empty()


def test_list_that_is_refused_says_what_to_do_and_not_that_it_is_missing(
    open_page, brief, incident
):
    """As by a proxy in front of Savedesk; asking once more in the same way would change nothing."""
    page = open_page("/")
    page.route("**/?unfold=*", lambda route: route.fulfill(status=403))
    page.locator(".fold-link").click()
    note = page.locator("#live-note")
    expect(note).to_contain_text("was refused, so this is the one from before")
    expect(note).to_contain_text("sign in, or whom to ask")
    expect(note).to_contain_text("ask whoever runs Savedesk for you")
    page.unroute("**/?unfold=*")

    note.get_by_role("link").click()

    expect(page.locator(".of-fold").first).to_be_visible()


def test_list_whose_reader_lost_the_right_meanwhile_becomes_the_page_that_says_whom_to_ask(
    open_page, brief, incident, user, lead
):
    page = open_page("/")
    user.groups.clear()

    page.locator(".fold-link").click()

    expect(page.locator(".card")).to_contain_text("Please ask your lead: lee")


def test_note_of_a_missing_list_goes_when_the_next_one_comes(open_page, brief, incident):
    page = open_page("/")
    page.route("**/?unfold=*", lambda route: route.fulfill(status=503))
    page.locator(".fold-link").click()
    expect(page.locator("#live-note")).to_contain_text("did not come")
    page.unroute("**/?unfold=*")

    page.locator(".fold-link").click()

    expect(page.locator(".of-fold").first).to_be_visible()
    expect(page.locator("#live-note")).to_be_empty()


def test_fold_that_opens_stays_where_it_is_on_the_screen(open_page, incident):
    make_folded(incident, 34)
    for _ in range(15):  # so many that the fold lies far down
        make_brief(priority=4)
    page = open_page("/")
    link = page.locator(".fold-link")
    link.scroll_into_view_if_needed()
    before = link.bounding_box()["y"]

    link.click()
    expect(page.locator(".of-fold")).to_have_count(40)

    assert abs(link.bounding_box()["y"] - before) < 2


def test_inbox_fits_a_small_desk(open_page, brief, incident):
    page = open_page("/", size="small desk")

    assert_fit_for_everybody(page)


def test_all_columns_of_the_ledger_are_in_sight_on_a_desk(open_page, editor, call):
    page = open_page(LEDGER)

    for column in ("repeat", "detail"):
        box = page.locator(f"td.field-{column}").bounding_box()
        assert box["x"] + box["width"] <= 1280, column
    assert f"{call.started_at:%Y-%m-%d %H:%M:%S}" in page.locator(".field-started").inner_text()


@pytest.mark.parametrize("javascript", [True, False])
def test_wording_is_previewed_where_one_looks_and_then_saved(open_page, editor, javascript):
    page = open_page(f"{TEMPLATES}add/", javascript=javascript)

    page.fill("[name=text]", "Who are {segment}? {signal}")
    page.select_option("[name=signal]", "bounced")
    page.get_by_role("button", name="Preview").click()
    box = page.get_by_text("Who are Enterprise, regulated industry? Bounced").bounding_box()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("In use: version own-").wait_for()

    assert 0 <= box["y"] <= 900
    assert QuestionTemplate.objects.get().text == "Who are {segment}? {signal}"


def test_no_column_goes_missing_on_a_small_desk(open_page, brief, user):
    brief.assign(user, user)
    page = open_page("/", size="small desk")

    row = page.locator(".brief-row")
    for text in ("Urgent", "Ada Moreau", "Unsubscribed", "9,100", "robin", "Log contact"):
        box = row.get_by_text(text).first.bounding_box()
        assert box["x"] + box["width"] <= 1024, text
    expect(page.get_by_role("columnheader", name="Assignee")).to_be_visible()


def test_three_briefs_are_on_the_first_screen_of_a_phone(open_page, brief):
    for number in range(3):
        attributes = {"name": f"Somebody {number}", "plan": "enterprise"}
        soon = timezone.now() + timedelta(hours=5)
        make_brief(customer=make_customer(attributes=attributes), due_at=soon)
    page = open_page("/", size="phone")

    third = page.locator(".brief-row").nth(2)
    expect(third).to_be_visible()
    box = third.bounding_box()
    assert box["y"] + box["height"] <= 844
    for part in (".c-priority", ".c-customer", ".c-signal", ".c-value", ".c-age"):
        expect(third.locator(part)).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_on_a_phone_the_thumb_reaches_log_assign_and_close(open_page, brief, javascript):
    page = open_page(brief.get_absolute_url(), size="phone", javascript=javascript)
    bar = page.get_by_role("navigation", name="What to do")

    for one in bar.locator(".button").all():
        box = one.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
        assert 700 < box["y"] < 844
    bar.get_by_text("Close").click()
    expect(page.locator("#close-form")).to_be_in_viewport()
    bar.get_by_text("Assign to me").click()

    expect(page.locator(".messages")).to_contain_text("The brief is yours.")


@pytest.mark.parametrize("javascript", [True, False])
def test_on_a_phone_filters_are_folded_and_work(open_page, brief, javascript):
    make_brief(kind="bounced")
    page = open_page("/", size="phone", javascript=javascript)
    expect(page.locator("#id_kind")).to_be_hidden()

    page.locator(".all-filters > summary").click()
    page.select_option("#id_kind", "bounced")
    if not javascript:
        page.get_by_role("button", name="Apply").click()

    expect(page.locator("tbody tr")).to_have_count(1)


def test_on_a_phone_who_what_value_and_first_step_are_seen_without_scrolling(open_page, brief):
    page = open_page(brief.get_absolute_url(), size="phone")

    for text in ("Ada Moreau", "Unsubscribed", "9,100", "Have the account owner call"):
        box = page.get_by_text(text).first.bounding_box()
        assert box["y"] + box["height"] <= 844, text


def test_a_word_for_a_closed_channel_is_read_aloud_as_closed_and_copied_as_it_is(open_page, brief):
    page = open_page(brief.get_absolute_url())

    [mark] = page.locator(".prose mark").all()

    assert mark.aria_snapshot() == "- mark: e-mail (closed)"
    assert mark.inner_text() == "e-mail"


def test_brief_is_taken_and_closed_without_javascript(open_page, brief):
    page = open_page(brief.get_absolute_url(), javascript=False)

    page.get_by_role("button", name="Assign to me").click()
    page.get_by_role("button", name="Make it unassigned").wait_for()
    brief.refresh_from_db()
    assert brief.assignee.username == "robin"

    page.get_by_text("Close this brief").first.click()
    page.check("[name=outcome][value=no_response]")
    page.locator("form:has([name=outcome]) button[type=submit]").click()
    page.get_by_text("Ada Moreau: look at it or reopen it").click()
    page.get_by_text("Reopen", exact=True).first.wait_for()

    brief.refresh_from_db()
    assert (brief.state, brief.outcome) == ("closed", "no_response")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_ticked_briefs_are_closed_and_that_undone_by_keyboard_without_javascript(
    open_page, brief, size
):
    page = open_page("/", size=size, javascript=False)

    page.focus(".pick input")
    page.keyboard.press("Space")
    page.select_option("#bulk-kind", "close")
    page.locator(".bulk-bar button").press("Enter")
    page.check("[name=outcome][value=no_response]")
    page.locator("#bulk-form button").press("Enter")
    expect(page.locator("main")).to_contain_text("1 brief is closed.")
    page.get_by_role("button", name="Undo").press("Enter")

    expect(page.locator("main")).to_contain_text("1 brief is as before.")
    assert Brief.objects.get().is_open


@LOOKS
def test_pages_of_many_briefs_at_once_are_accessible_and_fit(open_page, brief, size, scheme):
    page = open_page("/", size=size, scheme=scheme)
    for kind in ("assign", "snooze", "contact", "close"):
        page.select_option("#bulk-which", "page")
        page.select_option("#bulk-kind", kind)
        page.click(".bulk-bar button")
        page.get_by_text("Back without doing it").wait_for()
        assert_fit_for_everybody(page)
        page.click("text=Back without doing it")


def test_a_fresh_answer_is_asked_for_in_two_steps_without_javascript(open_page, brief):
    type(brief.research).objects.update(finished_at=timezone.now() - timedelta(hours=2))
    page = open_page(brief.get_absolute_url(), javascript=False)
    confirm = page.get_by_role("button", name="Yes, ask Mave again")
    assert not confirm.is_visible()

    page.get_by_text("Ask for a fresh answer").click()
    confirm.click()

    expect(page.get_by_text("A fresh answer was asked for.")).to_be_visible()
    expect(page.get_by_text("Call the sponsor")).to_be_visible()


def test_research_appears_by_itself_when_it_arrives(open_page, brief):
    research = brief.research
    type(research).objects.update(status="queued")
    Brief.objects.update(basis="playbook")
    page = open_page(brief.get_absolute_url())
    assert not page.get_by_text("Call the sponsor").count()

    type(research).objects.update(status="done")
    Brief.objects.update(basis="new", researched_at=timezone.now())

    page.get_by_text("Call the sponsor").wait_for()


def test_list_follows_what_is_typed_and_only_what_was_entered_is_offered_again(
    open_page, brief, user
):
    make_brief()
    indexing.run()
    page = open_page("/")
    before = page.evaluate("history.length")

    page.locator("#id_q").press_sequentially("mor")

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Ada Moreau")
    expect(page.locator("#id_q")).to_be_focused()
    expect(page).to_have_url(re.compile(r"[?&]q=mor\b"))
    assert page.evaluate("history.length") == before
    assert not RecentSearch.objects.last_of(user)

    with page.expect_response(re.compile(r"[?&]q=mor\b")):
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")

    assert RecentSearch.objects.last_of(user) == ["mor"]


def test_search_finds_without_javascript(open_page, brief):
    make_brief()
    indexing.run()
    page = open_page("/", javascript=False)

    page.fill("[name=q]", "Ada Moreau")
    page.keyboard.press("Enter")

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Ada Moreau")


def test_other_days_and_the_table_of_a_chart_are_a_link_away_without_javascript(open_page, brief):
    page = open_page("/insights/", javascript=False)

    page.get_by_role("link", name="7 days").click()
    expect(page.locator("table tbody tr", has_text="so far")).to_have_count(1)
    expect(page.locator(".chart-bar")).to_have_count(2 * 7)

    page.get_by_role("link", name="The same as a table").first.click()
    expect(page.locator(":target")).to_have_text("By day (UTC)")
