"""Reprocessing as jobs: ordered here, done in the background, asked for until they are over."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import decorators, serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api import entries
from briefs.api.bulk import by_path
from briefs.api.entries import Entry
from briefs.api.filters import MomentField
from briefs.api.parameters import refuse_unknown
from briefs.api.parsing import Json
from briefs.api.problems import Invalid, Problem
from briefs.api.repeating import once
from briefs.api.views import ReadOnly
from briefs.finding.filters import in_words
from briefs.models import ReprocessedBrief, ReprocessingJob
from briefs.reprocessing import ordering
from briefs.reprocessing.selecting import MOST_IDS, STATUSES, Selection
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.counting import LEAST_CREDITS

Kind = ReprocessingJob.Kind
KINDS = [(one.value, one.label) for one in (Kind.EVENTS, Kind.BRIEFS)]  # that are ordered
_LARGEST = 2**63 - 1


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]  # ships no types
    state = django_filters.ChoiceFilter(
        choices=ReprocessingJob.State.choices,
        error_messages=in_words(ReprocessingJob.State.choices),
    )

    class Meta:
        model = ReprocessingJob
        fields: list[str] = []


class _Moment(serializers.DateTimeField):
    def to_internal_value(self, value: Any) -> Any:
        at = super().to_internal_value(value)
        return MomentField().to_python(at.isoformat()) if at else at


def _words(**options: Any) -> serializers.CharField:
    return serializers.CharField(required=False, max_length=200, **options)


class Selectors(Entry):
    """Which events. Selectors narrow each other down."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=MOST_IDS,
        help_text="Our ids or Customer.io's event ids.",
    )
    status: Any = serializers.ListField(
        child=entries.choice([(one, one) for one in STATUSES]),
        required=False,
        max_length=len(STATUSES),
        help_text="How they ended.",
    )
    object_type = _words(help_text="As Customer.io names it: customer, email.")
    metric = _words(help_text="As Customer.io names it: unsubscribed, bounced.")
    reason = _words(help_text="These words occur in why it ended as it did.")
    customer = _words(help_text="A whole id, cio_id, e-mail address or number of a person.")
    since = _Moment(required=False, help_text="Received at this moment or after it.")
    until = _Moment(required=False, help_text="Received before this moment.")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="The first of them, by our ids."
    )
    after_id = serializers.IntegerField(
        required=False, min_value=0, max_value=_LARGEST, help_text="Only those above our id."
    )


@entries.for_example(
    kind="events", dry_run=True, selectors={"metric": "bounced", "since": "2026-11-01T00:00:00Z"}
)
class OrderJob(Entry):
    kind = entries.choice(KINDS)
    dry_run = serializers.BooleanField(
        default=True, help_text="Only say what would change and what it would cost."
    )
    selectors = Selectors(required=False, help_text="Which events; of `events` alone.")


class JobInFull(serializers.ModelSerializer[ReprocessingJob]):
    is_dry_run = serializers.BooleanField(read_only=True)
    actor = serializers.CharField(
        source="actor.username", read_only=True, allow_null=True, default=None
    )
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many came to what, by the words for it."
    )
    selectors = serializers.DictField(help_text="As they were sent.")
    examples = serializers.SerializerMethodField(help_text="Of a dry run: what would change.")
    new_questions = serializers.IntegerField(
        source="questions", read_only=True, help_text="To Mave: that it opened, or a dry run found."
    )
    least_credits = serializers.SerializerMethodField(help_text="That these would cost.")
    most_credits = serializers.SerializerMethodField()
    is_undoable = serializers.BooleanField(read_only=True)
    undoes = serializers.IntegerField(
        source="undoes_id",
        read_only=True,
        allow_null=True,
        help_text="The job whose briefs become what they were.",
    )

    class Meta:
        model = ReprocessingJob
        fields = (
            "id", "kind", "is_dry_run", "selectors", "actor", "state", "reason", "total", "done",
            "counts", "last_id", "examples", "new_questions", "least_credits", "most_credits",
            "is_undoable", "undoes", "created_at", "started_at", "ended_at",
        )  # fmt: skip

    def get_examples(self, job: ReprocessingJob) -> list[str]:
        return list(job.found.get("examples", ()))

    def get_least_credits(self, job: ReprocessingJob) -> int:
        return job.questions * LEAST_CREDITS

    def get_most_credits(self, job: ReprocessingJob) -> int:
        return job.questions * RESERVED_CREDITS


class Judged(serializers.Serializer[Any]):
    persona = serializers.CharField()
    priority = serializers.CharField()
    step = serializers.CharField(help_text="The first step.")


