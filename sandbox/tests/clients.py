"""Clients with the right key, for asking a sandbox over a real socket."""

import requests

from sandbox import Sandbox

QUESTION = "Segment: Trial\nSignal: Spam complaint\nWhat keeps such a customer?"


class Client(requests.Session):
    """A session whose addresses are relative to an API's base, with a time-out on every call."""

    def __init__(self, base_url: str, key: str) -> None:
        super().__init__()
        self.base_url = base_url
        self.headers["Authorization"] = f"Bearer {key}"

    def request(self, method, url, **kwargs):
        kwargs.setdefault("timeout", 60)
        return super().request(method, f"{self.base_url}/{url}", **kwargs)


def app_api(sandbox: Sandbox, key: str | None = None) -> Client:
    return Client(sandbox.cio_base_url, key or sandbox.cio_key)


def mavera(sandbox: Sandbox, key: str | None = None) -> Client:
    return Client(sandbox.mavera_base_url, key or sandbox.mavera_key)


def control(sandbox: Sandbox) -> Client:
    return Client(f"{sandbox.url}/sandbox", "none")


def ask(client: Client, message: str = QUESTION, **fields):
    return client.post("mave/chat", json={"message": message, **fields})


def batch(client: Client, ids, id_type: str = "id"):
    return client.post(f"customers/attributes?id_type={id_type}", json={"ids": ids})
