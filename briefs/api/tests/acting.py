"""What tests of the API's acts share: a program with a token, which sees a brief and acts on it."""

from typing import Any

from accounts.models import Role
from accounts.tokens.tests.making import make_token


class Program:
    """Somebody's program. It acts on the ETag that it got last, unless a test gives another."""

    def __init__(self, client: Any, user: Any, role: Role = Role.AGENT) -> None:
        self.client = client
        self.header = {"Authorization": f"Token {make_token(user, role)[1]}"}

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self.header)

    def see(self, brief: Any) -> str:
        return str(self.get(f"briefs/{brief.pk}/")["ETag"])

    def act(self, brief: Any, name: str, seen: str | None = "", key: str = "", **sent: Any) -> Any:
        """POST; `seen`: the ETag in If-Match, by default that of now; None: without the header."""
        headers = dict(self.header)
        if seen is not None:
            headers["If-Match"] = seen or self.see(brief)
        if key:
            headers["Idempotency-Key"] = key
        path = f"/api/v1/briefs/{brief.pk}/{name}/"
        return self.client.post(path, sent, content_type="application/json", headers=headers)
