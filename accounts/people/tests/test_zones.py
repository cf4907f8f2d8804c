"""Everybody reads times in their own time zone; programs get UTC."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Preferences
from briefs import times
from briefs.desk.tests.pages import messages, text
from briefs.tests.factories import make_brief

pytestmark = pytest.mark.django_db
CHOOSE = reverse("accounts:time_zone")
AT = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)


def test_times_are_shown_in_the_zone_that_one_chose(signed_in):
    brief = make_brief()
    brief.log("wrote")
    brief.activities.update(at=AT)
    assert "1 Jul 2026, 22:30 UTC" in text(signed_in.get(brief.get_absolute_url()))

    response = signed_in.post(CHOOSE, {"time_zone": "Europe/Berlin"}, follow=True)

    assert messages(response) == ["Times are shown in your time zone from now on: Europe/Berlin."]
    assert "2 Jul 2026, 00:30 CEST" in text(signed_in.get(brief.get_absolute_url()))


def test_choice_of_one_person_is_nothing_to_another(client, signed_in, user, lead):
    Preferences.objects.create(user=lead, time_zone="Asia/Tokyo")
    brief = make_brief(created_at=AT)
    brief.log("wrote")
    brief.activities.update(at=AT)

    assert "22:30 UTC" in text(signed_in.get(brief.get_absolute_url()))
    client.force_login(lead)
    assert "07:30 JST" in text(client.get(brief.get_absolute_url()))
    assert timezone.get_current_timezone_name() == "UTC"  # nothing stays behind


def test_choice_takes_no_query_of_its_own(signed_in, user, django_assert_num_queries):
    account = reverse("accounts:account")
    with django_assert_num_queries(6):
        signed_in.get(account)
    Preferences.objects.create(user=user, time_zone="Asia/Tokyo")

    with django_assert_num_queries(6):
        signed_in.get(account)


def test_programs_get_utc(signed_in, user):
    Preferences.objects.create(user=user, time_zone="Asia/Tokyo")
    brief = make_brief(created_at=AT)

    answer = signed_in.get(f"/api/v1/briefs/{brief.pk}/").json()

    assert answer["created_at"] == "2026-07-01T22:30:00Z"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "x" * 300])
def test_zone_that_does_not_exist_is_refused(signed_in, name):
    response = signed_in.post(CHOOSE, {"time_zone": name}, follow=True)

    assert "There is no time zone of this name" in messages(response)[0]
    assert not Preferences.objects.exists()


def test_zone_that_is_gone_from_the_machine_is_as_none(signed_in, user):
    Preferences.objects.create(user=user, time_zone="Gone/Away")

    assert signed_in.get("/").status_code == 200


def test_account_shows_the_choice(signed_in, user):
    Preferences.objects.create(user=user, time_zone="Asia/Tokyo")

    page = signed_in.get(reverse("accounts:account")).content.decode()

    assert '<option value="Asia/Tokyo" selected>' in page


def test_days_follow_the_zone():
    with timezone.override("Asia/Tokyo"):
        assert times.exact(AT) == "2 Jul 2026, 07:30 JST"
        assert times.short_day(AT) == "2 Jul"
        assert times.zone(AT) == "JST"
