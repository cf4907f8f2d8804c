"""What people do with a brief, asked for by whoever may call it: page, API or admin."""

import pytest
from django.core.exceptions import PermissionDenied

from briefs.models import Brief
from briefs.tests.factories import make_brief, make_research
from briefs.triage import closing, researching, taking
from briefs.triage.closing import Closing, Ending
from briefs.triage.freshness import Seen, Stale
from conftest import make_user
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db
ACTS = {
    "take": lambda brief, who, seen: taking.take(brief, who, seen),
    "close": lambda brief, who, seen: closing.close(brief, who, seen, Ending("no_response")),
    "renew": lambda brief, who, seen: researching.renew(brief, who, seen),
    "retry": lambda brief, who, seen: researching.retry(brief, who, seen),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("role", ["", "Viewer"])
def test_nobody_acts_without_the_permission(django_user_model, name, role):
    brief = make_brief(research=make_research(status="failed"))
    somebody = make_user(django_user_model, "kim", role)

    with pytest.raises(PermissionDenied):
        ACTS[name](brief, somebody, str(Seen.of(brief)))

    assert Brief.objects.get().revision == 0


@pytest.mark.parametrize("name", ACTS)
def test_nothing_is_done_that_is_based_on_an_old_page(user, lead, name):
    brief = make_brief(research=make_research(status="failed"))
    seen = str(Seen.of(brief))
    brief.log("called them", lead)

    with pytest.raises(Stale) as stale:
        ACTS[name](brief, user, seen)

    assert [entry.text for entry in stale.value.news.activities] == ["called them"]
    assert brief.activities.count() == 1


def test_of_two_who_close_at_once_one_closes_and_the_other_is_kept(threaded_db, user, lead):
    brief = make_brief()
    seen = str(Seen.of(brief))
    endings = [
        (user, Ending("no_response", "They stay.")),
        (lead, Ending("not_at_risk", "They left.")),
    ]

    came = at_once(2, lambda number: closing.close(brief, endings[number][0], seen,
                                                   endings[number][1]))  # fmt: skip

    assert sorted(came) == [Closing.CLOSED, Closing.TOO_LATE]
    assert brief.activities.filter(text__startswith="meant to close it as well").count() == 1


def test_mark_of_a_wrong_persona_is_kept_though_the_outcome_is_the_same(user, lead):
    brief = make_brief()
    seen = str(Seen.of(brief))
    closing.close(brief, lead, seen, Ending("no_response"))

    came = closing.close(brief, user, seen, Ending("no_response", is_persona_wrong=True))

    assert came == Closing.TOO_LATE
    last = brief.activities.last()
    assert (last.actor, last.text) == (
        user, "meant to close it as well: No response · the persona was wrong"
    )  # fmt: skip


def test_second_click_of_who_was_too_late_is_not_kept_again(user, lead):
    brief = make_brief()
    seen = str(Seen.of(brief))
    closing.close(brief, lead, seen, Ending("no_response"))

    came = [closing.close(brief, user, seen, Ending("not_at_risk", "Gone.")) for _ in range(2)]

    assert came == [Closing.TOO_LATE, Closing.TOO_LATE]
    assert [entry.actor for entry in brief.activities.all()] == [lead, user]


@pytest.mark.parametrize("end", [
    lambda user: type(user).objects.update(is_active=False),
    lambda user: user.groups.clear(),
])  # fmt: skip
def test_nobody_takes_a_brief_whose_right_ended_while_the_request_was_read(user, end):
    brief = make_brief()
    assert user.has_perm("briefs.work_brief")  # remembered from here on
    end(user)

    with pytest.raises(PermissionDenied):
        taking.take(brief, user, str(Seen.of(brief)))

    assert Brief.objects.get().assignee is None
