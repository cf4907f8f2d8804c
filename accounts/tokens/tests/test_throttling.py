"""How often the API may be asked; and that the receiver has no throttle, ever."""

import pytest
from django.conf import settings as project
from rest_framework.settings import api_settings

from accounts.tokens.tests.making import API, ask, make_token
from accounts.tokens.throttling import PerToken
from webhooks.models import WebhookEvent
from webhooks.tests.sending import post
from webhooks.views import ReceiveView, _view

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_a_minute(monkeypatch):
    monkeypatch.setattr(PerToken, "rate", "3/min", raising=False)


@pytest.mark.usefixtures("three_a_minute")
def test_token_that_asks_too_often_is_told_when_to_come_back(client, user, monkeypatch):
    header = f"Token {make_token(user)[1]}"
    answers = []

    for second in (0, 10, 20, 30, 59.9, 60, 61):
        monkeypatch.setattr(PerToken, "timer", lambda self, now=second: now)
        response = ask(client, header)
        answers.append((response.status_code, response.headers.get("Retry-After")))

    good = (200, None)
    assert answers == [good, good, good, (429, "30"), (429, "1"), good, (429, "9")]


@pytest.mark.usefixtures("three_a_minute")
def test_each_token_is_counted_by_itself_and_so_is_the_person(signed_in, user):
    headers = [f"Token {make_token(user)[1]}" for _ in range(2)]

    first, second = ([ask(signed_in, one).status_code for _ in range(4)] for one in headers)
    own = [signed_in.get(API).status_code for _ in range(4)]

    assert first == second == own == [200, 200, 200, 429]


@pytest.mark.usefixtures("three_a_minute")
def test_refused_tokens_are_not_counted(client, user):
    header = f"Token {make_token(user)[1]}"

    for _ in range(5):
        assert ask(client, "Token nonsense").status_code == 401

    assert ask(client, header).status_code == 200


def test_every_view_of_the_api_is_throttled(settings):
    from briefs.api import views

    found = [views.BriefViewSet, views.EventViewSet, views.PersonaViewSet, views.CustomerViewSet,
             views.Schema, views.Docs]  # fmt: skip

    assert [view for view in found if PerToken not in view.throttle_classes] == []
    assert api_settings.DEFAULT_THROTTLE_RATES == {"token": "600/min"}


# The receiver


def test_receiver_has_no_throttle_and_takes_none_from_the_settings():
    assert PerToken in api_settings.DEFAULT_THROTTLE_CLASSES
    assert _view.view_class is ReceiveView
    assert ReceiveView.throttle_classes == []
    assert "get_throttles" not in vars(ReceiveView)
    assert project.MIDDLEWARE[1] == "webhooks.middleware.ReceiverMiddleware"


@pytest.mark.usefixtures("three_a_minute", "threadless_receiver")
def test_receiver_takes_more_webhooks_than_the_api_takes_requests():
    for number in range(10):
        body = b'{"event_id":"e-%d","object_type":"customer","metric":"unsubscribed"}' % number
        assert post(body, Authorization="Token nonsense").status_code == 200

    assert WebhookEvent.objects.count() == 10
