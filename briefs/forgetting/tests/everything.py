"""One person with all that Savedesk can keep about somebody, in many spellings; and dumps."""

import base64
import json
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from briefs.finding.words import indexing
from briefs.models import (
    Alarm,
    Brief,
    BulkAct,
    BulkPart,
    CauseEntry,
    Comment,
    ContactLog,
    KeptAnswer,
    MaveCall,
    Notification,
    NotificationTarget,
    RecentSearch,
    ReprocessedBrief,
    ReprocessingJob,
    SavedView,
    SegmentMembership,
)
from briefs.pipeline import draining
from briefs.tests.factories import (
    make_brief,
    make_cause,
    make_customer,
    make_event,
    make_payload,
    make_research,
)
from personas.models import (
    Customer,
    CustomerAlias,
    CustomerSegment,
    Persona,
    PersonaCondition,
    RuleVersion,
    SegmentMember,
)
from personas.rules import versions
from webhooks.models import WebhookEvent

CIO_ID, ID = "c0ffee77aa01", "crm-person-8841"
EMAIL, FORMER = "zoë.testfrau+vip@example.com", "zoe.testfrau@old.example.org"
PHONE, NAME = "+491715550123", "Zoë Testfrau-Müllër"
STATED = {"cio_id": CIO_ID, "id": ID, "email": "Zoë.Testfrau+vip@Example.com", "phone": PHONE}
DECOMPOSED = unicodedata.normalize("NFD", NAME)
QUOTED = (
    f"{NAME}, {EMAIL.upper()} or {quote(EMAIL)}, {quote(quote(EMAIL, safe=''))}, {DECOMPOSED}, "
    f"{json.dumps(EMAIL)}, +49 171 555 01 23, 0049 (171) 555-0123, {ID}, cio_{CIO_ID}, {FORMER}, "
    "0171 555 01 23, Zoe Testfrau-Muller, Testfrau-Müllër, Zoë"
)
# In what is about her: a word that is searched for in no text, so only the row's end takes it away.
OWN = f"Frau Testfrau of Oberammergau: {QUOTED}"