class BriefOfJob(serializers.ModelSerializer[ReprocessedBrief]):
    words = serializers.CharField(source="get_change_display", read_only=True)
    before = Judged()
    after = Judged()

    class Meta:
        model = ReprocessedBrief
        fields = ("id", "job", "brief", "change", "words", "before", "after", "undone")


class BriefOfJobFilter(django_filters.FilterSet):  # type: ignore[misc]  # ships no types
    job = django_filters.NumberFilter(min_value=1, max_value=_LARGEST, label="The job's id")
    change = django_filters.ChoiceFilter(
        choices=ReprocessedBrief.Change.choices,
        error_messages=in_words(ReprocessedBrief.Change.choices),
    )

    class Meta:
        model = ReprocessedBrief
        fields: list[str] = []


class ReprocessedBriefViewSet(ReadOnly):
    """The open briefs that jobs changed, would change, or left because people work on them."""

    required_permissions = (ordering.PERMISSION,)
    queryset = ReprocessedBrief.objects.order_by("-pk")
    serializer_class = BriefOfJob
    filterset_class = BriefOfJobFilter
    ordering_fields = ("id",)


class ReprocessingJobViewSet(ReadOnly):
    """Jobs that take stored events or open briefs through the present rules, newest first.

    Order a dry run first. A job goes on in the background: ask for it until its `state` is `done`,
    `failed` or `cancelled`. Its briefs: `/api/v1/reprocessed-briefs/?job=` with the job's id.
    """

    required_permissions = (ordering.PERMISSION,)
    parser_classes = (Json,)
    queryset = ReprocessingJob.objects.select_related("actor", "undone_by").order_by("-pk")
    serializer_class = JobInFull
    filterset_class = JobFilter
    ordering_fields = ("id",)
    made_classes: ClassVar[dict[str, Any]] = {"create": JobInFull, "undo": JobInFull}
    writes = ("create", "pause", "resume", "cancel", "undo")

    @extend_schema(request=OrderJob)
    def create(self, request: Request) -> Response:
        """Order a job: `events` are processed again, open `briefs` follow the present rules.

        Briefs that somebody has touched are left as they are, and named.
        """
        refuse_unknown(request, [])
        return once(request, None, lambda: self._order(self._valid(OrderJob)))

    def _order(self, entered: dict[str, Any]) -> Response:
        actor, dry = self.request.user, entered["dry_run"]
        selection = Selection(**entered.get("selectors", {}))
        if entered["kind"] == Kind.BRIEFS:
            if selection != Selection():
                raise Invalid({"selectors": ["Open briefs are all taken: send none."]})
            job = ordering.reapply(actor, is_dry_run=dry)
        elif selection:
            job = ordering.reprocess(selection, actor, is_dry_run=dry)
        else:
            raise Invalid({"selectors": ["Say which events."]})
        return Response(JobInFull(job).data, HTTPStatus.CREATED)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Let a job rest after its present batch."""
        return self._turn(pk, ReprocessingJob.pause)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let a job that was paused, or failed, go on after its last batch."""
        return self._turn(pk, ordering.resume)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End a job. What it did until then stays done."""
        return self._turn(pk, ReprocessingJob.cancel)

    def _turn(self, pk: str, turn: Callable[[ReprocessingJob], bool]) -> Response:
        job = self._named(pk)

        def do() -> Response:
            self._valid(entries.Nothing)
            if not turn(job):
                self._refuse(f"This job is {job.get_state_display().lower()}.")
            return Response(JobInFull(job).data)

        return once(self.request, None, do)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Order that the briefs of a job become what they were, where nobody touched them since."""
        job = self._named(pk)

        def do() -> Response:
            self._valid(entries.Nothing)
            undoing = ordering.undo(job, request.user)
            if undoing is None:
                self._refuse("Only a job that changed briefs and has ended is undone, and once.")
            return Response(JobInFull(undoing).data, HTTPStatus.CREATED)

        return once(request, None, do)

    def _named(self, pk: str) -> ReprocessingJob:
        refuse_unknown(self.request, [])
        rows: QuerySet[ReprocessingJob] = self.get_queryset()
        return get_object_or_404(rows, pk=pk)

    def _valid(self, entry_class: type[Entry]) -> Any:
        entry = entry_class(data=self.request.data, context={"brief": None})
        if not entry.is_valid():
            raise Invalid(dict(by_path(entry.errors)))
        return entry.entered

    def _refuse(self, words: str) -> None:
        raise Problem(HTTPStatus.CONFLICT, "not_now", words, {"open_brief": None})
