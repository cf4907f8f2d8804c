"""Single keys: from the list to a closed brief and on to the next, without a mouse."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Preferences
from briefs.finding.tests.test_folds import make_folded
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_cause, make_customer

pytestmark = [pytest.mark.browser, pytest.mark.on_sqlite]


@pytest.fixture
def briefs(live_server, starter):
    """Three, the most urgent one first."""
    names = ("Ada Moreau", "Ben Okafor", "Cleo Sato")
    return [
        make_brief(priority=4 - place, customer=make_customer(attributes={"name": name}))
        for place, name in enumerate(names)
    ]


def press(page, keys):
    """One after the other; how many there were."""
    for key in keys.split():
        page.keyboard.press(key)
    return len(keys.split())


def test_most_urgent_one_is_two_keys_away_closed_by_three_more_and_then_comes_the_next(
    open_page, briefs
):
    page = open_page("/")

    assert press(page, "j Enter") <= 3
    expect(page.locator("h1")).to_have_text("Ada Moreau")
    assert press(page, "c 3 Enter") <= 4

    expect(page.locator(".messages")).to_contain_text("Closed: No response.")
    expect(page.locator("h1")).to_have_text("Ben Okafor")
    press(page, "j")
    expect(page.locator("h1")).to_have_text("Cleo Sato")
    briefs[0].refresh_from_db()
    assert briefs[0].outcome == "no_response"


def test_next_one_is_a_key_away_from_a_form_that_came_back_as_well(open_page, briefs):
    page = open_page("/")
    press(page, "j Enter")
    expect(page.locator("h1")).to_have_text("Ada Moreau")

    press(page, "c 1 Enter")  # retained, and not why
    expect(page.locator(".field-error").first).to_be_visible()
    press(page, "j")

    expect(page.locator("h1")).to_have_text("Ben Okafor")


def test_arrows_choose_the_outcome_as_well(open_page, briefs):
    page = open_page(briefs[0].get_absolute_url())

    assert press(page, "c ArrowDown ArrowDown Enter") <= 4

    expect(page.locator(".messages")).to_contain_text("Closed: No response.")


@pytest.mark.parametrize(
    ("key", "field"),
    [("l", "contact_form_channel"), ("s", "snooze_form_until_0"), ("c", "close_form_outcome_0"),
     ("m", "comment_form_text")],
)  # fmt: skip
def test_key_of_an_act_opens_its_form_on_the_brief_and_from_the_list(open_page, briefs, key, field):
    page = open_page(briefs[0].get_absolute_url())
    press(page, key)
    expect(page.locator(f"#{field}")).to_be_focused()

    page.goto(page.url.split("/briefs")[0])
    press(page, f"j j {key}")

    expect(page.locator("h1")).to_have_text("Ben Okafor")
    expect(page.locator(f"#{field}")).to_be_focused()


def test_form_of_a_brief_that_is_gone_is_not_unfolded_on_the_next_one(open_page, briefs):
    page = open_page("/")
    Brief.objects.filter(pk=briefs[0].pk).delete()
    press(page, "j c")
    expect(page.locator("h1")).to_have_text("Nothing here")

    page.goto(page.url.split("/briefs")[0])
    press(page, "j Enter")

    expect(page.locator("h1")).to_have_text("Ben Okafor")
    expect(page.locator("#close-form")).to_be_hidden()


def test_a_takes_the_brief_and_once_more_offers_the_colleagues(open_page, briefs):
    page = open_page(briefs[0].get_absolute_url())

    press(page, "a a")
    expect(page.locator("#assign_form_to")).to_be_focused()
    page.locator("#assign_form_to").blur()
    press(page, "a Enter")

    expect(page.locator(".messages")).to_contain_text("The brief is yours.")


def test_ticked_rows_are_acted_on_together(open_page, briefs):
    page = open_page("/")

    press(page, "j x j x s")

    expect(page.locator("h1")).to_have_text("Snooze: 2 briefs")


def test_form_for_ticked_rows_has_the_focus(open_page, briefs):
    page = open_page("/")

    press(page, "j x j x c")
    expect(page.locator("#close_form_outcome_0")).to_be_focused()
    press(page, "3 Enter")

    expect(page.locator("main")).to_contain_text("2 briefs are closed.")


def test_keys_type_in_a_field_and_search_is_a_key_away(open_page, briefs):
    page = open_page("/")

    press(page, "/ j c x ?")

    expect(page.locator("#id_q")).to_have_value("jcx?")
    expect(page.locator("#keys")).to_be_hidden()


def test_help_lists_the_keys_and_gives_the_focus_back(open_page, briefs):
    page = open_page("/")

    press(page, "j ?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("log contact")
    press(page, "c Escape")

    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator(".row-link").first).to_be_focused()


def test_keys_that_are_switched_off_do_nothing(open_page, briefs, user):
    page = open_page(reverse("accounts:account"))
    page.get_by_label("Single keys do something on the pages").uncheck()
    page.get_by_role("button", name="Save the keys").click()
    expect(page.locator(".messages")).to_contain_text("Single keys do nothing any more.")
    assert Preferences.objects.get(user=user).is_without_keys

    page.goto(page.url.split("/account")[0])
    press(page, "j ?")

    expect(page.locator(":focus")).to_have_count(0)
    expect(page.locator("#keys")).to_have_count(0)


def test_modifiers_belong_to_the_browser(open_page, briefs):
    page = open_page(briefs[0].get_absolute_url())

    press(page, "Alt+c Control+l")

    expect(page.locator("#close-form")).to_be_hidden()


def test_fold_is_reached_ticked_and_opened_like_a_row(open_page, briefs):
    make_folded(make_cause(), 5)
    page = open_page("/")
    fold = page.get_by_role("link", name="fold: 5 × Unsubscribed")

    press(page, "j j j x")  # past two that come before it
    expect(fold).to_be_focused()
    expect(page.locator("[name=fold]")).to_be_checked()
    press(page, "Enter")

    expect(page.locator(".of-fold")).to_have_count(5)
    expect(fold).to_be_focused()
    press(page, "j")
    expect(page.locator(".of-fold .row-link").first).to_be_focused()
