"""Whatever stands in an address: an answer, an empty list or a 400, and never a 500."""

from itertools import product

import pytest
from django.contrib.admin import site
from django.urls import reverse

# In production every statement is a transaction of its own: one that fails spoils no other.
pytestmark = pytest.mark.django_db(transaction=True)

LARGE = "9" * 30
LATE = "9999-12-31T23:59:59-23:00"  # in UTC it is in the year 10000
EARLY = "0001-01-01T00:00:00%2B23:00"
ODD = ["%00", LARGE, "9" * 5000, "%F0%9F%98%80" * 990]
ADMIN = [
    *product(["q", "p", "o", "_to_field", "state__exact", "id", "persona__id__exact"], ODD),
    *product(["happened_at", "created_at__gte"], [*ODD, LATE, EARLY]),
    *product(["created_at__year"], [LARGE, "9999", "0001", "0", "10000"]),
]
INBOX = ["q", "page", "state", "priority", "persona", "kind", "research", "assignee", "x", "%00"]
API = {
    "brief": ["q", "persona", "priority", "ordering", "page", "page_size", "%00"],
    "event": ["event_id", "metric", "received_after", "received_before", "page"],
    "customer": ["external_id", "cio_id", "email", "phone"],
    "persona": ["ordering", "page"],
}


@pytest.fixture
def asked(client, django_user_model):
    """Every answer to an address, as its status by the address."""
    client.force_login(django_user_model.objects.create_superuser("root"))
    return lambda urls: {url: client.get(url).status_code for url in urls}


def failures(answers):
    """Answers that are neither in order nor a refusal."""
    return {url: code for url, code in answers.items() if code not in (200, 302, 400, 404)}


def test_no_filter_or_search_of_the_admin_fails(asked):
    url = reverse("admin:briefs_brief_changelist")

    assert failures(asked(f"{url}?{name}={value}" for name, value in ADMIN)) == {}


def test_events_are_not_filtered_by_their_bytes(asked):
    url = reverse("admin:webhooks_webhookevent_changelist")

    assert set(asked([f"{url}?body={value}" for value in ("x", "%00")]).values()) == {400}


def test_no_date_hierarchy_fails_at_the_end_of_time(asked):
    urls = [
        f"{reverse(admin_page(model))}?{field}__year={year}&{field}__month={month}"
        for model, pages in site._registry.items()
        if (field := pages.date_hierarchy)
        for year, month in product(["9999", "0001", "0", LARGE], ["12", "1", "13"])
    ]

    assert len(urls) > 12
    assert failures(asked(urls)) == {}


def test_no_key_in_an_address_fails(asked):
    pages = ["/briefs/%s/", "/api/v1/briefs/%s/", "/api/v1/events/%s/", "/team/%s/"]
    admin = [reverse(admin_page(model)) + "%s/change/" for model in site._registry]

    answers = asked(page.replace("%s", key) for page in [*pages, *admin] for key in ODD)

    assert failures(answers) == {}
    assert 200 not in answers.values()


def test_no_filter_of_the_inbox_fails(asked):
    assert failures(asked(f"/?{name}={value}" for name, value in product(INBOX, ODD))) == {}


@pytest.mark.parametrize("resource", API)
def test_no_filter_of_the_api_fails(asked, resource):
    url = reverse(f"api:{resource}-list")
    values = [*ODD, LATE, EARLY]

    answers = asked(f"{url}?{name}={value}" for name, value in product(API[resource], values))

    assert failures(answers) == {}


def test_session_key_with_a_nul_is_refused_in_words(client):
    client.cookies["sessionid"] = "a-key-with-\0-in-it"

    response = client.get("/")

    assert (response.status_code, "This address cannot be read" in response.text) == (400, True)


def test_refusal_by_the_api_has_the_form_of_a_refused_parameter(asked, client):
    response = client.get("/api/v1/briefs/%00/")

    assert (response.status_code, list(response.json()["errors"])) == (400, ["non_field_errors"])


def admin_page(model):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
