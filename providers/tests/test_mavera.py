"""The client of Mave over HTTP: good answers, unusable answers, and no answer."""

import json
import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefs.models import Research
from providers import mavera, mavera_replies
from providers.http import Reply
from providers.mavera import Mave, MaveError
from sandbox import answers
from sandbox.faults import KINDS
from sandbox.wire import json_reply

QUESTION = "Segment: Trial\nSignal: Spam complaint\nWhat keeps such a customer?"


def refusal(sandbox, fault, **options):
    """The error that a fault of the chat leads to."""
    sandbox.faults.add("mave/chat", fault, **options)
    with pytest.raises(MaveError) as caught:
        Mave().chat(QUESTION)
    return caught.value


def traits(error):
    names = ("is_permanent", "is_account_wide", "is_sent", "is_outcome_unknown")
    return {name for name in names if getattr(error, name)}


def test_answer_is_read_in_full(sandbox):
    answer = Mave().chat(QUESTION)

    assert "##" in answer.content
    assert set(answer.sources[0]) == {"title", "url", "domain", "snippet"}
    assert answer.sources[0]["url"].startswith("https://")
    assert answer.personas_used == ["Sandbox researcher"]
    assert 0 < answer.validation["confidence_score"] <= 1
    assert answer.thread_id.startswith("mave_thread_")
    assert answer.credits == sandbox.credits_used > 0
    assert answer.raw["object"] == "mave_message"


def test_request_holds_the_question_and_the_key_and_nothing_else(sandbox):
    Mave().chat(QUESTION)

    [request] = sandbox.requests
    assert (request.method, request.path) == ("POST", "/api/v1/mave/chat")
    assert json.loads(request.body) == {"message": QUESTION}
    assert request.headers["authorization"] == f"Bearer {sandbox.mavera_key}"


def test_workspace_is_named_when_it_is_set(sandbox, settings):
    settings.MAVERA_WORKSPACE_ID = "ws-7"

    Mave().chat(QUESTION)

    assert json.loads(sandbox.requests[0].body)["workspace_id"] == "ws-7"


def test_without_a_key_it_is_not_configured(settings):
    settings.MAVERA_API_KEY = ""

    assert not Mave().is_configured


def test_missing_validation_is_no_confidence(sandbox):
    sandbox.faults.add("mave/chat", "no_validation")

    answer = Mave().chat(QUESTION)

    assert answer.validation == {}
    assert Research(validation=answer.validation).confidence is None


@pytest.mark.parametrize(
    ("validation", "per_cent"),
    [
        ({"confidence_score": 0.87}, 87),
        ({"confidence": 0.5}, 50),
        ({"confidence": 64}, 64),
        ({"confidence_score": 0}, 0),
        ({"confidence_score": True}, None),
        ({"confidence_score": "high"}, None),
    ],
)
def test_confidence_is_read_as_share_or_per_cent_and_never_invented(validation, per_cent):
    assert Research(validation=validation).confidence == per_cent


def test_missing_sources_are_none(sandbox):
    sandbox.faults.add("mave/chat", "no_sources")

    assert Mave().chat(QUESTION).sources == []


def test_too_many_requests_wait_as_long_as_mavera_says(sandbox):
    error = refusal(sandbox, "429", retry_after=7)

    assert (error.http_status, error.retry_after) == (429, 7)
    assert traits(error) == {"is_sent"}


def test_too_many_requests_without_a_time_wait_half_a_minute(sandbox):
    assert refusal(sandbox, "429", retry_after=None).retry_after == 30


@pytest.mark.parametrize("header", ["100000", "1e300"])
def test_absurd_waiting_time_is_cut_to_an_hour(header):
    for status in (429, 503):
        assert (
            mavera_replies.refusal(Reply(status, {"retry-after": header}, b"")).retry_after == 3600
        )


@pytest.mark.parametrize("status", [500, 503])
def test_trouble_of_mavera_passes_and_was_not_charged(sandbox, status):
    error = refusal(sandbox, str(status))

    assert error.http_status == status
    assert traits(error) == {"is_sent"}


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "invalid_api_key", "refuses the API key (Mavera answered 401 (invalid_api_key))"),
        (402, "credits_exhausted", "credits are used up"),
        (403, "forbidden", "denies this key"),
    ],
)
def test_refused_key_is_account_wide_and_says_so(sandbox, monkeypatch, status, code, words):
    reply = json_reply({"error": {"code": code}}, status=status)
    monkeypatch.setattr(sandbox._mavera, "refuse", lambda request: reply)

    with pytest.raises(MaveError) as caught:
        Mave().chat(QUESTION)

    assert words in str(caught.value)
    assert traits(caught.value) == {"is_account_wide", "is_sent"}


