"""Each share of the web server's threads: what it answers, and what it refuses."""

import asyncio
import threading

import pytest

from config.bulkheads import Bulkhead, environment

REQUEST = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "query_string": b"",
    "http_version": "1.1",
    "headers": [],
    "client": ("203.0.113.9", 5000),
    "server": ("127.0.0.1", 8000),
}


def echo(environ, start_response):
    """A WSGI application that answers with the body it got."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


class Client:
    """One request to a share: the parts of its body are sent one by one."""

    def __init__(self, share, *parts, **scope):
        self.share, self.scope, self.sent = share, {**REQUEST, **scope}, []
        *first, last = parts or [b""]
        self.parts = [
            *({"type": "http.request", "body": part, "more_body": True} for part in first),
            {"type": "http.request", "body": last, "more_body": False},
        ]

    async def receive(self):
        if not self.parts:
            await asyncio.Event().wait()  # the rest never comes
        return self.parts.pop(0)

    async def send(self, message):
        self.sent.append(message)

    async def ask(self):
        await self.share(self.scope, self.receive, self.send)
        return self.sent[0]["status"], self.sent[1]["body"]

    def header(self, name):
        return dict(self.sent[0]["headers"]).get(name)


def slow(share, first=b"x"):
    """A request whose body begins and does not end."""
    client = Client(share, first, b"never")
    client.parts.pop()
    return client


def share(application=echo, **limits):
    return Bulkhead(application, "test", **{"threads": 1, "places": 1, **limits})


def test_request_is_answered_by_the_application():
    client = Client(share(), b"a", b"bc")

    assert asyncio.run(client.ask()) == (200, b"abc")
    assert client.header(b"content-length") == b"3"


def test_answer_to_head_has_no_body():
    client = Client(share(), b"abc", method="HEAD")

    assert asyncio.run(client.ask()) == (200, b"")
    assert client.header(b"content-length") == b"3"


def test_who_comes_when_all_places_are_taken_is_told_to_come_again():
    go_on = threading.Event()

    def busy(environ, start_response):
        go_on.wait(30)
        return echo(environ, start_response)

    async def ask():
        one, other = share(busy), share()
        running = asyncio.create_task(Client(one).ask())
        await asyncio.sleep(0)
        surplus = Client(one)
        refused, elsewhere = await surplus.ask(), await Client(other, b"a").ask()
        go_on.set()
        return refused[0], surplus.header(b"retry-after"), elsewhere, await running

    assert asyncio.run(ask()) == (503, b"5", (200, b"a"), (200, b""))


def test_who_waited_too_long_for_a_thread_is_refused():
    status, _ = asyncio.run(Client(share(longest_wait=-1)).ask())

    assert status == 503


def test_browser_is_shown_a_page_when_it_is_refused():
    page = share(longest_wait=-1, busy_page=b"<p>busy</p>")
    client = Client(page, headers=[(b"accept", b"text/html,*/*")])

    assert asyncio.run(client.ask()) == (503, b"<p>busy</p>")
    assert client.header(b"content-type").startswith(b"text/html")


def test_body_that_does_not_arrive_in_time_takes_no_thread():
    def never(environ, start_response):
        raise AssertionError("the application was asked")

    client = slow(share(never, body_seconds=0.01))

    assert asyncio.run(client.ask())[0] == 408
    assert client.header(b"connection") == b"close"


def test_while_bodies_arrive_slowly_others_are_answered():
    async def ask():
        one = share(places=1)
        waiting = [asyncio.create_task(slow(one).ask()) for _ in range(100)]
        await asyncio.sleep(0)
        try:
            return await Client(one, b"quick").ask()
        finally:
            for task in waiting:
                task.cancel()

    assert asyncio.run(ask()) == (200, b"quick")


def test_of_too_many_slow_bodies_the_oldest_is_given_up():
    async def ask():
        one = share(bodies=2)
        oldest, newer = (asyncio.create_task(slow(one).ask()) for _ in range(2))
        await asyncio.sleep(0)
        answer = await Client(one, b"quick").ask()
        given_up = (await oldest)[0]
        newer.cancel()
        return answer, given_up

    assert asyncio.run(ask()) == ((200, b"quick"), 408)


def test_body_that_is_too_large_is_refused_before_it_is_whole():
    client = slow(share(body_bytes=3), b"four")

    assert asyncio.run(client.ask())[0] == 413


def test_bodies_together_have_a_limit_and_give_their_room_back():
    async def ask():
        one = share(held_bytes=5)
        first = asyncio.create_task(slow(one, b"four").ask())
        await asyncio.sleep(0)
        refused = (await Client(one, b"four").ask())[0]
        first.cancel()
        await asyncio.wait([first])
        return refused, (await Client(one, b"four").ask())[0]

    assert asyncio.run(ask()) == (503, 200)


def test_client_that_hangs_up_is_forgotten():
    client = Client(share())
    client.parts = [{"type": "http.disconnect"}]

    asyncio.run(client.share(client.scope, client.receive, client.send))

    assert client.sent == []
    assert client.share.held == client.share.taken == len(client.share.reading) == 0


@pytest.mark.parametrize(
    "scope",
    [{"query_string": "ä".encode()}, {"headers": [(b"x-many", b"1")] * 101}],
    ids=["a query that is not ASCII", "a header a hundred times"],
)
def test_request_that_has_no_environment_is_refused(scope):
    assert asyncio.run(Client(share(), **scope).ask())[0] == 400


def test_header_with_an_underscore_is_not_taken_for_the_real_one():
    headers = [(b"x_forwarded_for", b"198.51.100.1"), (b"x-forwarded-for", b"203.0.113.1")]

    environ = environment({**REQUEST, "headers": headers}, b"")

    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.1"


def test_body_that_came_in_chunks_has_a_length():
    headers = [(b"transfer-encoding", b"chunked")]

    environ = environment({**REQUEST, "headers": headers}, b"four")

    assert environ["CONTENT_LENGTH"] == "4"
    assert "HTTP_TRANSFER_ENCODING" not in environ


# An answer that is made while it is sent


class Streamed:
    """What Django's StreamingHttpResponse is to a WSGI server."""

    streaming = True

    def __init__(self, parts):
        self.parts, self.is_closed = parts, False

    def __iter__(self):
        return iter(self.parts)

    def close(self):
        self.is_closed = True


