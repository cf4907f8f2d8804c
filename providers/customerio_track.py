"""Customer.io's Track API, and of it one thing alone: who is in a manual segment.

Every other call of this API writes attributes, events or subscriptions of people. Savedesk makes
none of them, so there is no function for them here.

Source: https://docs.customer.io/integrations/api/track/
"""

import base64
from typing import Literal

from django.conf import settings

from providers import http

IdType = Literal["cio_id", "id", "email"]
MOST_IDS = 1000  # of one request
SECONDS = 5.0


class TrackFailed(Exception):
    """The request had no success. Nothing in the message quotes what was sent."""

    def __init__(
        self, message: str, *, http_status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after = retry_after


class Refused(TrackFailed):
    """This request will never be accepted: one of its ids, or all of their type, is refused."""


class TrackApi:
    """Repeating a request is safe: who is in the segment stays in it, who is not stays out."""

    def __init__(self) -> None:
        self._base_url = settings.CIO_TRACK_BASE_URL
        pair = f"{settings.CIO_TRACK_SITE_ID}:{settings.CIO_TRACK_KEY}"
        self._authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"

    @property
    def is_configured(self) -> bool:
        return bool(settings.CIO_TRACK_SITE_ID and settings.CIO_TRACK_KEY)

    def add(self, segment: int, id_type: IdType, ids: list[str]) -> None:
        """POST /segments/{id}/add_customers: 1 to 1,000 ids; unknown ones are passed over.

        Raises TrackFailed, or Refused if a repetition cannot help.
        https://docs.customer.io/integrations/api/track/#operation/add_to_segment
        """
        self._change("add_customers", segment, id_type, ids)

    def remove(self, segment: int, id_type: IdType, ids: list[str]) -> None:
        """POST /segments/{id}/remove_customers: the same, out of the segment.

        https://docs.customer.io/integrations/api/track/#operation/remove_from_segment
        """
        self._change("remove_customers", segment, id_type, ids)

    def _change(self, act: str, segment: int, id_type: IdType, ids: list[str]) -> None:
        try:
            reply = http.send(
                "POST",
                f"{self._base_url}/segments/{segment}/{act}",
                seconds=SECONDS,
                headers={"Authorization": self._authorization},
                params={"id_type": id_type},
                json={"ids": ids},
            )
        except http.RequestFailed as error:
            raise TrackFailed(f"Customer.io's Track API: {error}") from error
        if not reply.is_success:
            kind = Refused if reply.status in (400, 413, 422) else TrackFailed
            raise kind(
                f"Customer.io's Track API answered {reply.status}",
                http_status=reply.status,
                retry_after=reply.retry_after,
            )
