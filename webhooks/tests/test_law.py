"""The law of the receiver: every signed request is answered 200 and stored in a row.

Property-based, over a real socket, with Content-Length and with chunks. FUZZ_EXAMPLES sets how many
examples are tried. Hypothesis prints with a failure how to repeat it.
"""

import contextlib
import gzip
import itertools
import json
import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from webhooks.tests.real_server import Client, Server, copied_database, digest_key, request

pytestmark = pytest.mark.processes

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
MIB = 1024 * 1024
numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory, migrated):
    with copied_database(tmp_path_factory.mktemp("law"), migrated) as url:
        server = Server(url)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def client(server):
    client = Client(server.port)
    yield client
    client.close()


@pytest.fixture(scope="module")
def rows(server):
    connection = server.connect()
    mark = "?" if server.database_url.startswith("sqlite") else "%s"

    def find(body):
        """The rows of this body: by its digest, and by its event id if that is usable."""
        keys = [digest_key(body)]
        with contextlib.suppress(ValueError, RecursionError, TypeError, AttributeError):
            identity = json.loads(body).get("event_id")
            if isinstance(identity, str) and "\0" not in identity:
                identity.encode()
                keys.append(identity)
        marks = ", ".join([mark] * len(keys))
        found = connection.execute(
            f"SELECT body, body_size, body_sha256, status, deliveries"
            f" FROM webhooks_webhookevent WHERE event_id IN ({marks})",
            keys,
        ).fetchall()
        return [(bytes(row[0]), *row[1:]) for row in found]

    yield find
    connection.close()


def prove(client, rows, body, **how):
    """Send a signed request and check the law; returns the status in the answer."""
    code, answer = client.send(request(client.port, body, **how))
    assert code == 200, (code, answer[:200])
    word = json.loads(answer)["status"]
    assert word in ("stored", "duplicate", "quarantined")
    found = rows(body)
    if word == "duplicate":
        assert any(row[4] > 1 for row in found)
    elif len(body) > 10 * MIB:
        assert any(
            row[1] == len(body) and digest_key(body).endswith(row[2]) and body.startswith(row[0])
            for row in found
        )
    else:
        assert any(row[0] == body for row in found)
    return word


# What a sender could say --------------------------------------------------------------------------