def test_question_that_mavera_cannot_take_is_permanent(sandbox):
    sandbox.max_message_chars = 10

    with pytest.raises(MaveError, match=r"Mavera answered 400 \(invalid_field\)") as caught:
        Mave().chat(QUESTION)

    assert traits(caught.value) == {"is_permanent", "is_sent"}


def test_silence_ends_at_the_deadline_and_leaves_the_outcome_unknown(sandbox, monkeypatch):
    monkeypatch.setattr(mavera, "DEADLINE_SECONDS", 0.2)

    error = refusal(sandbox, "hang")

    assert str(error).startswith("Mavera did not answer: no")
    assert traits(error) == {"is_outcome_unknown", "is_sent"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("drop", "Mavera did not answer: the connection broke"),
        ("truncated", "Mavera did not answer: the answer broke off"),
        ("paid_then_dropped", "Mavera did not answer: the connection broke"),
        ("html", "Mavera answered a page instead of JSON"),
        ("empty", "Mavera's answer is empty"),
    ],
)
def test_unusable_answer_may_have_been_charged(sandbox, fault, words):
    error = refusal(sandbox, fault)

    assert words in str(error)
    assert traits(error) == {"is_outcome_unknown", "is_sent"}


def test_closed_port_was_never_reached(settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.MAVERA_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(MaveError, match="Mavera cannot be reached: no connection") as caught:
            Mave().chat(QUESTION)

    assert traits(caught.value) == set()


@pytest.mark.parametrize(
    "fault", sorted(set(KINDS) - {"none", "clarify", "slow", "no_validation", "no_sources"})
)
def test_no_message_holds_key_or_question(sandbox, monkeypatch, caplog, fault):
    monkeypatch.setattr(mavera, "DEADLINE_SECONDS", 0.2)
    caplog.set_level(logging.DEBUG)

    error = refusal(sandbox, fault)

    for text in (str(error), repr(error), caplog.text):
        assert sandbox.mavera_key not in text
        assert "What keeps such a customer" not in text


def test_long_answer_is_cut(sandbox, monkeypatch):
    answer = answers.Answer(content="a" * (mavera_replies.MAX_ANSWER + 1))
    monkeypatch.setattr(answers, "choose", lambda questions: answer)

    assert len(Mave().chat(QUESTION).content) == mavera_replies.MAX_ANSWER


def test_characters_that_no_database_takes_are_left_out(sandbox, monkeypatch):
    spoilt = answers.Source("ti\0tle", "https://example.com/\ud83d", "example.com")
    answer = answers.Answer(content="cut \ud83d here\0.", sources=(spoilt,), risk="lo\0w")
    monkeypatch.setattr(answers, "choose", lambda questions: replace(answer, confidence=0.5))

    answer = Mave().chat(QUESTION)

    assert answer.content == "cut \ufffd here."
    assert answer.sources[0]["title"] == "title"
    assert answer.validation["hallucination_risk"] == "low"
    assert "\0" not in str(answer.raw)


def priced(credits):
    body = {"content": "An answer.", "usage": {"credits_used": credits}}
    return mavera_replies.answer(Reply(200, {}, json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("said", "credits"),
    [(45, 45), (45.0, 45), ("45", 45), (" 45 ", 45), (0, 0), (750, 750), (45.5, None), (-1, None),
     (True, None), ("", None), ("many", None), ("-5", None), (None, None)],
)  # fmt: skip
def test_credits_are_a_whole_number_however_it_is_written(said, credits):
    assert priced(said).credits == credits


@pytest.mark.parametrize("said", [751, 2147483647, 1e300, "99999", 10**30])
def test_credits_beyond_belief_are_not_said_and_the_log_names_them(said, caplog):
    assert priced(said).credits is None
    assert f"cost {int(said)!s:.20} credits: not believed" in caplog.text


def test_date_that_no_calendar_knows_says_nothing():
    absurd = {"date": "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"}

    assert mavera_replies.told_at(Reply(200, absurd, b"{}")) is None


@pytest.mark.parametrize(
    ("content", "what"),
    [("\u200b\ufeff", "empty"), ("---", "empty"), ("<!-- -->", "empty"), ("null", "empty"),
     (" <!DOCTYPE html><h1>502 Bad Gateway</h1>", "a web page"), (["text"], "empty")],
)  # fmt: skip
def test_content_that_says_nothing_is_no_answer(content, what):
    body = json.dumps({"content": content, "usage": {"credits_used": 20}}).encode()

    with pytest.raises(mavera_replies.MaveError, match=f"Mavera's answer is {what}") as caught:
        mavera_replies.answer(Reply(200, {}, body))

    assert (caught.value.credits, caught.value.is_outcome_unknown) == (20, True)


def test_every_source_keeps_its_number_whatever_shape_it_came_in():
    given = ["https://a.example/1", None, {"title": "B", "url": f"https://b.example/{'x' * 2000}"}]
    body = json.dumps({"content": "As shown [1].", "sources": given}).encode()

    first, second, third = mavera_replies.answer(Reply(200, {}, body)).sources

    assert first["url"] == "https://a.example/1"
    assert set(second.values()) == {""}
    assert (third["title"], third["url"]) == ("B", "")


@pytest.mark.parametrize(
    ("content", "sources", "is_asking_back"),
    [
        ("Which segment do you mean?", [], True),
        ("Which segment do you mean?", [{"title": "Study"}], False),
        ("## First 24 hours\nWhy not call?", [], False),
        ("**First 24 hours** Why not call? " * 110, [], False),
        ("Please tell me more before I can research this.", [], True),
        (
            "## Before I start\n1. Which market?\n2. Could you share the plan? " + "x" * 1500,
            [],
            True,
        ),
        (
            "**Today**\nCall them. Say: “May I help?”\n**Later**\nListen, and write down why.",
            [],
            False,
        ),
    ],
    ids=[
        "question",
        "with a source",
        "with a section",
        "long, with bold headings",
        "request",
        "questions in a section",
        "short answer with titles",
    ],
)
def test_asking_back_is_a_short_question_without_research(content, sources, is_asking_back):
    body = json.dumps({"content": content, "sources": sources}).encode()

    assert mavera_replies.answer(Reply(200, {}, body)).is_asking_back is is_asking_back


def test_code_of_a_refusal_cannot_forge_a_line_of_the_log():
    body = json.dumps({"error": {"code": "bad_field\n2026 INFO all is\u202e well"}}).encode()

    error = mavera_replies.refusal(Reply(400, {}, body))

    assert error.code == "400 (bad_field2026INFOalliswell)"
    assert str(error) == f"Mavera refused the request (Mavera answered {error.code})"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (302, "Mavera refused the request"),
        (400, "Mavera refused the request"),
        (401, "Mavera refuses the API key"),
        (429, "Mavera asked to wait"),
        (500, "Mavera failed"),
        (503, "Mavera failed"),
    ],
)
def test_a_refusal_has_words_without_its_code(status, words):
    error = mavera_replies.refusal(Reply(status, {}, b"no JSON"))

    assert (error.words, error.code) == (words, str(status))
    assert str(error) == f"{words} (Mavera answered {status})"


