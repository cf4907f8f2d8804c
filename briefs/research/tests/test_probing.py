"""Research that Mavera itself stopped resumes by itself once a free request goes well."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F

from briefs.models import MaveCall, MaveHealth, Research, ResearchPolicy
from briefs.research import pacing, probing
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_research
from providers.mavera import Mave
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(sandbox):
    asked = make_research()
    make_brief(research=asked, persona=asked.persona)
    return asked


def stopped_by(sandbox, fault):
    sandbox.faults.add("mave/chat", fault)
    run_next()
    assert ResearchPolicy.current().paused_status == int(fault)


def pass_time(**span):
    MaveHealth.objects.update(probe_at=F("probe_at") - timedelta(**span))


def probes(sandbox):
    return [r.path for r in sandbox.requests if not r.path.endswith("/mave/chat")]


@pytest.mark.parametrize(("fault", "path"), [("401", "/api/v1/usage"), ("402", "/api/v1/usage")])
def test_research_resumes_by_itself_after_a_free_request(waiting, sandbox, fault, path):
    stopped_by(sandbox, fault)
    pass_time(seconds=61)
    assert pacing.workers_wanted() == 1

    assert run_next()

    assert probes(sandbox) == [path]
    assert ResearchPolicy.current().paused_at is None
    waiting.refresh_from_db()
    assert (waiting.status, waiting.tries) == ("done", 1)
    call = MaveCall.objects.get(purpose="usage")
    assert (call.outcome, call.credits) == ("answered", 0)


@pytest.mark.parametrize("refusal", ["403", "html"])
def test_balance_that_cannot_be_read_is_no_reason_to_stay_paused(waiting, sandbox, refusal):
    stopped_by(sandbox, "402")
    sandbox.faults.add("usage", refusal)
    pass_time(seconds=61)

    assert run_next()

    assert probes(sandbox) == ["/api/v1/usage", "/api/v1/mave/threads"]
    assert ResearchPolicy.current().paused_at is None


@pytest.mark.parametrize("refusal", ["401", "402", "429", "500"])
def test_refused_balance_keeps_the_pause(waiting, sandbox, refusal):
    stopped_by(sandbox, "402")
    sandbox.faults.add("usage", refusal)
    pass_time(seconds=61)

    assert not run_next()

    assert probes(sandbox) == ["/api/v1/usage"]
    assert ResearchPolicy.current().paused_at is not None


def test_refused_access_is_probed_by_listing_threads(waiting, sandbox):
    ResearchPolicy.current().pause("Mavera denies access", 403)

    assert run_next()

    assert probes(sandbox) == ["/api/v1/mave/threads"]
    assert ResearchPolicy.current().paused_at is None


def test_probe_that_was_frozen_before_it_was_sent_is_not_sent(waiting, sandbox, monkeypatch):
    ResearchPolicy.current().pause("no credits", 402)
    admit = pacing.admit_read

    def freeze(*args, **options):
        row = admit(*args, **options)
        MaveCall.objects.update(started_at=F("started_at") - timedelta(seconds=4))
        return row

    monkeypatch.setattr(pacing, "admit_read", freeze)

    assert not probing.probe()

    assert not sandbox.requests
    assert MaveCall.objects.get().outcome == "not_sent"


def test_first_probe_comes_after_a_minute(waiting, sandbox):
    stopped_by(sandbox, "401")

    assert not run_next()

    assert pacing.workers_wanted() == 0
    assert probes(sandbox) == []


def test_research_stays_paused_while_the_probe_is_refused_and_probes_less_often(waiting, sandbox):
    stopped_by(sandbox, "401")
    sandbox.faults.add("usage", "401", count=None)
    pauses = []
    for _ in range(6):
        pauses.append(MaveHealth.current().probe_pause_seconds)
        pass_time(seconds=pauses[-1] + 1)
        assert not run_next()

    assert pauses == [60, 120, 240, 480, 900, 900]
    assert ResearchPolicy.current().paused_status == 401
    assert Research.objects.get().tries == 0


def test_account_without_credits_stays_paused_until_it_has_some(waiting, sandbox):
    sandbox.credits = 20
    stopped_by(sandbox, "402")
    pass_time(seconds=61)
    assert not run_next()
    assert ResearchPolicy.current().paused_at

    sandbox.credits = 5000
    pass_time(seconds=121)

    assert run_next()
    assert ResearchPolicy.current().paused_at is None


def test_pause_that_comes_back_is_probed_less_often_until_something_is_answered(waiting, sandbox):
    for _ in range(2):
        stopped_by(sandbox, "402")
        pass_time(seconds=1000)
        sandbox.faults.add("mave/chat", "402")
        run_next()
        sandbox.faults.clear()
        ResearchPolicy.current().resume()
    assert MaveHealth.current().probe_pause_seconds > 120

    assert run_next()

    assert MaveHealth.current().probe_pause_seconds == 0


def test_pause_by_a_person_is_not_probed(waiting, sandbox):
    ResearchPolicy.current().pause("enough for this month")

    assert not run_next()

    assert (pacing.workers_wanted(), sandbox.requests) == (0, [])


def test_pause_by_a_person_replaces_that_of_mavera_and_is_not_probed(waiting, sandbox):
    stopped_by(sandbox, "402")

    assert ResearchPolicy.current().pause("enough for this month")
    pass_time(seconds=1000)

    assert not run_next()
    policy = ResearchPolicy.current()
    assert (policy.paused_reason, policy.paused_status) == ("enough for this month", None)


def test_pause_by_a_person_during_the_probe_goes_on(waiting, sandbox, monkeypatch):
    stopped_by(sandbox, "401")
    pass_time(seconds=61)
    ask = Mave.usage

    def usage(client):
        ResearchPolicy.current().resume()
        ResearchPolicy.current().pause("a person says so")
        return ask(client)

    monkeypatch.setattr(Mave, "usage", usage)

    assert not run_next()
    assert ResearchPolicy.current().paused_reason == "a person says so"


def test_many_workers_at_once_make_one_probe(threaded_db, waiting, sandbox):
    ResearchPolicy.current().pause("Mavera's credits are used up", 402)

    at_once(6, lambda number: run_next())

    assert probes(sandbox) == ["/api/v1/usage"]
    assert Research.objects.get().status == "done"


def test_account_that_recharges_by_itself_resumes_however_little_is_left(waiting, sandbox):
    sandbox.credits = 20
    stopped_by(sandbox, "402")
    pass_time(seconds=61)
    recharging = replace(Mave().usage(), has_auto_recharge=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Mave, "usage", lambda client: recharging)
        probing.probe()

    assert ResearchPolicy.current().paused_at is None


def test_address_without_an_agent_pauses_and_fails_no_question(waiting, sandbox, settings):
    settings.MAVERA_BASE_URL = f"{sandbox.url}/api/v2"

    run_next()

    waiting.refresh_from_db()
    assert (waiting.status, waiting.tries) == ("queued", 0)
    assert "check MAVERA_BASE_URL" in ResearchPolicy.current().paused_reason
    settings.MAVERA_BASE_URL = sandbox.mavera_base_url
    pass_time(seconds=61)
    assert run_next()
    assert probes(sandbox)[-1] == "/api/v1/mave/threads"