texts = st.text(max_size=60) | st.sampled_from(
    ["", "\0", "\ud800", "x" * 8000, "\u202e", "null", "' OR 1=1 --", "\U0001f4a9", "a\0b"]
)
numbers_of_all_kinds = (
    st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([10**300, -(10**300), 2**63, 2**64, -1, 0, 1e308])
)
values = st.recursive(
    st.none() | st.booleans() | numbers_of_all_kinds | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
identifiers = st.fixed_dictionaries(
    {}, optional={"id": values, "email": values, "cio_id": values, "phone": values}
)
events = st.fixed_dictionaries(
    {},
    optional={
        "event_id": texts | values | st.builds(lambda: f"e-{next(numbers)}"),
        "object_type": st.sampled_from(["email", "customer", "push"]) | values,
        "object_type_type": values,
        "metric": st.sampled_from(["unsubscribed", "bounced", "spammed"]) | values,
        "event_type": st.sampled_from(["email_unsubscribed", "nonsense"]) | values,
        "timestamp": numbers_of_all_kinds | values,
        "data": st.fixed_dictionaries(
            {},
            optional={
                "identifiers": identifiers | values,
                "customer_id": values,
                "email_address": values,
                "recipient": values,
                "content": values,
                "failure_message": values,
            },
        )
        | values,
    },
)
json_bodies = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    events | values,
    st.booleans(),
)
odd_bodies = st.sampled_from(
    [
        b"",
        b" ",
        b"\0",
        b"\xef\xbb\xbf{}",
        b'{"event_id": "utf-16"}'.decode().encode("utf-16"),
        b'{"event_id":"dup","event_id":"dup2","metric":"a","metric":"b"}',
        b'{"event_id":"n","timestamp":' + b"9" * 5000 + b"}",
        b'{"event_id":"inf","timestamp":Infinity}',
        b'{"event_id":"nan","timestamp":NaN}',
        b'{"event_id":"' + b"i" * 8000 + b'"}',
        b'{"event_id":"deep","data":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b"[" * 200_000,
        gzip.compress(b'{"event_id":"zip"}'),
        b'{"event_id":"half"',
        b"event_id=form&metric=encoded",
    ]
)
bodies = json_bodies | odd_bodies | st.binary(max_size=300)
header_values = st.binary(max_size=40).map(
    lambda raw: bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F)
)
header_names = st.sampled_from(
    [
        b"Content-Type",
        b"Accept",
        b"Accept-Encoding",
        b"Accept-Language",
        b"Content-Encoding",
        b"Host",
        b"Cookie",
        b"Authorization",
        b"User-Agent",
        b"Origin",
        b"Referer",
        b"X-Forwarded-Host",
        b"X-Forwarded-Proto",
        b"X-HTTP-Method-Override",
        b"X-CSRFToken",
        b"Range",
        b"If-None-Match",
        b"If-Modified-Since",
    ]
)
likely_values = st.sampled_from(
    [
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"multipart/form-data",
        b"text/plain; charset=nonsense",
        b"text/html",
        b"image/png",
        b"*/*;q=0",
        b"gzip, deflate, br",
        b"evil.example:99999",
        b"sessionid=x; csrftoken=y",
        b"Basic YTpi",
        b"Token nonsense",
        b"PUT",
        b"bytes=0-1",
        b"*",
    ]
)
headers = st.lists(
    st.tuples(header_names, header_values | likely_values),
    max_size=6,
    unique_by=lambda pair: pair[0],
)
paths = st.sampled_from(
    [
        b"/webhooks/customerio/",
        b"/webhooks/customerio",
        b"/webhooks/customerio/?format=xml",
        b"/webhooks/customerio?format=api&x=%00",
        b"/webhooks/customerio/?%ff=%fe",
        b"/webhooks/customerio//",
    ]
)
timestamps = st.sampled_from(["1614265384", "0", "1", "9" * 20])


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(
    body=bodies,
    headers=headers,
    path=paths,
    chunk=st.none() | st.integers(1, 400),
    timestamp=timestamps,
)
@example(body=b"{}", headers=[], path=b"/webhooks/customerio", chunk=1, timestamp="1")
def test_every_signed_request_is_answered_200_and_stored_in_a_row(
    server, client, rows, body, headers, path, chunk, timestamp
):
    if chunk is not None and len(body) > 20_000:
        chunk = 4096
    prove(client, rows, body, headers=headers, path=path, chunk=chunk, timestamp=timestamp)


@pytest.mark.parametrize("chunk", [None, 60_000], ids=["content-length", "chunked"])
@pytest.mark.parametrize(
    ("size", "word"),
    [
        (int(2.5 * MIB) - 1, "stored"),
        (int(2.5 * MIB) + 1, "stored"),
        (10 * MIB, "stored"),
        (10 * MIB + 1, "quarantined"),
        (30 * MIB, "quarantined"),
        (64 * MIB, "quarantined"),
    ],
)
def test_sizes_around_every_limit(client, rows, size, word, chunk):
    start = b'{"event_id":"size-%d-%d","x":"' % (size, chunk or 0)
    body = start + b"a" * (size - len(start) - 2) + b'"}'
    assert len(body) == size

    assert prove(client, rows, body, chunk=chunk) == word


def test_a_body_over_64_mib_is_refused_and_the_next_request_is_served(server, client, rows):
    refused = Client(server.port)
    with contextlib.suppress(OSError):  # the server may hang up before it has read everything
        code, _ = refused.send(request(server.port, b"x" * (64 * MIB + 1)))
        assert code == 413

    assert prove(client, rows, b'{"event_id":"after-the-large-one"}') == "stored"


def test_a_sender_that_expects_100_continue_gets_it_and_is_stored(client, rows):
    assert prove(client, rows, b'{"event_id":"expect"}', headers=[(b"Expect", b"100-continue")])


def test_slow_sender_does_not_hold_up_another(server, client, rows):
    import socket

    whole = request(server.port, b'{"event_id":"slow"}')
    slow = socket.create_connection(("127.0.0.1", server.port))
    slow.sendall(whole[:-5])

    prove(client, rows, b'{"event_id":"quick"}')

    slow.sendall(whole[-5:])
    assert slow.recv(1000).startswith(b"HTTP/1.1 200")
    slow.close()
