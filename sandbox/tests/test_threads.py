"""Mave's threads: listing in both ways, reading, renaming, deleting, finding a lost answer."""

import threading
import time

import pytest
import requests

from sandbox.tests.clients import QUESTION, ask, mavera


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def roles(client, thread_id):
    return [m["role"] for m in client.get(f"mave/threads/{thread_id}").json()["messages"]]


def test_a_thread_keeps_the_question_word_by_word_and_the_answer(sandbox):
    client = mavera(sandbox)
    answer = ask(client, f"{QUESTION}\n\nRef: r-42").json()

    thread = client.get(f"mave/threads/{answer['thread_id']}").json()

    assert thread["messages"][0]["content"] == f"{QUESTION}\n\nRef: r-42"
    assert thread["messages"][1]["content"] == answer["content"]
    assert thread["complexity"] == "SIMPLE"
    assert thread["credits_used"] == answer["usage"]["credits_used"]
    assert [source["url"] for source in thread["sources"]] == [s["url"] for s in answer["sources"]]
    assert "message_count" not in thread


def test_a_question_in_a_thread_continues_it(sandbox):
    client = mavera(sandbox)
    first = ask(client).json()

    second = ask(client, "And if they do not answer?", thread_id=first["thread_id"]).json()

    assert second["thread_id"] == first["thread_id"]
    assert roles(client, first["thread_id"]) == ["user", "assistant"] * 2
    assert second["content"] == first["content"]


def test_a_thread_is_there_before_its_answer_which_comes_though_nobody_waits(sandbox, monkeypatch):
    may_answer = threading.Event()
    monkeypatch.setattr(sandbox._mavera.chat, "_pause", lambda seconds: may_answer.wait(60))
    client = mavera(sandbox)

    with pytest.raises(requests.ReadTimeout):
        client.post("mave/chat", json={"message": QUESTION}, timeout=0.1)

    wait_for(lambda: client.get("mave/threads").json()["data"])
    (thread,) = client.get("mave/threads").json()["data"]
    assert thread["complexity"] is None
    assert roles(client, thread["id"]) == ["user"]
    may_answer.set()
    wait_for(lambda: roles(client, thread["id"]) == ["user", "assistant"])
    assert sandbox.credits_used > 0


def make_threads(client, count):
    for number in range(count):
        ask(client, f"Question {number}", workspace_id=f"ws_{number % 2}")


def titles(reply):
    return [thread["title"] for thread in reply.json()["data"]]


def test_threads_are_listed_newest_first_by_cursor(sandbox):
    client = mavera(sandbox)
    make_threads(client, 3)

    first = client.get("mave/threads?limit=2")
    make_threads(client, 1)
    second = client.get("mave/threads", params={"limit": 2, "cursor": first.json()["next_cursor"]})

    assert (titles(first), first.json()["has_more"]) == (["Question 2", "Question 1"], True)
    assert (titles(second), second.json()["has_more"]) == (["Question 0"], False)
    assert second.json()["next_cursor"] is None


def test_threads_are_listed_by_offset_when_the_request_has_one(sandbox):
    client = mavera(sandbox)
    make_threads(client, 3)

    body = client.get("mave/threads?limit=2&offset=2").json()

    assert [thread["title"] for thread in body["data"]] == ["Question 0"]
    assert (body["total"], body["limit"], body["offset"], body["has_more"]) == (3, 2, 2, False)
    assert "next_cursor" not in body


def test_the_older_paging_knows_no_cursor_and_no_search(sandbox):
    sandbox.paging = "offset"
    client = mavera(sandbox)
    make_threads(client, 21)

    first = client.get("mave/threads?search=nothing&cursor=nonsense").json()
    second = client.get("mave/threads?offset=20").json()

    assert (len(first["data"]), first["has_more"]) == (20, True)
    assert (first["total"], first["limit"], first["offset"]) == (21, 20, 0)
    assert "next_cursor" not in first
    assert [thread["title"] for thread in second["data"]] == ["Question 0"]


def test_the_newer_paging_knows_no_offset(sandbox):
    sandbox.paging = "cursor_only"
    client = mavera(sandbox)
    make_threads(client, 3)

    first = client.get("mave/threads?limit=2&offset=2")
    second = client.get("mave/threads", params={"cursor": first.json()["next_cursor"], "offset": 0})

    assert titles(first) == ["Question 2", "Question 1"]
    assert titles(second) == ["Question 0"]
    assert "total" not in first.json()


@pytest.mark.parametrize("paging", ["cursor", "cursor_only", "offset"])
def test_a_page_holds_a_hundred_threads_at_most(sandbox, paging):
    sandbox.paging = paging
    client = mavera(sandbox)

    assert client.get("mave/threads?limit=100").status_code == 200
    assert client.get("mave/threads?limit=101").json()["error"]["param"] == "limit"


def test_threads_are_narrowed_by_workspace_and_title(sandbox):
    client = mavera(sandbox)
    make_threads(client, 3)

    assert titles(client.get("mave/threads?workspace_id=ws_1")) == ["Question 1"]
    assert titles(client.get("mave/threads?search=question+2")) == ["Question 2"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "offset=-1", "cursor=nonsense", "cursor=é"]
)
def test_a_page_that_makes_no_sense_is_a_400(sandbox, query):
    reply = mavera(sandbox).get(f"mave/threads?{query}")

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == query.partition("=")[0]


def test_a_thread_is_renamed_within_100_characters(sandbox):
    client = mavera(sandbox)
    path = f"mave/threads/{ask(client).json()['thread_id']}"

    assert client.patch(path, json={"title": "x" * 101}).status_code == 400
    assert client.patch(path, json={}).json()["error"]["code"] == "missing_field"
    assert client.patch(path, json={"title": "Kept"}).json()["title"] == "Kept"
    assert client.get(path).json()["title"] == "Kept"


def test_a_deleted_thread_is_gone(sandbox):
    client = mavera(sandbox)
    path = f"mave/threads/{ask(client).json()['thread_id']}"

    assert client.delete(path).json()["deleted"] is True
    for method in ("get", "patch", "delete"):
        assert client.request(method, path, json={"title": "x"}).status_code == 404
