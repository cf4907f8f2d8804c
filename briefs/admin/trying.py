"""Tries rules on one case: which rule and persona decide, and the brief as it would be.

On the page of a rule the edit is tried that is not saved yet, within the transaction that
`TrialAdmin` rolls back. A page of its own tries the present rules.
"""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from briefs.admin.try_form import PREFIX, Case, TryForm, pressed_enter, supposable
from briefs.dossier.dossier import Advice, Dossier
from briefs.models import Brief
from briefs.models.priority import Reason, shown
from briefs.pipeline.imagining import Imagined, imagine, imagine_rule
from briefs.reading import channels
from briefs.reading.first_steps import FirstSteps, StepShown
from personas.admin.trial import TRY, TrialAdmin
from personas.models import AttributeName, Customer, Persona, SignalRule
from personas.rules.explaining import Line
from personas.rules.rulebook import Rulebook
from webhooks.models import WebhookEvent

RULES = (Persona, SignalRule, AttributeName)  # who may change one of them may try them


@dataclass(frozen=True, slots=True)
class Tried:
    """All that the page shows of it. Everything is read already: the trial is rolled back."""

    case: Case
    imagined: Imagined
    this: Any = None  # the rule or persona whose edit is tried
    step: StepShown | None = None
    advice: list[Advice] = field(default_factory=list)
    closed: str = ""  # which channels, and why
    open_brief: Brief | None = None  # that the signal would join

    @property
    def rules(self) -> list[Line]:
        """But for those about other events."""
        return [line for line in self.imagined.explanation.rules if not line.is_about_other_events]

    @property
    def other_rules(self) -> list[Line]:
        return [line for line in self.imagined.explanation.rules if line.is_about_other_events]

    @property
    def reasons(self) -> list[Reason]:
        """Of the priority."""
        return shown(self.imagined.brief.priority_reasons) if self.imagined.brief else []

    @property
    def inactive(self) -> bool:
        """Whether the rule of this page decides nothing because it is not active."""
        return isinstance(self.this, SignalRule) and not self.this.is_active


def try_case(case: Case, this: Any = None) -> Tried:
    """Try the rules as the database has them at this moment. Nothing is written.

    Raises LookupError without personas, or if there is no rule to be taken for the deciding one.
    """
    rulebook = Rulebook.load()
    if case.event:
        imagined = imagine(case.event, case.customer, rulebook)
    else:
        rule = _supposed(case, this)
        imagined = imagine_rule(rule, case.customer or Customer(), rulebook)
    brief, signal = imagined.brief, imagined.signal
    if brief is None or signal is None:
        return Tried(case, imagined, this)
    first_steps = FirstSteps([brief], [signal])
    dossier = Dossier(brief, first_steps=first_steps)
    closed = channels.closed_channels(dossier.routes)
    key = brief.customer.pk
    open_brief = Brief.objects.open().filter(customer=key).first() if key else None
    words = channels.in_words(closed) if closed else ""
    return Tried(case, imagined, this, dossier.step, dossier.advice, words, open_brief)


def _supposed(case: Case, this: Any) -> SignalRule:
    """The rule that is taken for the deciding one, where there is no event."""
    if case.rule is not None:
        return SignalRule.objects.get(pk=case.rule)
    if isinstance(this, SignalRule):
        return SignalRule.objects.get(pk=this.pk)
    first = supposable().first()
    if first is None:
        raise LookupError("no active rule opens a brief")
    return first


@dataclass(frozen=True, slots=True)
class Seen:
    """What was tried, or why nothing could be."""

    tried: Tried | None = None
    trouble: str = ""


def see(form: TryForm, this: Any = None) -> Seen:
    """Try what the form chose."""
    case = form.cleaned_data["case"] if form.is_valid() else None
    if case is None:
        return Seen()
    try:
        return Seen(try_case(case, this))
    except LookupError as error:
        return Seen(trouble=f"Nothing can be said: {error}.")


class TryAdmin(TrialAdmin):
    """The page of a rule with the section “Try it”."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        pressed_enter(request)
        of = None
        if self.model is SignalRule:
            of = SignalRule.objects.filter(pk=self._key(object_id)).first() or SignalRule
        form = TryForm(request, request.POST if TRY in request.POST else None, of=of)
        setattr(request, PREFIX, form)
        context = {"try_form": form, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def look(self, request: HttpRequest, obj: Any) -> Seen:
        return see(getattr(request, PREFIX), self.model._base_manager.get(pk=obj.pk))


def may_try(request: HttpRequest) -> bool:
    admins = (admin.site.get_model_admin(model) for model in RULES)
    return any(one.has_change_permission(request) for one in admins)


def page(request: HttpRequest) -> HttpResponse:
    """“Try the rules”: the present ones. `?event=` and `?customer=` name a stored row."""
    if not may_try(request):
        raise PermissionDenied
    data: Any = request.POST if request.method == "POST" else _asked(request)
    if request.method == "POST":
        pressed_enter(request)
        data = request.POST
    form = TryForm(request, data)
    with transaction.atomic():
        seen = see(form) if form.is_bound else Seen()
        transaction.set_rollback(True)
    context = {
        **admin.site.each_context(request),
        "title": "Try the rules",
        "try_form": form,
        "seen": seen,
    }
    return TemplateResponse(request, "admin/try_rules.html", context)


def _asked(request: HttpRequest) -> dict[str, str] | None:
    for kind in ("event", "customer"):
        if kind in request.GET:
            return {f"{PREFIX}-on": f"{kind}-{request.GET[kind]}"}
    return None


class LinksToTry:
    """The page of a stored event or customer, with a link that tries the present rules on it."""

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        is_usable = not (
            isinstance(row, WebhookEvent) and row.status == WebhookEvent.Status.QUARANTINED
        )
        if row and is_usable and may_try(request):
            kind = "event" if isinstance(row, WebhookEvent) else "customer"
            context["try_url"] = f"{reverse('admin:try_rules')}?{kind}={row.pk}#tried"
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]  # of the admin
        return page