def streaming(answer):
    def application(environ, start_response):
        start_response("200 OK", [])
        return answer

    return application


def bodies(client):
    return [message["body"] for message in client.sent[1:]]


def test_part_is_made_when_the_one_before_it_is_sent():
    client = Client(None)
    answer = Streamed(b"%d" % len(client.sent) for _ in range(3))
    client.share = share(streaming(answer))

    asyncio.run(client.ask())

    assert bodies(client) == [b"1", b"2", b"3", b""]
    assert [message.get("more_body", False) for message in client.sent[1:]] == [True] * 3 + [False]
    assert answer.is_closed
    assert client.share.taken == 0


def test_answer_whose_making_fails_has_no_end():
    def fails():
        yield b"some"
        raise ConnectionError("the database went away")

    answer = Streamed(fails())
    client = Client(share(streaming(answer)))

    with pytest.raises(ConnectionError):
        asyncio.run(client.ask())

    assert [message.get("more_body") for message in client.sent[1:]] == [True]
    assert answer.is_closed
    assert client.share.taken == 0


def test_who_does_not_take_the_parts_is_hung_up_on():
    client = Client(share(streaming(Streamed(iter([b"a", b"b"]))), part_seconds=0.01))
    taken = client.send

    async def send(message):
        await taken(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # the connection's buffer is full, and nobody reads

    client.send = send
    with pytest.raises(TimeoutError):
        asyncio.run(client.ask())

    assert bodies(client) == [b"a"]
    assert client.share.taken == 0


def test_nothing_more_is_made_for_who_hung_up():
    client = Client(None)

    def parts():
        yield b"first"
        client.parts.append({"type": "http.disconnect"})
        for _ in range(1_000):
            yield b"more"

    answer = Streamed(parts())
    client.share = share(streaming(answer))

    async def receive():
        while not client.parts:
            await asyncio.sleep(0)
        return client.parts.pop(0)

    client.receive = receive
    asyncio.run(client.ask())

    assert len(client.sent) < 100
    assert answer.is_closed


def test_slow_reader_of_a_long_answer_holds_no_thread():
    async def ask():
        one = share(
            lambda environ, start: (
                streaming(Streamed(iter([b"a", b"b"])))(environ, start)
                if environ["PATH_INFO"] == "/long"
                else echo(environ, start)
            ),
            places=2,
        )
        slow_one, quick = Client(one, path="/long"), Client(one, b"quick")
        taken, go_on = slow_one.send, asyncio.Event()

        async def send(message):
            await taken(message)
            await go_on.wait()

        slow_one.send = send
        running = asyncio.create_task(slow_one.ask())
        answer = await quick.ask()
        go_on.set()
        await running
        return answer, bodies(slow_one)

    assert asyncio.run(ask()) == ((200, b"quick"), [b"a", b"b", b""])
