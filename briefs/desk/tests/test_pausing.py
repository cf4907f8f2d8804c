"""Pausing and resuming research on the insights page, by users with the permission."""

import pytest
from django.contrib.auth.models import Permission

from briefs.desk.tests.pages import messages, text
from briefs.models import ResearchPolicy

pytestmark = pytest.mark.django_db
PAGE, PAUSE, RESUME = "/insights/", "/insights/pause/", "/insights/resume/"


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    """Count the attempts to wake workers; no broker is needed."""
    calls = []
    monkeypatch.setattr("briefs.research.working.wake", lambda: calls.append(1))
    return calls


@pytest.fixture
def changer(signed_in, user):
    """A user who is not staff and has only this permission."""
    user.user_permissions.add(Permission.objects.get(codename="change_researchpolicy"))
    return signed_in


def test_user_with_the_permission_pauses_with_a_reason_and_resumes(changer, user):
    response = changer.post(PAUSE, {"reason": " end of quarter "}, follow=True)

    assert messages(response) == ["Research is paused."]
    assert ResearchPolicy.current().paused_reason == "end of quarter"
    assert "end of quarter" in text(response)
    assert "Resume research" in text(response)

    response = changer.post(RESUME, follow=True)

    assert messages(response) == ["Research goes on."]
    assert ResearchPolicy.current().paused_at is None
    resumed, paused = ResearchPolicy.history.all()[:2]
    assert (paused.history_user, paused.history_change_reason) == (user, "paused")
    assert (resumed.history_user, resumed.history_change_reason) == (user, "resumed")


def test_resuming_wakes_the_workers(changer, woken, django_capture_on_commit_callbacks):
    ResearchPolicy.current().pause("end of quarter")

    with django_capture_on_commit_callbacks(execute=True):
        changer.post(RESUME)

    assert woken


def test_pause_needs_a_reason(changer):
    response = changer.post(PAUSE, {"reason": "  "}, follow=True)

    assert messages(response) == ["Say why, so that others understand it."]
    assert ResearchPolicy.current().paused_at is None


def test_second_pause_says_that_the_first_is_kept(changer):
    ResearchPolicy.current().pause("we look at the bill")

    response = changer.post(PAUSE, {"reason": "end of quarter"}, follow=True)

    assert messages(response) == ["Research was paused already: we look at the bill"]


def test_pause_by_a_person_replaces_one_by_mavera(changer):
    ResearchPolicy.current().pause("Mavera refuses the key", 401)

    assert "Resume research now" in text(changer.get(PAGE))
    changer.post(PAUSE, {"reason": "end of quarter"})

    assert ResearchPolicy.current().paused_status is None


def test_without_the_permission_there_is_no_form_and_nothing_changes(signed_in):
    assert "Pause or resume research" not in text(signed_in.get(PAGE))

    assert signed_in.post(PAUSE, {"reason": "mine"}).status_code == 403
    ResearchPolicy.current().pause("end of quarter")
    assert signed_in.post(RESUME).status_code == 403
    assert ResearchPolicy.current().paused_at


@pytest.mark.parametrize("path", [PAUSE, RESUME])
def test_get_changes_nothing_and_leads_to_the_page(changer, path):
    ResearchPolicy.current().pause("end of quarter")

    assert changer.get(path).url == PAGE

    assert ResearchPolicy.current().paused_reason == "end of quarter"


@pytest.mark.parametrize("path", [PAUSE, RESUME])
def test_strangers_sign_in_first_and_forms_need_their_token(client, user, path):
    assert client.post(path).url.startswith("/login/")

    user.user_permissions.add(Permission.objects.get(codename="change_researchpolicy"))
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post(path, {"reason": "forged"}).status_code == 403
    assert ResearchPolicy.current().paused_at is None