def limit(reset, date=None):
    headers = {"x-ratelimit-remaining": "3", "x-ratelimit-reset": reset}
    return mavera_replies.rate_limit(Reply(200, headers | ({"date": date} if date else {}), b"{}"))


def test_rate_limit_is_told_by_maveras_own_clock_where_the_reply_says_it():
    noon = int(datetime(2020, 6, 1, 12, tzinfo=UTC).timestamp())  # years from this host's clock

    assert limit(f"{noon + 20}", "Mon, 01 Jun 2020 12:00:00 GMT").resets_in == 20
    assert limit(f"{noon + 20}", "Mon, 01 Jun 2020 12:00:00 -0000").resets_in == 20


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 01 Jun 99999999 12:00:00 GMT"])
def test_rate_limit_without_a_readable_date_is_told_by_the_clock_of_this_host(monkeypatch, date):
    monkeypatch.setattr(mavera_replies.time, "time", lambda: 1000.0)

    assert limit("1030", date).resets_in == 30


@pytest.mark.parametrize("reset", ["nan", "inf", "-inf", "1e999", "soon", ""])
def test_rate_limit_that_never_resets_is_none(reset):
    assert limit(reset) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("sources", "personas_used", "validation", "thread_id", "usage", "surplus")
REPLIES = st.fixed_dictionaries(
    {"content": JSON | st.just("An answer.")},
    optional={
        **dict.fromkeys(FIELDS, JSON),
        "usage": st.fixed_dictionaries({"credits_used": st.integers() | JSON}),
    },
)


@settings(max_examples=150)
@given(REPLIES | JSON)
def test_any_json_is_an_answer_fit_to_store_or_an_error_in_words(body):
    try:
        answer = mavera_replies.answer(Reply(200, {}, json.dumps(body).encode()))
    except MaveError:
        return

    assert answer.content.strip()
    assert answer.credits is None or 0 <= answer.credits <= mavera_replies.MOST_CREDITS
    stored = json.dumps([answer.raw, answer.validation, answer.sources], allow_nan=False)
    assert "\\u0000" not in stored.replace("\\\\", "")
    json.dumps([answer.content, answer.raw], ensure_ascii=False).encode()
