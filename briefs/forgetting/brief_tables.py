"""What `briefs` keeps about people."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q

from briefs.forgetting import quoting
from briefs.models import (
    Activity,
    Brief,
    BriefDocument,
    BulkPart,
    Cause,
    Comment,
    ContactLog,
    CustomerDocument,
    KeptAnswer,
    Notification,
    ReprocessedBrief,
    SegmentMembership,
    Signal,
)
from personas.models import Customer
from personas.models.value import UNKNOWN
from webhooks.personal import (
    Fate,
    Nobody,
    Person,
    Quotes,
    Rows,
    Theirs,
    Wanted,
    history_of,
    register,
)

# What is left of a brief counts: opened when, for which persona, on which answer, how it ended.
EMPTY: dict[str, Any] = {
    "plan": "", "company": "", **UNKNOWN, "value_sort": 0, "persona_why": "", "question_facts": [],
    "detail": "", "priority_reasons": None, "step_at_closing": None, "closing_note": "",
    "offer_percent": None, "offer_words": None, "is_waiting_for_profile": False, "renewal": None,
    "returned_from": None, "happened_at": F("created_at"), "last_signal_at": F("created_at"),
}  # fmt: skip
_OURS = "a code or a key of ours"


def briefs_of(person: Person) -> Rows:
    return Brief.objects.filter(customer__in=person.customers)


def _by_brief(model: Any) -> Any:
    return lambda person: model.objects.filter(brief__in=briefs_of(person).values("pk"))


def _signals(person: Person) -> Rows:
    theirs = Q(customer__in=person.customers) | Q(brief__in=briefs_of(person).values("pk"))
    return Signal.objects.filter(theirs)


def _documents(model: Any) -> Any:
    if model is CustomerDocument:
        return lambda person: model.objects.filter(pk__in=person.customers)
    return lambda person: model.objects.filter(pk__in=briefs_of(person).values("pk"))


def _causes(person: Person) -> Rows:
    """The messages that their briefs come from: the first event of one describes it for all."""
    keys = briefs_of(person).exclude(cause=None).values("cause")
    return Cause.objects.filter(pk__in=keys)


def _without_words(causes: Rows, person: Person) -> int:
    """A subject may greet whoever the first event was about."""
    pattern = quoting.Pattern.of_words(person)
    number = 0
    for cause in causes:
        described = {key: quoting.without(said, pattern) for key, said in cause.described.items()}
        if described != cause.described:
            number += Cause.objects.filter(pk=cause.pk).update(described=described)
    return number


def _empty_briefs(briefs: Rows, person: Person) -> int:
    keys = list(briefs.values_list("pk", flat=True))
    Brief.objects.filter(returned_from__in=keys).update(returned_from=None)
    Brief.objects.filter(pk__in=keys).open().close(Brief.Outcome.WITHDRAWN)
    Activity.objects.filter(brief__in=keys).delete()
    Activity.objects.bulk_create(Activity(brief_id=key, text="erased the person") for key in keys)
    return Brief.objects.filter(pk__in=keys).update(**EMPTY, customer=Customer.erased())


def enter() -> None:
    register(
        Theirs("briefs.Notification", "body dedupe_key status_reason subject",
               _by_brief(Notification), "by the brief"),
        Theirs("briefs.KeptAnswer", "body headers", _by_brief(KeptAnswer), "by the brief",
               harmless={"key": "of the program", "request": "a digest", "token": "a digest"}),
        Theirs("briefs.BulkPart", "was", _by_brief(BulkPart), "by the brief"),
        Theirs("briefs.ReprocessedBrief", "after before touch was", _by_brief(ReprocessedBrief),
               "by the brief"),
        Theirs("briefs.Comment", "text", _by_brief(Comment), "by the brief"),
        Theirs("briefs.ContactLog", "note", _by_brief(ContactLog), "by the brief"),
        Theirs("briefs.Activity", "text", _by_brief(Activity), "by the brief"),
        Theirs("briefs.Signal", "detail message why", _signals, "by the customer",
               harmless={"level": _OURS}),
        Theirs("briefs.Cause", "described", _causes, "by the brief", Fate.EMPTIED, _without_words),
        Theirs("briefs.BriefDocument", "words", _documents(BriefDocument), "by the brief",
               harmless={"persona_kind": _OURS}),
        Theirs("briefs.CustomerDocument", "words", _documents(CustomerDocument),
               "by the customer"),
        Theirs(
            "briefs.Brief",
            "closing_note company detail offer_words persona_why plan priority_reasons "
            "question_facts step_at_closing",
            briefs_of, "by the customer", Fate.EMPTIED, _empty_briefs,
            {"value_currency": "a currency"},
        ),
        Theirs("briefs.SegmentMembership", "named reason", lambda person: SegmentMembership.objects
               .filter(customer__in=person.customers), "by the customer"),
    )  # fmt: skip
    _enter_quotes()
    _enter_settings()
    register(
        Nobody("briefs.BudgetLevel", "how much of a budget was told"),
        Nobody("briefs.Comment_mentioned", "which colleagues a comment mentions"),
        Nobody("briefs.Erasure", "how much was erased, without a word about whom"),
        Nobody("briefs.PersonaMedian", "a figure of all customers of a persona"),
        Nobody("briefs.ResearchDocument", "words of an answer, written anew when that is replaced"),
        Nobody("briefs.SavingSegment", "the segment's id, name and errors"),
        Nobody("briefs.SearchIndex", "how far documents are written"),
        Nobody("briefs.TemplateChoice", "which question is asked"),
        Nobody("briefs.TextChange", "keys of rows that changed"),
        Nobody("briefs.Turn", "whose turn it is"),
        Nobody("briefs.UsageReading", "the balance at Mavera"),
    )


def _enter_quotes() -> None:
    """Texts that people, Mave or a server wrote, and that may quote anybody."""
    register(
        Quotes("briefs.Activity", "text"),
        Quotes("briefs.Alarm", "words reason"),
        Quotes("briefs.Brief", "closing_note detail offer_words persona_why"),
        Quotes("briefs.BulkAct", "query"),
        Quotes("briefs.Cause", "closing_note described message"),
        Quotes("briefs.CauseEntry", "text"),
        Quotes("briefs.Comment", "text"),
        Quotes("briefs.ContactLog", "note"),
        Quotes("briefs.KeptAnswer", "body", Fate.DELETED),
        Quotes("briefs.MaveCall", "detail", harmless={"reference": _OURS, "thread_id": "Mave's"}),
        Quotes("briefs.MaveHealth", "breaker_reason held_reason",
               harmless={"breaker_code": "Mavera's", "held_code": "Mavera's"}),
        Quotes("briefs.Notification", "body subject status_reason"),
        Quotes("briefs.RecentSearch", "text", Fate.DELETED, wanted=Wanted.BEGINNINGS),
        Quotes("briefs.ReprocessedBrief", "after before touch was"),
        Quotes("briefs.ReprocessingJob", "found reason selectors counts"),
        Quotes(
            "briefs.Research", "answer personas_used question raw_reply searched sources "
            "status_reason validation search_page",
            harmless={"mavera_code": "Mavera's", "question_hash": "a digest",
                      "template_version": _OURS, "thread_id": "Mave's"},
        ),
        Quotes("briefs.SavedView", "name query", Fate.DELETED),
        Quotes("briefs.SavedView", "name query", Fate.TOLD, wanted=Wanted.WORDS),
        Quotes("briefs.Signal", "detail message why"),
    )  # fmt: skip


def _enter_settings() -> None:
    """What the team set up. Whoever erases is told which of it names the person."""
    told: Mapping[str, str] = {
        "briefs.ClosingReason": "name",
        "briefs.Holiday": "name",
        "briefs.LinkTemplate": "label url",
        "briefs.Offer": "code name",
        "briefs.ResearchPolicy": "paused_code paused_reason",
    }
    register(*(Quotes(table, columns, Fate.TOLD) for table, columns in told.items()))
    register(*(history_of(table, columns) for table, columns in told.items()))
    register(
        Quotes("briefs.NotificationTarget", "name", Fate.TOLD,
               harmless={"scheme": "of the service", "sealed_address": "of the team, encrypted"}),
        history_of("briefs.NotificationTarget", "name", scheme="of the service"),
        Quotes("briefs.QuestionTemplate", "note text", Fate.TOLD),
        Nobody("briefs.PriorityThreshold", "amounts"),
        Nobody("briefs.HistoricalPriorityThreshold", "amounts"),
        Nobody("briefs.WorkingTime", "hours"),
        Nobody("briefs.HistoricalWorkingTime", "hours"),
    )  # fmt: skip
