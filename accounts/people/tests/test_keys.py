"""Single keys can be switched off, for oneself alone (WCAG 2.1.4)."""

import pytest
from django.urls import reverse

from accounts.models import Preferences
from briefs.desk.tests.pages import messages

pytestmark = pytest.mark.django_db
CHOOSE = reverse("accounts:keys")
SCRIPT = "keys.js"


def test_keys_are_on_until_one_switches_them_off(signed_in):
    assert SCRIPT in signed_in.get("/").content.decode()

    off = signed_in.post(CHOOSE, follow=True)

    assert messages(off) == ["Single keys do nothing any more."]
    page = signed_in.get("/").content.decode()
    assert SCRIPT not in page
    assert 'id="keys"' not in page
    assert messages(signed_in.post(CHOOSE, {"keys": "on"}, follow=True)) == [
        "Single keys work on the pages from now on."
    ]
    assert SCRIPT in signed_in.get("/").content.decode()


def test_choice_of_one_person_is_nothing_to_another_and_leaves_the_zone(client, user, lead):
    Preferences.objects.create(user=lead, time_zone="Asia/Tokyo")
    client.force_login(lead)

    client.post(CHOOSE)

    kept = Preferences.objects.get()
    assert (kept.is_without_keys, kept.time_zone) == (True, "Asia/Tokyo")
    client.force_login(user)
    assert SCRIPT in client.get("/").content.decode()
