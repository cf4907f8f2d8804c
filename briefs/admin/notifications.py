"""Notification targets with a button for a test, the messages to them, and the alarms."""

import time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.views.decorators.debug import sensitive_post_parameters

from briefs.admin.readonly import ReadOnlyAdmin, link
from briefs.models import Alarm, Notification, NotificationTarget
from briefs.notifying import addresses, outbox
from briefs.times import clock_and_day
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.versions import ChecksVersion

# How long the page waits for a test: not long, because on SQLite other requests wait with it.
WAIT_SECONDS = 2.0
LOOK_EVERY_SECONDS = 0.1


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    address = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.TextInput(
            attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="As apprise writes it: slack://TokenA/TokenB/TokenC/#channel, "
        "mailtos://user:password@example.com?to=desk@example.com, jsons://host/path. If it names "
        "several receivers and one of them fails, all are sent the message again: better make a "
        "target for each. Stored encrypted and never shown again; leave it empty to keep the one "
        "that is stored.",
    )

    class Meta:
        model = NotificationTarget
        fields = ("name", "minimum_priority", "gets_alarms", "gets_forgotten", "is_active")

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"]).strip()
        if not address and not self.instance.sealed_address:
            raise forms.ValidationError("Enter the address to send to.")
        if address:
            try:
                addresses.check(address)
            except addresses.AddressRefused as error:
                raise forms.ValidationError(str(error)) from None
        return address

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if address := self.cleaned_data.get("address"):
            self.instance.address = address


@admin.register(NotificationTarget)
class NotificationTargetAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    form = TargetForm
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("name", "masked", "minimum_priority", "gets_alarms", "is_active", "latest")
    list_filter = ("is_active", "gets_alarms", "minimum_priority")
    search_fields = ("name",)
    readonly_fields = ("masked", "latest")
    fieldsets = (
        (None, {"fields": ("name", "is_active", "masked", "address")}),
        (
            "Told of",
            {
                "description": "If no target gets the list of forgotten briefs, the leads who want "
                "to be told in person do.",
                "fields": ("minimum_priority", "gets_alarms", "gets_forgotten"),
            },
        ),
        ("At present", {"fields": ("latest",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(self.send_test)
        return [
            path("<int:pk>/test/", test, name="briefs_notificationtarget_test"),
            *super().get_urls(),
        ]

    @method_decorator(sensitive_post_parameters("address"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return response

    def send_test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: put a test into the outbox; tell the outcome if it is known within WAIT_SECONDS."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        target = get_object_or_404(NotificationTarget, pk=pk)
        test = outbox.tell_test(target)
        outbox.wake()
        _wait_for(test)
        self.message_user(request, *_outcome(test))
        return redirect("admin:briefs_notificationtarget_change", pk)

    @admin.display(description="stored address")
    def masked(self, target: NotificationTarget) -> str:
        if not target.pk:
            return "none yet"
        if target.trouble:
            return f"Nothing can be sent there: {target.trouble}."
        return target.masked_address

    @admin.display(description="last message")
    def latest(self, target: NotificationTarget) -> SafeString | str:
        last = target.notifications.exclude(started_at=None).order_by("-started_at").first()
        if last is None:
            return "none yet"
        why = f": {last.status_reason}" if last.status_reason else ""
        return format_html(
            "{} {}, {}{}",
            link(last),
            last.get_status_display().lower(),
            clock_and_day(last.started_at),
            why,
        )


def _wait_for(test: Notification) -> None:
    stop_at = time.monotonic() + WAIT_SECONDS
    while test.finished_at is None and time.monotonic() < stop_at:
        time.sleep(LOOK_EVERY_SECONDS)
        test.refresh_from_db()


def _outcome(test: Notification) -> tuple[str, int]:
    if test.status == Notification.Status.SENT:
        return "The test was sent. Look whether it has arrived.", messages.SUCCESS
    if test.status == Notification.Status.FAILED:
        return f"The test failed: {test.status_reason}", messages.ERROR
    if test.status == Notification.Status.SENDING:
        return "The test is being sent. Reload this page to see how it went.", messages.WARNING
    words = "The test waits for a worker. Reload this page; if it still waits, none is running."
    return words, messages.WARNING


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    names_people = True
    list_display = ("subject", "target", "kind", "status", "reason", "tries", "created_at",
                    "finished_at")  # fmt: skip
    list_filter = ("status", "kind", "target")
    list_select_related = ("target",)
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    search_fields = ("subject",)
    fields = ("target", "kind", "subject", "body_shown", "brief_link", "digest_link", "status",
              "status_reason", "tries", "available_at", "created_at", "started_at",
              "finished_at")  # fmt: skip

    @admin.display(description="why")
    def reason(self, notification: Notification) -> str:
        return Truncator(notification.status_reason).chars(80)

    @admin.display(description="text")
    def body_shown(self, notification: Notification) -> SafeString:
        return format_html('<pre class="words">{}</pre>', notification.body)

    @admin.display(description="brief")
    def brief_link(self, notification: Notification) -> SafeString | str:
        return link(notification.brief)

    @admin.display(description="told in")
    def digest_link(self, notification: Notification) -> SafeString | str:
        return link(notification.digest)


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    list_display = ("kind", "at_present", "words", "opened_at", "closed_at", "last_told_at")
    ordering = ("kind",)
    fields = ("kind", "at_present", "words", "opened_at", "quiet_since", "closed_at",
              "last_told_at", "times_told")  # fmt: skip

    @admin.display(description="on")
    def at_present(self, alarm: Alarm) -> str:
        return "on" if alarm.is_open else "no"
