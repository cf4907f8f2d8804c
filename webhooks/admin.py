"""The events in the admin: the team can read them and process them again, but not edit them."""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime

from providers.addresses import without_credentials
from webhooks.models import WebhookEvent
from webhooks.moments import in_words
from webhooks.parsing import Unusable, load_object

SHOWN = 64 * 1024  # characters of a payload; a longer one is cut
RECENT = 5_000


class RecentValuesFilter(admin.SimpleListFilter):
    """Offers the values of the most recent events: DISTINCT over all would read the table."""

    parameter_name: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        recent = WebhookEvent.objects.order_by("-received_at").values_list(self.parameter_name)
        values = {value for (value,) in recent[:RECENT] if value}
        return [(value, value) for value in sorted(values)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> QuerySet[WebhookEvent]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class ObjectTypeFilter(RecentValuesFilter):
    title = "object type"
    parameter_name = "object_type"


class MetricFilter(RecentValuesFilter):
    title = parameter_name = "metric"


def _may_read_people(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("personas.view_personal_data"))


def _hidden_from(request: HttpRequest) -> set[str]:
    """Fields and columns that this user may not read, as pages and as the database name them."""
    people = {"who", "identifiers_shown", "customer_link", "identifiers"}
    raw = {"headers_shown", "payload_shown", "headers", "body"}
    hidden = set() if _may_read_people(request) else people
    return hidden if request.user.has_perm("webhooks.view_payload") else hidden | raw


@admin.register(WebhookEvent)
class EventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Read-only: an event can be processed again, but never changed."""

    list_display: Any = (
        "kind",
        "short_id",
        "who",
        "status",
        "reason",
        "received_at",
        "deliveries",
    )
    list_filter = ("status", ObjectTypeFilter, MetricFilter, "is_verified")
    date_hierarchy = "received_at"
    ordering = ("-received_at",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("event_id",)  # get_search_results says how
    search_help_text = (
        "An event id or how it begins, or a whole cio_id, id, e-mail address or number of a person."
    )
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("kind", "id_shown", "identifiers_shown", "time_shown", "received_at")}),
        (
            "What became of it",
            {"fields": ("status", "status_reason", "tries", "available_at", "put_off_at",
                        "finished_at", "earlier_runs")},
        ),
        (
            "As it was received",
            {"fields": ("is_verified", "deliveries", "last_received_at", "headers_shown",
                        "body_size", "body_sha256", "payload_shown")},
        ),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WebhookEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WebhookEvent | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEvent | None = None) -> Any:
        """Without what this user may not read."""
        hidden = _hidden_from(request)
        return tuple(
            (name, {**options, "fields": [f for f in options["fields"] if f not in hidden]})
            for name, options in super().get_fieldsets(request, obj)
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        hidden = _hidden_from(request)
        return [name for name in super().get_list_display(request) if name not in hidden]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        return super().get_queryset(request).defer("body", "headers")

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Whether the address may filter by it: how many rows are left tells what they hold.

        Never by the body: it holds bytes, which no address can name.
        """
        name = lookup.partition("__")[0]
        is_hidden = request is None or name == "body" or name in _hidden_from(request)
        return not is_hidden and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """By the beginning of an event id, which an index serves; else by a whole identifier."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_id = queryset.whose_id_begins(term)
        if by_id.exists() or not _may_read_people(request):
            return by_id, False
        return queryset.filter(self.speaks_of(term)), False

    def speaks_of(self, term: str) -> Q:
        """Events about the person with this identifier."""
        return WebhookEvent.about(term)

    @admin.display(description="event id", ordering="event_id")
    def short_id(self, event: WebhookEvent) -> SafeString:
        """Ids begin with the time, so the end tells them apart."""
        shown = event.event_id if len(event.event_id) <= 10 else f"…{event.event_id[-8:]}"
        return format_html('<span title="{}">{}</span>', event.event_id, shown)

    @admin.display(description="about")
    def who(self, event: WebhookEvent) -> str:
        known = event.identifiers
        name = known.get("id") or known.get("email") or known.get("cio_id") or known.get("phone")
        return Truncator(without_credentials(name or "—")).chars(32)

    @admin.display(description="why")
    def reason(self, event: WebhookEvent) -> str:
        return Truncator(event.status_reason).chars(90)

    @admin.display(description="event id")
    def id_shown(self, event: WebhookEvent) -> str:
        note = event.key_note
        return f"{event.event_id} ({note})" if note else event.event_id

    @admin.display(description="occurred at")
    def time_shown(self, event: WebhookEvent) -> str:
        """When it happened; where what the event says cannot be so, its words as well."""
        if event.occurred_at:
            return date_format(localtime(event.occurred_at), "DATETIME_FORMAT")
        if not event.stated_time:
            return "the event does not say: when it was received counts"
        said = in_words(event.stated_time)
        return f"the event says {said}, which cannot be: when it was received counts"

    @admin.display(description="about")
    def identifiers_shown(self, event: WebhookEvent) -> SafeString | str:
        return pairs(event.identifiers) or "nobody: the event carries no identifiers"

    @admin.display(description="headers")
    def headers_shown(self, event: WebhookEvent) -> SafeString | str:
        return pairs(event.headers) or "none kept"

    @admin.display(description="earlier runs")
    def earlier_runs(self, event: WebhookEvent) -> SafeString | str:
        rows = [
            (run.get("status", ""), run.get("finished_at") or "never ended", run.get("reason", ""))
            for run in event.history
        ]
        return format_html_join("", "<p>{} · {} · {}</p>", rows) or "none"

    @admin.display(description="payload")
    def payload_shown(self, event: WebhookEvent) -> SafeString:
        if event.body_ended_at:
            ended = date_format(localtime(event.body_ended_at), "DATE_FORMAT")
            return format_html(
                "<p>Removed on {} by the retention policy: it cannot be processed again.</p>",
                ended,
            )
        text = readable(bytes(event.body))
        cut = "" if len(text) <= SHOWN else "Only the beginning is shown."
        return format_html('<pre class="payload">{}</pre><p>{}</p>', text[:SHOWN], cut)


def pairs(values: dict[str, str]) -> SafeString:
    """`name value` pairs, one a line."""
    shown = ((name, without_credentials(value)) for name, value in sorted(values.items()))
    return format_html_join("", "<p><b>{}</b> {}</p>", shown)


def readable(body: bytes) -> str:
    """The body as indented JSON, or as plain text if it is not a JSON object.

    Passwords and keys in URLs are hidden: a workflow's webhook has its URL for a recipient.
    """
    try:
        text = json.dumps(load_object(body), indent=2, ensure_ascii=False)
    except (Unusable, RecursionError):
        # More than is shown, so that no password is cut in two and not recognised.
        text = body[: 2 * SHOWN].decode("utf-8", "replace")
    text = without_credentials(text)
    # Lone surrogates cannot be encoded, and a browser silently drops NUL.
    return text.encode("utf-8", "replace").decode().replace("\0", "␀")