def traces() -> list[str]:
    """What a dump may not hold, in small letters; each is found in other ways than we look for."""
    found = ["testfrau", "crm-person-8841", CIO_ID, "1715550123", "171 555 01 23", "oberammergau"]
    found += ["müllër", "m\\u00fcll\\u00ebr", "m%c3%bcll", unicodedata.normalize("NFD", "müllër")]
    for word in ("testfrau", "Testfrau", "crm-person-8841", CIO_ID, "1715550123"):
        found.append(word.encode().hex())
        for before in range(3):
            packed = base64.b64encode(b"x" * before + word.encode() + b"x" * 3).decode()
            found.append(packed[(before * 8 + 5) // 6 : -6].lower())
    return [unicodedata.normalize("NFC", one) if one.isascii() else one for one in found]


def left_in(dump: str) -> list[str]:
    return [one for one in traces() if one.lower() in dump]


def dump() -> str:
    """All tables as text, in small letters; and what sessions hold, which are packed."""
    is_sqlite = connection.vendor == "sqlite"
    lines = connection.connection.iterdump() if is_sqlite else _copies()
    sessions = (str(row.get_decoded()) for row in Session.objects.all())
    return "\n".join([*lines, *sessions]).lower()


def _copies() -> Iterator[str]:
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(f'COPY (SELECT * FROM "{table}") TO STDOUT') as copy:
                yield b"".join(bytes(part) for part in copy).decode()


def event(metric="unsubscribed", identifiers=STATED, **kw) -> WebhookEvent:
    data = {"identifiers": identifiers, "recipient": STATED["email"], "subject": f"For {NAME}"}
    return make_event(make_payload(metric=metric, data=data), headers={"from": EMAIL}, **kw)


def make_person() -> Customer:
    """With what the pipeline makes of an event, and all that people and errors write."""
    customer = make_customer(
        cio_id=CIO_ID,
        external_id=ID,
        email=EMAIL,
        phone=PHONE,
        company="Testfrau Ltd",
        attributes={"name": NAME, "plan": "enterprise", "city": "Oberammergau", "mrr": "4200"},
        devices=[{"platform": "ios", "id": "testfrau-phone"}],
    )
    CustomerAlias.objects.create(customer=customer, kind="email", value=FORMER)
    event()
    draining.drain()
    brief = Brief.objects.get(customer=customer)
    _events()
    _work(brief)
    _texts_of_others()
    _rules()
    _kept_by_packages()
    indexing.run()
    return customer


def _events() -> None:
    """Of every state, under every identifier alone."""
    status = WebhookEvent.Status
    event("sent", {"email": STATED["email"]}, status=status.IGNORED, status_reason=QUOTED)
    event("sent", {"id": ID}, status=status.DEAD, status_reason=QUOTED, history=[QUOTED])
    event("sent", {"phone": PHONE}, noted={"preferences": QUOTED})
    event("sent", {"cio_id": CIO_ID}, status=status.IGNORED, stated_time=CIO_ID)
    event("sent", {"email": FORMER}, status=status.IGNORED)
    body = json.dumps({"events": [{"metric": "sent", "to": quote(EMAIL)}]}).encode()
    event("", {}, status=status.QUARANTINED, body=body, event_id=f"sha256:{'7' * 64}")


def _work(brief: Brief) -> None:
    user = get_user_model().objects.create(username="agent")
    target = NotificationTarget.objects.create(name="#retention", scheme="json")
    Notification.objects.create(
        target=target, brief=brief, kind="brief", dedupe_key="1", subject=NAME, body=OWN
    )
    Notification.objects.create(
        target=target, kind="alarm", dedupe_key="2", subject=EMAIL, body=QUOTED
    )
    Comment.objects.create(brief=brief, actor=user, text=OWN)
    ContactLog.objects.create(brief=brief, actor=user, channel="phone", is_reached=True, note=OWN)
    brief.log(f"commented: {OWN}", user)
    brief.close("churned", OWN, user)
    Brief.objects.filter(pk=brief.pk).update(
        persona_why=OWN, company="Testfrau Ltd", cause=_incident(user)
    )
    act = BulkAct.objects.create(actor=user, kind="close", query=f"q={quote(EMAIL)}")
    BulkPart.objects.create(act=act, brief=brief, revision=1, was={"note": OWN})
    job = ReprocessingJob.objects.create(
        kind="briefs", selectors={"customer": EMAIL}, found={"examples": [QUOTED]}
    )
    words = {"persona": OWN}
    ReprocessedBrief.objects.create(job=job, brief=brief, change="words", before=words, after=words)
    KeptAnswer.objects.create(user=user, key="1", request="r", brief=brief, body=OWN)
    KeptAnswer.objects.create(user=user, key="2", request="r", body=QUOTED)
    SavedView.objects.create(owner=user, name="Hers", query=f"q={quote(EMAIL)}&tab=all")
    RecentSearch.objects.create(user=user, text="0171 / 49 171 555 01 23")
    RecentSearch.objects.create(user=user, text="zoe testf")
    SegmentMembership.objects.create(customer=brief.customer, named=f"cio_id:{CIO_ID}")


def _incident(user):
    make_cause(message="newsletter:6", closing_note=QUOTED)
    cause = make_cause(described={"subject": "Zoë, Frau Testfrau, we miss you", "newsletter_id": 5})
    CauseEntry.objects.create(cause=cause, actor=user, text=QUOTED)
    return cause


def _texts_of_others() -> None:
    other = make_brief(customer=make_customer(attributes={"name": "Ann Other"}))
    user = get_user_model().objects.get(username="agent")
    Comment.objects.create(brief=other, actor=user, text=f"Ann knows {QUOTED}")
    other.log(f"commented: Ann knows {QUOTED}", user)
    other.close("retained", QUOTED, user)
    contact = {"channel": "phone", "is_reached": True, "note": QUOTED}
    ContactLog.objects.create(brief=other, actor=user, **contact)
    make_event(
        make_payload(data={"identifiers": {"cio_id": "0ddba11"}}), status="processed",
        status_reason=f"a message to {QUOTED}", history=[{"reason": QUOTED}],
    )  # fmt: skip
    research = make_research(
        answer=f"Ask {QUOTED}", raw_reply={"text": QUOTED}, sources=[{"title": QUOTED}]
    )
    MaveCall.objects.create(research=research, detail=QUOTED[:290], credits=40)
    Alarm.objects.create(kind="stuck", words=QUOTED)
    segment = CustomerSegment.objects.create(number=7, name="Trials")
    SegmentMember.objects.create(segment=segment, reading=1, cio_id=CIO_ID)


def _rules() -> None:
    """A condition that named her, and does no more."""
    with versions.change(None, "", why=f"{NAME} asked for it"):
        condition = PersonaCondition.objects.create(
            persona=Persona.objects.first(), field="email", operator="in",
            value=f"{EMAIL}, ann@example.com",
        )  # fmt: skip
    with versions.change(None, ""):
        condition.value = "ann@example.com"
        condition.save()
    with versions.change(None, f"Took {NAME} out", why=f"{EMAIL} has left"):
        Persona.objects.filter(pk=condition.persona_id).update(research_focus="Prices.")
    assert RuleVersion.objects.count() > 1


def _kept_by_packages() -> None:
    user = get_user_model().objects.get(username="agent")
    LogEntry.objects.create(
        user=user, action_flag=CHANGE, object_repr=EMAIL, change_message=QUOTED,
        content_type=ContentType.objects.get_for_model(Customer),
    )  # fmt: skip
    session = SessionStore()
    session["_messages"] = QUOTED
    session.create()
    packed = base64.b64encode(EMAIL.encode())
    task = {"name": "notify", "func": "f", "started": timezone.now(), "stopped": timezone.now()}
    Task.objects.create(id="1" * 32, result=f"KeyError: {EMAIL}", success=False, **task)
    Task.objects.create(id="2" * 32, args=({"to": packed},), success=False, **task)
    payload = SignedPackage.dumps({"id": "3", "name": "n", "args": (EMAIL,)})
    OrmQ.objects.create(key="default", payload=payload)
    from axes.models import AccessAttempt, AccessFailureLog, AccessLog

    at = {"username": EMAIL, "ip_address": "203.0.113.9", "path_info": "/"}
    posted = f"username={quote(EMAIL)}"
    AccessAttempt.objects.create(**at, get_data="", post_data=posted, failures_since_start=1)
    AccessFailureLog.objects.create(**at)
    AccessLog.objects.create(**at)
