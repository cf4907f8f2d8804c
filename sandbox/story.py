"""What the demo tells, chapter by chapter. A new feature adds its lines, or a chapter, here."""

import json
import secrets
import time
from functools import partial
from typing import Any
from urllib.parse import quote

from sandbox.demo import PASSWORD, USER, Demo, address
from sandbox.processes import Failed

REGULATED = ("banking", "insurance", "pharma", "fintech", "biotechnology")
# What 200 people who leave on one day may look like: 7 of 10 are worth a brief.
BURST = (
    ("enterprise", "logistics", "low"),
    ("enterprise", "media", "high"),
    ("business", "retail", "high"),
    ("business", "retail", "low"),
    ("pro", "design", "low"),
    ("trial", "education", "low"),
    ("enterprise", "healthcare", "low"),
    ("free", "retail", "high"),
    ("free", "games", "low"),
    ("free", "media", "low"),
)
WAKES_WITHIN = 180  # seconds
COMPANY_PAYS = 5_400
# A lead takes in the admin what the team's own customers suggest, and has open briefs follow.
THRESHOLDS = """
from django.core.management import call_command
from briefs.finding.known_values import suggestions
from briefs.models import PriorityThreshold
from personas.rules import versions

with versions.change(None, ""):
    for one in suggestions():
        if one.is_enough and one.top_from:
            bounds = {"top_from": one.top_from, "low_below": one.low_below}
            PriorityThreshold.objects.update_or_create(currency=one.currency, defaults=bounds)
call_command("reprioritize_briefs", yes=True)
"""


def tell(demo: Demo) -> None:
    """Start everything and go through the chapters. Raises Failed where one does not come true."""
    demo.start()
    event = customer_unsubscribes(demo)
    what_makes_no_brief(demo, event)
    what_events_mean(demo)
    campaign_goes_wrong(demo)
    desk_at_work(demo)
    campaigns_spare_them(demo)


def customer_unsubscribes(demo: Demo) -> dict[str, Any]:
    """Returns the event, which opened a brief that got its research."""
    industry = secrets.choice(REGULATED)
    demo.say(f"1. A customer unsubscribes: enterprise plan, {industry}, low usage.")
    began = time.monotonic()
    event = demo.event(f"enterprise-{industry}-low-{demo.run}", "unsubscribed")
    demo.expect("the webhook is answered", demo.post(event), (200, "stored"))
    brief = demo.wait("its brief is there", lambda: demo.brief_of(event), 180)
    demo.done(f"brief {brief['id']}: {brief['persona']['name']}, {brief['priority']}", began)
    demo.say(f"     first step: {brief['first_step']}")
    demo.say(f"     {demo.url}/briefs/{brief['id']}/")
    brief = demo.wait("its research is there", lambda: demo.researched(brief["id"]), 180)
    credits = brief["research"]["credits"]
    paid = f"new, {credits} credits" if brief["basis"] == "new" else "shared, 0 credits"
    demo.done(f"researched: {paid}, {len(brief['research']['sources'])} sources", began)
    return event


def what_makes_no_brief(demo: Demo, stored: dict[str, Any]) -> None:
    demo.say("\n2. What makes no brief, and why.")
    demo.expect("the same webhook again", demo.post(stored), (200, "duplicate"))
    demo.done("delivered twice: stored once, no second brief")
    forged = demo.post(demo.event("enterprise-banking-low-forged", "unsubscribed"), key="wrong")
    demo.expect("a forged signature", forged[0], 401)
    demo.done("forged signature: 401, nothing stored")
    for person, metric, title in (
        (f"enterprise-banking-high-{demo.run}", "subscribed", "opt-in"),
        (f"free-retail-high-{demo.run}", "unsubscribed", "free user unsubscribes"),
    ):
        event = demo.event(person, metric)
        demo.post(event)
        row = demo.wait(f"{title} is processed", partial(demo.ended, event), 180)
        if demo.brief_of(event) and not _opens_briefs(demo, person):
            raise Failed(f"{title}: a brief was opened")
        demo.done(f"{title}: {row['status_reason']}")


def _opens_briefs(demo: Demo, person: str) -> bool:
    """Whether a visitor has edited the persona of free users, as the demo suggests."""
    if not person.startswith("free-"):
        return False
    personas = {row["name"]: row for row in demo.pages("personas")}
    return bool(personas["Free, heavy use"]["opens_brief"])


