"""The addresses below a brief by which a program works on it, as people do on the desk.

Each asks for the brief's ETag in If-Match, so that nobody acts on what they have not seen.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import decorators
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api import answers, doing, entries, serializers
from briefs.api.cursors import CURSOR, SIZE
from briefs.api.entries import Entry
from briefs.api.etags import holds, last_seen
from briefs.api.parameters import refuse_unknown
from briefs.api.problems import Invalid, Problem
from briefs.api.repeating import once
from briefs.models import Brief
from briefs.triage import freshness
from briefs.triage.freshness import News, Seen
from personas.models import Customer

WORK = ("briefs.work_brief",)
Act = Callable[[Brief, Any, str, Any], Any]
IF_MATCH = "If-Match"


class Acts:
    """Mixed into the view of briefs."""

    further_permissions: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("assign", "log_contact", "snooze", "wake", "comment", "close", "correct", "reopen"), WORK
    )
    made_classes: ClassVar[dict[str, Any]] = {
        "log_contact": answers.LoggedContact,
        "comment": answers.WrittenComment,
    }
    lists_of_brief = ("contacts", "comments")
    action: str
    request: Any
    shown: Callable[[], tuple[dict[str, Any], str]]
    get_serializer: Any
    get_serializer_context: Any
    paginator: Any

    @extend_schema(request=entries.AssignTo)
    @decorators.action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Assign the brief to a colleague, take it, or make it unassigned."""
        return self._act(pk, doing.assign, entries.AssignTo)

    @extend_schema(filters=False)
    @decorators.action(detail=True, serializer_class=serializers.ContactOfBrief)
    def contacts(self, request: Request, pk: str) -> Response:
        """The tries to reach the customer, oldest first."""
        return self._list(pk, lambda brief: brief.contacts.select_related("actor"))

    @extend_schema(request=entries.LogContact)
    @contacts.mapping.post
    def log_contact(self, request: Request, pk: str) -> Response:
        """Log a try to reach the customer; an unassigned brief becomes yours, a snooze ends."""
        return self._act(pk, doing.log_contact, entries.LogContact)

    @extend_schema(request=entries.SnoozeUntil)
    @decorators.action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Put the brief aside; it wakes at once if the customer signals again."""
        return self._act(pk, doing.snooze, entries.SnoozeUntil)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def wake(self, request: Request, pk: str) -> Response:
        """Wake the brief before its time; it is due today."""
        return self._act(pk, doing.wake, entries.Nothing)

    @extend_schema(filters=False)
    @decorators.action(detail=True, serializer_class=serializers.CommentOfBrief)
    def comments(self, request: Request, pk: str) -> Response:
        """What colleagues wrote about the brief, oldest first."""
        return self._list(
            pk, lambda brief: brief.comments.select_related("actor").prefetch_related("mentioned")
        )

    @extend_schema(request=entries.WriteComment)
    @comments.mapping.post
    def comment(self, request: Request, pk: str) -> Response:
        """Write a comment, also under a closed brief."""
        return self._act(pk, doing.comment, entries.WriteComment)

    @extend_schema(request=entries.CloseWith)
    @decorators.action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close the brief with its outcome."""
        return self._act(pk, doing.close, entries.CloseWith)

    @extend_schema(request=entries.CorrectTo)
    @decorators.action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str) -> Response:
        """Say anew how a closed brief ended. What is not sent stays as it was said."""
        return self._act(pk, doing.correct, entries.CorrectTo)

    @extend_schema(request=entries.ReopenBecause)
    @decorators.action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Open a closed brief again, in your hands."""
        return self._act(pk, doing.reopen, entries.ReopenBecause)

    def _list(self, pk: str, rows: Callable[[Brief], Any]) -> Response:
        refuse_unknown(self.request, [CURSOR, SIZE])
        page = self.paginator.paginate_queryset(rows(_find(pk)), self.request, view=self)
        shown = self.get_serializer(page, many=True).data
        response: Response = self.paginator.get_paginated_response(shown)
        return response

    def _act(self, pk: str, act: Act, entry_class: type[Entry]) -> Response:
        """Do it once, and show what it made, or else the brief."""
        refuse_unknown(self.request, [])
        brief = _find(pk)
        if IF_MATCH not in self.request.headers:
            words = f"Send the brief's ETag in {IF_MATCH}, so that you act on what you have seen."
            raise Problem(HTTPStatus.PRECONDITION_REQUIRED, "if_match_missing", words)

        def do() -> Response:
            made = self._do(brief, act, entry_class)
            shown, tag = self.shown()
            made_class = self.made_classes.get(self.action)
            if made_class is None:
                address = reverse("api:brief-detail", args=[brief.pk])
                return Response(shown, headers={"ETag": tag, "Content-Location": address})
            made.brief_etag = tag
            context = self.get_serializer_context()
            return Response(made_class(made, context=context).data, HTTPStatus.CREATED)

        return once(self.request, brief, do)

    def _do(self, brief: Brief, act: Act, entry_class: type[Entry]) -> Any:
        actor, header = self.request.user, self.request.headers[IF_MATCH]
        # All that the act locks, in the order of all others: the brief stays as it was seen. The
        # act alone would let pass what the actor did on another page, or another program of theirs.
        freshness.locked_people(actor, *_others(self.request.data))
        if act is doing.reopen:
            Customer.objects.select_for_update().get(pk=brief.customer_id)
        brief = freshness.locked(brief, actor, *WORK)
        if not holds(header, brief):
            raise self._stale(freshness.since(brief, actor, last_seen(header, brief)), brief)
        entry = entry_class(data=self.request.data, context={"brief": brief})
        if not entry.is_valid():
            raise Invalid(entry.errors)
        try:
            return act(brief, actor, str(Seen.of(brief)), entry.entered)
        except ValidationError as error:
            raise Invalid(error.message_dict) from None

    def _stale(self, news: News, brief: Brief) -> Problem:
        """A refusal that tells what arrived since, and the ETag of now."""
        told = answers.NewsOfBrief(news, context=self.get_serializer_context()).data
        words = "The brief has changed since this ETag: nothing was done. See news, or get it anew."
        if news.is_unknown:
            words = f"{IF_MATCH} names no ETag of this brief: nothing was done. Get it anew."
        further = {"revision": brief.revision, "news": told}
        _, tag = self.shown()
        return Problem(HTTPStatus.PRECONDITION_FAILED, "stale", words, further, {"ETag": tag})


def _find(pk: str) -> Brief:
    brief: Brief = get_object_or_404(Brief.objects.all(), pk=pk)
    return brief


def _others(data: Any) -> list[Any]:
    """Whom the act is about beside the actor: all people are locked together, in their order."""
    to = data.get("to") if isinstance(data, dict) else None
    person = (
        doing.named(to) if isinstance(to, str) and "\0" not in to and to.isprintable() else None
    )
    return [person] if person else []
