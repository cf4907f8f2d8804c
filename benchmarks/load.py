"""A load generator that is cheaper than what it measures: requests are signed beforehand."""

import hashlib
import hmac
import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SECRET = "signing-key-of-the-benchmarks"  # noqa: S105 - signs made-up events only
# What a workspace sends on an ordinary day: mostly deliveries, now and then a signal.
KINDS = [("email", "delivered")] * 60 + [("email", "opened")] * 30 + [("email", "sent")] * 8
KINDS += [("customer", "unsubscribed"), ("email", "bounced")]


def events(count: int, run: str) -> Iterator[dict[str, object]]:
    """Made-up events; `run` makes their ids new."""
    for number in range(count):
        object_type, metric = KINDS[number % len(KINDS)]
        person = {"id": f"person-{number % 5000}", "cio_id": f"{number % 5000:08x}"}
        data = {
            "identifiers": {**person, "email": f"person-{number % 5000}@example.com"},
            "delivery_id": f"delivery-{run}-{number}",
            "campaign_id": 5,
            "subject": "A subject of ordinary length",
            "recipient": f"person-{number % 5000}@example.com",
        }
        yield {
            "event_id": f"{run}-{number}",
            "object_type": object_type,
            "metric": metric,
            "timestamp": int(time.time()),
            "data": data,
        }


def requests(count: int, run: str, port: int) -> list[bytes]:
    """Whole HTTP requests, signed, ready to be sent."""
    ready = []
    stamp = str(int(time.time()))
    for event in events(count, run):
        body = json.dumps(event).encode()
        mac = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        head = (
            f"POST /webhooks/customerio/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nX-CIO-Timestamp: {stamp}\r\n"
            f"X-CIO-Signature: {mac.hexdigest()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        ready.append(head.encode() + body)
    return ready


@dataclass
class Result:
    """What came back: seconds in all, a latency in seconds for each answer, codes."""

    seconds: float
    latencies: list[float] = field(repr=False)
    codes: Counter[str]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Peer:
    """One keep-alive connection and the answer it is waiting for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.answer = b""

    def send(self, request: bytes) -> None:
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what has arrived; True once the answer is whole or the connection is closed."""
        try:
            chunk = self.socket.recv(65536)
        except ConnectionError:
            chunk = b""
        self.answer += chunk
        if not chunk:
            self.answer = b""
            return True
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return False
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        return len(body) >= int(length or 0)

    @property
    def code(self) -> str:
        return self.answer[9:12].decode() or "closed"


def run(ready: list[bytes], port: int, connections: int, seconds: float) -> Result:
    """Keep `connections` busy, one request at a time each, until time or requests are used up."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    codes: Counter[str] = Counter()
    waiting = iter(ready)
    peers = [_Peer(port) for _ in range(connections)]
    began = time.perf_counter()
    for peer in peers:
        selector.register(peer.socket, selectors.EVENT_READ, peer)
        peer.send(next(waiting))
    busy = len(peers)
    while busy and time.perf_counter() - began < seconds + 15:
        for key, _ in selector.select(timeout=1):
            peer = key.data
            if not peer.receive():
                continue
            now = time.perf_counter()
            latencies.append(now - peer.sent_at)
            codes[peer.code] += 1
            request = next(waiting, None) if now - began < seconds and peer.answer else None
            if request is not None:
                peer.send(request)
                continue
            selector.unregister(peer.socket)
            peer.socket.close()
            busy -= 1
    return Result(time.perf_counter() - began, latencies, codes)