def what_events_mean(demo: Demo) -> None:
    demo.say("\n3. What an event means: three that are easily misread.")
    brief, _ = demo.brief_after(
        demo.person("channel"),
        "cio_subscription_preferences_changed",
        content=json.dumps({"channels": {"sms": False}}),
    )
    demo.wait("its research is there", lambda: demo.researched(brief["id"]), 180)
    demo.done(f"one channel turned off: brief {brief['id']}, {brief['title']}")
    colleague = demo.event(
        demo.person("colleague"),
        "bounced",
        "email",
        recipient="sales-team@ourcompany.example",
        subject="New lead",
        failure_message="550 5.1.1 user unknown",
    )
    demo.post(colleague)
    row = demo.wait("the bounce is processed", partial(demo.ended, colleague), 180)
    if row["signal"]["brief"]:
        raise Failed("a colleague's bounce opened a brief")
    demo.done(f"a colleague's address bounced: {row['status_reason']}")


def campaign_goes_wrong(demo: Demo) -> None:
    demo.say("\n4. A newsletter goes wrong: 200 people unsubscribe at once.")
    calls, credits = demo.mave_calls(), demo.credits_used()
    began = time.monotonic()
    newsletter = f"{int(demo.run, 16)}"
    events = [_unsubscribed_by(demo, newsletter, n) for n in range(200)]
    for event in events:
        demo.expect("every webhook is answered", demo.post(event), (200, "stored"))
    demo.done("200 webhooks answered", began)
    wanted = {event["event_id"] for event in events}
    rows = demo.wait("all are processed", lambda: demo.all_ended(wanted), 180)
    briefs = {row["signal"]["brief"] for row in rows if row["signal"]["brief"]}
    demo.done(f"{len(rows)} events, {len(briefs)} briefs", began)
    _incident_is_owned(demo, newsletter, len(briefs))
    demo.wait("their research is there", lambda: demo.all_researched(briefs), 180)
    shared = sum(
        brief["research"]["credits"]
        for brief in demo.pages("briefs", state="open")
        if brief["id"] in briefs and brief["basis"] == "shared"
    )
    demo.done(
        f"{demo.mave_calls() - calls} research calls, "
        f"{demo.credits_used() - credits} credits spent, {shared} credits saved by sharing",
        began,
    )


def _unsubscribed_by(demo: Demo, newsletter: str, number: int) -> dict[str, Any]:
    """The click of one of many people in the same newsletter."""
    person = f"{'-'.join(BURST[number % len(BURST)])}-{demo.run}{number}"
    return demo.event(
        person, "unsubscribed", "email", recipient=address(person), newsletter_id=int(newsletter),
        newsletter_name="Spring sale", subject="Spring is here",
    )  # fmt: skip


def _incident_is_owned(demo: Demo, newsletter: str, briefs: int) -> None:
    """The newsletter is one line in the inbox, and an incident."""
    found = demo.wait("the newsletter is an incident", lambda: _incident(demo, newsletter), 180)
    demo.expect("the incident has all briefs", found["briefs"], briefs)
    demo.write(f"incidents/{found['id']}/assign/", to="me")
    demo.write(f"incidents/{found['id']}/note/", text="Sent to the wrong list. It is stopped.")
    demo.done(f"one line instead of {briefs}: {demo.url}/incidents/{found['id']}/ has an owner")


def _incident(demo: Demo, newsletter: str) -> dict[str, Any] | None:
    rows = demo.pages("incidents", state="open")
    return next((row for row in rows if row["message"] == f"newsletter:{newsletter}"), None)


def desk_at_work(demo: Demo) -> None:
    demo.say("\n5. The team works on briefs.")
    _most_valuable_first(demo)
    complained, _ = demo.brief_after(
        person := demo.person("complains"), "spammed", "email", recipient=address(person)
    )
    if "email" in complained["first_step_channels"]:
        raise Failed("the first step after a spam complaint is another e-mail")
    demo.done(f"a spam complaint has a first step of its own: {complained['first_step']}")
    _snoozed_until_they_signal_again(demo, demo.person("quiet"))
    _won_back_and_gone_again(demo, demo.person("returns"))
    _company_leaves_person_by_person(demo)


def _most_valuable_first(demo: Demo) -> None:
    demo.processes.manage("shell", "-c", THRESHOLDS)
    briefs = demo.pages("briefs", state="open", ordering="-priority")
    urgent = [brief for brief in briefs if brief["priority"] == "urgent"]
    if not 0 < len(urgent) <= len(briefs) / 10:
        raise Failed(f"{len(urgent)} of {len(briefs)} briefs are urgent")
    months = [float(brief["value"]["month"]) for brief in urgent]
    demo.expect("the first one is worth most", months[0], max(months))
    demo.done(
        f"thresholds by the team's own customers: {len(urgent)} of {len(briefs)} briefs are "
        f"urgent, the first is worth {months[0]:,.0f} a month"
    )


