"""What sign-in, sessions and the admin's log keep about people.

The team's own accounts are no customers: what they are called stays.
"""

import json
from typing import Any

from django.contrib.sessions.models import Session

from webhooks.personal import Fate, Nobody, Quotes, register


def _session(row: Session) -> str:
    """What a session holds, which is packed and signed."""
    return json.dumps(row.get_decoded(), ensure_ascii=False, default=str)


def enter() -> None:
    attempt: dict[str, Any] = {"ip_address": "where it came from", "user_agent": "of a browser",
                               "http_accept": "of a browser"}  # fmt: skip
    register(
        Quotes("admin.LogEntry", "change_message object_repr",
               harmless={"object_id": "a key of ours"}),
        Quotes("sessions.Session", "session_data", Fate.DELETED, texts=_session,
               harmless={"session_key": "a random token"}),
        Quotes("axes.AccessAttempt", "username path_info get_data post_data", Fate.DELETED,
               harmless=attempt),
        Quotes("axes.AccessFailureLog", "username path_info", Fate.DELETED, harmless=attempt),
        Quotes("axes.AccessLog", "username path_info", Fate.DELETED,
               harmless={**attempt, "session_hash": "a digest"}),
        Quotes("accounts.ApiToken", "name", Fate.TOLD,
               harmless={"digest": "of the token", "token_key": "its beginning"}),
        Quotes("auth.Group", "name", Fate.TOLD),
        Nobody("accounts.Identity", "accounts of the team at their provider"),
        Nobody("accounts.Preferences", "time zones of the team"),
        Nobody("accounts.SignInPolicy", "how people sign in"),
        Nobody("auth.Group_permissions", "rights"),
        Nobody("auth.Permission", "rights"),
        Nobody("auth.User", "accounts of the team"),
        Nobody("auth.User_groups", "roles"),
        Nobody("auth.User_user_permissions", "rights"),
        Nobody("authtoken.Token", "tokens of the team, of an earlier release"),
        Nobody("axes.AccessAttemptExpiration", "a time for each attempt"),
        Nobody("contenttypes.ContentType", "names of tables"),
        Nobody("otp_static.StaticDevice", "second factors of the team"),
        Nobody("otp_static.StaticToken", "recovery codes of the team"),
        Nobody("otp_totp.TOTPDevice", "second factors of the team"),
    )  # fmt: skip
