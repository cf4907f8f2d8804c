"""Customers, read-only: what Customer.io said about them, and how long ago."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from personas.models import Customer, SubscriptionNames, preferences, shapes
from personas.people import lookups
from personas.people.identity import known_as

MOST_AT_ONCE = 100
MOST_SHOWN = 2_000  # characters of one attribute


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    list_display = ("__str__", "email", "cio_id", "is_unsubscribed", "is_deleted", "age")
    list_filter = ("is_deleted", "is_unsubscribed")
    search_fields = ("external_id",)  # the search itself is in get_search_results
    search_help_text = "A whole id, cio_id, e-mail address or number, of now or of before."
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    actions: tuple[str, ...] = ("look_up_again",)
    fieldsets = (
        (None, {"fields": ("external_id", "cio_id", "email", "phone", "former", "created_at")}),
        (
            "What we know",
            {
                "description": "As Customer.io said it when the person was looked up last.",
                "fields": ("age", "fetched_at", "is_deleted", "plan", "company", "value_shown",
                           "attributes_shown"),
            },
        ),
        (
            "What they receive",
            {"fields": ("is_unsubscribed", "subscription_changed_at", "preferences_shown",
                        "devices_shown")},
        ),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Every column and every search of these pages is about a person."""
        may_read = request.user.has_perm("personas.view_personal_data")
        return may_read and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False  # briefs.admin.erasing does it, with all rows about the customer

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Without the row to which what is left of erased people belongs."""
        return super().get_queryset(request).filter(is_erased=False)

    def has_look_up_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("personas.change_customer")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Also by identifiers that somebody had before; every way to write one finds them."""
        return (queryset.filter(known_as(search_term)) if search_term.strip() else queryset), False

    @admin.action(description="Look up again in Customer.io", permissions=["look_up"])
    def look_up_again(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        customers = list(queryset[: MOST_AT_ONCE + 1])
        if len(customers) > MOST_AT_ONCE:
            self.message_user(request, f"Select {MOST_AT_ONCE} customers at most.", messages.ERROR)
            return
        done, trouble = look_up(customers)
        failed = len(customers) - done
        words = f"{done} looked up, {failed} failed"
        self.message_user(
            request,
            f"{words}: {trouble or 'several people share the address'}" if failed else f"{words}.",
            messages.WARNING if failed else messages.SUCCESS,
        )

    @admin.display(description="attributes are", ordering="fetched_at")
    def age(self, customer: Customer) -> str:
        if customer.fetched_at is None:
            return "not looked up"
        return f"{timesince(customer.fetched_at, depth=1)} old"

    @admin.display(description="value")
    def value_shown(self, customer: Customer) -> str:
        return customer.value_words or "unknown"

    @admin.display(description="called before")
    def former(self, customer: Customer) -> SafeString | str:
        aliases = [(str(alias),) for alias in customer.aliases.order_by("-replaced_at", "pk")]
        return format_html_join("", "<p>{}</p>", aliases) or "nothing else"

    @admin.display(description="attributes")
    def attributes_shown(self, customer: Customer) -> SafeString | str:
        told = {name: shapes.shown(str(v), MOST_SHOWN) for name, v in customer.attributes.items()}
        return rows(told) or "none"

    @admin.display(description="preferences")
    def preferences_shown(self, customer: Customer) -> SafeString | str:
        subscriptions = SubscriptionNames.known()
        flat = {
            f"{group}: {subscriptions.words(**{group: [name]})}": "on" if is_on else "off"
            for group, names in preferences.values(customer.preferences).items()
            for name, is_on in names.items()
        }
        return rows(flat) or "unknown"

    @admin.display(description="devices")
    def devices_shown(self, customer: Customer) -> SafeString | str:
        devices = [
            (str(device.get("platform") or "device"), str(device.get("last_used") or ""))
            for device in customer.devices
        ]
        return format_html_join("", "<p>{} {}</p>", devices) or "none"


def look_up(customers: list[Customer]) -> tuple[int, str]:
    """Look up all, also fresh ones; returns how many were looked up, and a failure in words."""
    before = {(customer.pk, customer.fetched_at) for customer in customers}
    trouble = lookups.refresh(customers, force=True)
    after = Customer.objects.filter(pk__in=[customer.pk for customer in customers])
    return len(before - set(after.values_list("pk", "fetched_at"))), trouble


def rows(values: dict[str, Any]) -> SafeString:
    """One line for each name and its value."""
    return format_html_join("", "<p><b>{}</b> {}</p>", sorted(values.items()))