def _snoozed_until_they_signal_again(demo: Demo, person: str) -> None:
    brief, _ = demo.brief_after(person, "unsubscribed", "email", 90, recipient=address(person))
    demo.act(brief, "contacts", channel="phone", is_reached=False, note="No answer.")
    snoozed = demo.act(brief, "snooze", until="signal")
    if not snoozed["is_snoozed_for_signal"]:
        raise Failed(f"brief {brief['id']} is not snoozed")
    demo.done(f"brief {brief['id']}: called, no answer, snoozed until they signal again")
    demo.post(demo.event(person, "unsubscribed"))  # Customer.io's second event of the same act
    demo.post(demo.event(person, "spammed", "email", recipient=address(person)))
    demo.wait("the brief is awake", lambda: _is_awake(demo, brief), WAKES_WITHIN)
    demo.done(f"they complain of spam: brief {brief['id']} is back in the list")


def _is_awake(demo: Demo, brief: dict[str, Any]) -> bool:
    return not demo.get(f"briefs/{brief['id']}/")["is_snoozed_for_signal"]


def _won_back_and_gone_again(demo: Demo, person: str) -> None:
    first, _ = demo.brief_after(
        person, "unsubscribed", "email", 90, recipient=address(person), subject="News"
    )
    demo.post(demo.event(person, "subscribed", ago=60))
    reason = demo.pages("closing-reasons")[0]
    demo.act(
        first, "close", outcome="retained", reason=reason["id"], offer="discount", offer_percent=10
    )
    demo.done(f"brief {first['id']} closed: retained, {reason['name']}, offered 10 % less")
    time.sleep(1)  # events have whole seconds: the next act is after the closing
    again, row = demo.brief_after(person, "unsubscribed")
    demo.expect("the next brief tells of the last", again["returned_from"], first["id"])
    demo.done(f"won back, and gone again a minute later: {row['status_reason']}")
    demo.say(f"     {demo.url}/briefs/{again['id']}/ begins with how the last one ended")


def _company_leaves_person_by_person(demo: Demo) -> None:
    company = f"Tandem {demo.run}"
    leavers = [
        demo.person(name, company=company, mrr=str(COMPANY_PAYS))
        for name in ("leaves-first", "leaves-next")
    ]
    briefs = [demo.brief_after(leaver, "unsubscribed")[0] for leaver in leavers]
    if [float(brief["value"]["month"]) for brief in briefs] != [COMPANY_PAYS] * 2:
        raise Failed(f"the value of {company} is not on both briefs")
    path = f"/companies/?name={quote(company)}"
    page = demo.page(path)
    for words in (*leavers, f"{COMPANY_PAYS:,} a month"):
        if words not in page:
            raise Failed(f"{words} is not on the page of {company}")
    demo.done(
        f"two people of {company} leave: briefs {briefs[0]['id']} and {briefs[1]['id']}, "
        f"and its value of {COMPANY_PAYS:,} a month counts once"
    )
    demo.say(f"     {demo.url}{path}")


def campaigns_spare_them(demo: Demo) -> None:
    demo.say("\n6. Campaigns spare whom the team is talking to.")
    began = time.monotonic()
    person = demo.person("spared")
    demo.brief_after(person, "unsubscribed")
    demo.expect("nobody is in a segment before it is turned on", demo.in_segments(), set())
    demo.processes.manage("register_segment")
    spared = demo.in_segments()
    if person not in spared:
        raise Failed(f"{person} is not in the segment")
    demo.done(
        f"{len(spared)} customers with an open brief are in a segment in Customer.io, and leave it "
        "when the brief is closed",
        began,
    )


def now_try(demo: Demo) -> None:
    """What a visitor can do next."""
    demo.say(
        f"""
Now try:
  - Log in at {demo.url}/ as {USER} / {PASSWORD}, take a brief and close it.
  - Edit a persona at {demo.url}/admin/personas/persona/ (say, let “Free, heavy use” open briefs).
  - Send a webhook of your own; the id spells the customer: plan-industry-usage-anything.

id=$(date +%s%N)
body='{{"event_id":"try-'$id'","object_type":"customer","metric":"unsubscribed","timestamp":'$(date +%s)',"data":{{"identifiers":{{"id":"enterprise-insurance-high-'$id'"}}}}}}'
ts=$(date +%s)
sig=$(printf 'v0:%s:%s' "$ts" "$body" | openssl dgst -sha256 -hmac "$(cat {demo.folder}/signing_key)" | sed 's/.* //')
curl -X POST {demo.url}/webhooks/customerio/ -H "X-CIO-Timestamp: $ts" -H "X-CIO-Signature: $sig" -d "$body"

Ctrl-C stops everything. Logs and database are in {demo.folder.name}/.
"""  # noqa: E501 - lines to be copied whole
    )
