"""The policy page: how research is doing, in words, and who may pause and resume it."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.utils import timezone

from briefs.desk.tests.pages import text
from briefs.models import MaveCall, MaveHealth, ResearchPolicy, UsageReading
from briefs.research import pacing
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_persona, make_research, make_threshold
from personas.models import Persona

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.begins_at("2026-11-18T12:00"),
]

POLICY = "/admin/briefs/researchpolicy/"
PAGE = f"{POLICY}1/change/"
FIELDS = {"concurrency": 3, "requests_per_minute": 50, "urgent_reserve": 100, "day_budget": 400,
          "month_budget": "", "fresh_after_minutes": 60}  # fmt: skip


@pytest.fixture(autouse=True)
def _policy(db, sandbox):
    ResearchPolicy.current()


def shown(client, url=PAGE):
    return client.get(url).content.decode()


def notices(client):
    return [notice.text for notice in client.get("/").context["notices"]]


def open_breaker(minutes_ago=0):
    now = timezone.now()
    MaveHealth.current()
    MaveHealth.objects.update(
        opened_at=now - timedelta(minutes=minutes_ago),
        breaker_until=now + timedelta(seconds=60),
        breaker_pause_seconds=60,
        breaker_reason="Mavera failed",
        breaker_code="500",
    )


def wanted():
    asked = make_research()
    make_brief(research=asked, persona=asked.persona)
    return asked


def use(credits, **fields):
    return MaveCall.objects.create(credits=credits, outcome="answered", **fields)


@pytest.fixture
def viewer(client, user):
    """Staff who may look at the policy, and no more."""
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_researchpolicy"))
    client.force_login(user)
    return client


@pytest.fixture
def changer(viewer, user):
    user.user_permissions.add(Permission.objects.get(codename="change_researchpolicy"))
    return viewer


# How it is at present -----------------------------------------------------------------------------


def test_all_is_well(admin_client):
    html = shown(admin_client)

    assert "Running (nothing waits)." in html
    assert "Answers, as far as is known." in html
    assert "Less than half is used." in html
    assert "None has one of its own." in html
    assert "Not read yet." in html


def test_questions_that_wait_are_told_as_insights_tells_them(admin_client):
    later = timezone.now() + timedelta(minutes=15, seconds=30)
    make_brief(research=make_research(available_at=later))

    words = "put off after a failure; next try in 15 min"
    assert f"Running (1 question waits: {words})." in shown(admin_client)
    assert words in admin_client.get("/insights/").content.decode()


def test_open_breaker_is_told_on_the_page_and_in_the_inbox(admin_client):
    open_breaker()

    at = MaveHealth.current().breaker_until
    words = f"Mave fails (Mavera failed) and is tried again at {at:%H:%M} UTC"
    in_full = f"{words} (Mavera answered 500)"
    assert f"Held back, because {in_full}" in shown(admin_client)
    assert notices(admin_client) == [
        f"Briefs go without research, because {words}; it goes on by itself."
    ]


def test_hold_is_told_with_its_end(admin_client):
    MaveHealth.current().hold(90, "Mavera asked to wait", "429")

    page = shown(admin_client)
    assert "Nobody asks until" in page
    assert "UTC: Mavera asked to wait (Mavera answered 429)." in page
    assert notices(admin_client)[0].endswith("because Mavera asked to wait; it goes on by itself.")


def test_pause_by_mavera_says_when_it_is_asked_again_and_that_it_ends_by_itself(
    admin_client, sandbox
):
    wanted()
    sandbox.faults.add("mave/chat", "401")
    run_next()

    at = MaveHealth.current().probe_at
    words = f"Mavera is asked again for free at {at:%H:%M} UTC, and it resumes by itself"
    assert words in shown(admin_client)
    assert "Refuses: the last answer was 401." in shown(admin_client)
    assert words in notices(admin_client)[0]


def test_pause_by_a_person_promises_nothing(admin_client):
    ResearchPolicy.current().pause("end of quarter")

    assert pacing.why_waiting(ResearchPolicy.current()) == "research is paused: end of quarter"
    assert "by itself" not in shown(admin_client)


def test_levels_of_the_budgets_are_told_on_the_page_and_from_75_in_the_inbox(admin_client):
    ResearchPolicy.objects.update(day_budget=1000, month_budget=1400)
    use(760)

    html = shown(admin_client)

    assert "76 % of the day&#x27;s research budget is used" in html
    assert "54 % of the month&#x27;s research budget is used" in html
    (notice,) = notices(admin_client)
    assert notice.startswith("76 % of the day's research budget is used: 760 of 1,000 credits")


@pytest.mark.parametrize(
    ("budget", "used", "words"),
    [
        (None, 308, "The day has no budget: nothing limits what research costs."),
        (0, 0, "The day&#x27;s budget is 0: no research is bought."),
        (0, 300, "The day&#x27;s budget is 0: no research is bought."),
        (74, 74, "The day&#x27;s budget of 74 credits buys nothing: one answer may cost 75."),
    ],
)
def test_budget_that_has_no_half_is_told_as_it_is(admin_client, budget, used, words):
    ResearchPolicy.objects.update(day_budget=budget, month_budget=budget)
    use(used)

    html = shown(admin_client)

    assert words in html
    assert "Less than half" not in html


def test_what_is_reserved_is_not_spent_and_is_told_beside_it(admin_client):
    trial = make_persona(name="Trial", month_budget=500)
    asked = make_research(persona=trial)
    ResearchPolicy.objects.update(day_budget=1000, month_budget=None)
    use(333, research=asked)
    MaveCall.objects.create(research=asked, outcome="pending", credits=75)

    html = shown(admin_client)

    assert "333 spent, 75 reserved, of 1,000 credits" in html
    assert "333 spent, 75 reserved, no limit" in html
    assert "333 spent, 75 reserved, of 500 credits this month" in html
    persona = shown(admin_client, f"/admin/personas/persona/{trial.pk}/change/")
    assert "333 spent, 75 reserved, of 500 credits" in persona


def test_budget_that_is_used_up_is_told_once_in_the_inbox(admin_client):
    ResearchPolicy.objects.update(day_budget=1000)
    use(990)

    (notice,) = notices(admin_client)

    assert notice.startswith("The day's research budget is used up: 990 of 1,000 credits")


def test_budget_of_a_persona_is_shown_here_and_on_its_page_and_told_when_it_is_used_up(
    admin_client,
):
    trial = make_persona(name="Trial", month_budget=100)
    use(30, research=make_research(persona=trial, status="done"))

    assert "30 of 100 credits this month" in shown(admin_client)
    assert "30 of 100 credits: used up" in shown(
        admin_client, f"/admin/personas/persona/{trial.pk}/change/"
    )
    (notice,) = notices(admin_client)
    assert notice.startswith("The month's research budget of “Trial” is used up")


def test_own_count_of_mavera_is_shown_with_what_is_wrong_about_it(admin_client):
    start = timezone.now() - timedelta(days=3)
    UsageReading.objects.create(
        used=2500, included=5000, remaining=5000, ledger=1000, period_start=start
    )

    html = shown(admin_client)

    assert "our ledger has 1,000: 1,500 were used by others" in html
    assert "To do: give Savedesk a key of its own" in html


# Who may do what ----------------------------------------------------------------------------------


def test_user_who_may_only_view_sees_no_buttons(viewer):
    open_breaker()

    html = shown(viewer)

    assert "Held back" in html
    assert "<button" not in html.split('id="content"')[1]
    assert viewer.post(f"{POLICY}close-breaker/").status_code == 403
    assert MaveHealth.current().is_breaker_open


def test_history_names_who_paused_and_resumed_it_and_why(changer, user):
    changer.post(f"{POLICY}pause/", {"reason": "end of quarter"})
    changer.post(f"{POLICY}resume/")

    resumed, paused = ResearchPolicy.history.all()[:2]
    assert (paused.history_user, paused.history_change_reason) == (user, "paused")
    assert (paused.paused_reason, resumed.paused_reason) == ("end of quarter", "")
    assert (resumed.history_user, resumed.history_change_reason) == (user, "resumed")
    assert "end of quarter" in shown(changer, f"{POLICY}1/history/")


def test_history_has_pauses_by_mavera_and_names_nobody(sandbox):
    wanted()
    sandbox.faults.add("mave/chat", "402")

    run_next()

    paused = ResearchPolicy.history.first()
    assert (paused.history_user, paused.paused_status) == (None, 402)


def test_page_says_who_paused_it_and_the_history_when_to_the_minute(changer, user):
    changer.post(f"{POLICY}pause/", {"reason": "end of quarter"})
    at = ResearchPolicy.current().paused_at

    when = f"{at.day} {at:%b %Y, %H:%M} UTC"
    assert f"Paused since {when} by {user}: end of quarter" in text(changer.get(PAGE))
    changer.post(f"{POLICY}resume/")
    history = shown(changer, f"{POLICY}1/history/")
    assert f"<b>Paused at</b> {when} → empty" in history
    assert "+00:00" not in history


def test_second_pause_is_told_of_the_first(changer):
    ResearchPolicy.current().pause("credits are used up")

    response = changer.post(f"{POLICY}pause/", {"reason": "me too"}, follow=True)

    assert "was paused already: credits are used up" in response.content.decode()


def test_pause_by_mavera_is_resumed_at_once(changer, sandbox):
    asked = wanted()
    sandbox.faults.add("mave/chat", "401")
    run_next()
    assert "Resume research now" in shown(changer)

    changer.post(f"{POLICY}resume/")

    assert run_next()
    asked.refresh_from_db()
    assert asked.status == "done"


def test_breaker_is_closed_by_hand_at_once_and_the_history_says_by_whom(changer, user, sandbox):
    wanted()
    open_breaker()
    assert "Close the breaker now" in shown(changer)

    response = changer.post(f"{POLICY}close-breaker/", follow=True)

    assert "The breaker is closed" in response.content.decode()
    assert "Close the breaker now" not in response.content.decode()
    last = ResearchPolicy.history.first()
    assert (last.history_user, last.history_change_reason) == (user, "closed the breaker by hand")
    assert run_next()


def test_faults_from_before_it_was_closed_by_hand_do_not_open_it_again(sandbox):
    earlier = timezone.now() - timedelta(seconds=30)
    for _ in range(6):
        MaveCall.objects.create(outcome="refused", is_fault=True, finished_at=earlier)
    open_breaker()
    MaveHealth.current().close_breaker()
    wanted()
    sandbox.faults.add("mave/chat", "500")

    run_next()

    assert not MaveHealth.current().is_breaker_open


def test_closed_breaker_cannot_be_closed(changer):
    response = changer.post(f"{POLICY}close-breaker/", follow=True)

    assert "was closed already" in response.content.decode()
    assert not ResearchPolicy.history.filter(history_change_reason__contains="breaker").exists()


# Budgets that make no sense -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["day_budget", "month_budget"])
@pytest.mark.parametrize("budget", [1, 74])
def test_budget_that_could_buy_no_answer_is_refused(admin_client, name, budget):
    response = admin_client.post(PAGE, {**FIELDS, name: budget})

    assert "this budget could buy nothing" in response.content.decode()
    assert getattr(ResearchPolicy.current(), name) != budget


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (0, "The day's budget is 0: no research is bought."),
        (75, "only urgent briefs are researched"),
        (174, "only urgent briefs are researched"),
        (175, ""),
    ],
)
def test_budget_that_buys_little_is_kept_and_told(admin_client, budget, words):
    make_threshold()

    response = admin_client.post(PAGE, {**FIELDS, "day_budget": budget}, follow=True)

    told = [str(message) for message in response.context["messages"]]
    assert ResearchPolicy.current().day_budget == budget
    assert bool(words) == any(words in message for message in told if "budget" in message)


@pytest.mark.parametrize(("budget", "is_refused"), [(0, False), (1, True), (74, True), (75, False)])
def test_budget_of_a_persona_that_could_buy_no_answer_is_refused(budget, is_refused):
    form = admin.site.get_model_admin(Persona).form({"month_budget": budget})

    assert ("month_budget" in form.errors) is is_refused


# Saving -------------------------------------------------------------------------------------------


def test_saving_overwrites_no_pause_that_came_after_the_form_was_read(admin_client, monkeypatch):
    check = ResearchPolicy.full_clean

    def paused_meanwhile(policy, *args, **kw):
        ResearchPolicy.current().pause("credits are used up", 402)
        return check(policy, *args, **kw)

    monkeypatch.setattr(ResearchPolicy, "full_clean", paused_meanwhile)

    admin_client.post(PAGE, FIELDS)

    policy = ResearchPolicy.current()
    assert (policy.concurrency, policy.day_budget, policy.month_budget) == (3, 400, None)
    assert (policy.paused_reason, policy.paused_status) == ("credits are used up", 402)
    assert policy.history.first().paused_reason == "credits are used up"


def test_saving_is_in_the_history_with_its_user(admin_client, admin_user):
    admin_client.post(PAGE, FIELDS)

    last = ResearchPolicy.history.first()
    assert (last.history_user, last.day_budget, last.concurrency) == (admin_user, 400, 3)


def test_saving_keeps_what_somebody_else_changed_meanwhile(admin_client, monkeypatch):
    check = ResearchPolicy.full_clean

    def changed_meanwhile(policy, *args, **kw):
        ResearchPolicy.objects.update(urgent_reserve=333)
        return check(policy, *args, **kw)

    monkeypatch.setattr(ResearchPolicy, "full_clean", changed_meanwhile)

    admin_client.post(PAGE, FIELDS)

    assert ResearchPolicy.current().urgent_reserve == 333


def test_earlier_limits_are_shown_and_nothing_is_brought_back(admin_client):
    ResearchPolicy.current().save()
    version = ResearchPolicy.history.first()
    admin_client.post(PAGE, FIELDS)
    earlier = {name: getattr(version, name) for name in FIELDS}
    address = f"{POLICY}1/history/{version.pk}/"

    shown, posted = admin_client.get(address), admin_client.post(address, earlier)

    assert (shown.status_code, posted.status_code) == (200, 405)
    assert b"As it was" in shown.content
    assert ResearchPolicy.current().concurrency == FIELDS["concurrency"]


@pytest.mark.parametrize(("minutes", "kept"), [(0, 0), (120, 120), (43_201, 60), (-1, 60)])
def test_age_from_which_a_fresh_answer_is_bought_is_a_sane_number(admin_client, minutes, kept):
    ResearchPolicy.current()

    admin_client.post(PAGE, FIELDS | {"fresh_after_minutes": minutes})

    assert ResearchPolicy.current().fresh_after_minutes == kept
