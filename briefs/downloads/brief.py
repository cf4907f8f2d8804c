"""One brief as Markdown: what its page shows, for tickets, mails and whoever has no account."""

from collections.abc import Iterator
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from briefs.dossier.dossier import Dossier
from briefs.downloads.escaping import line, quote, quoted_markdown
from briefs.links import absolute, user_name
from briefs.models import Priority
from briefs.reading.stripping import answer_alone
from briefs.times import exact


def response(dossier: Dossier, request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(
        written(dossier, request), content_type="text/markdown; charset=utf-8; variant=CommonMark"
    )
    answer["Content-Disposition"] = f'attachment; filename="brief-{dossier.brief.pk}.md"'
    return answer


def written(dossier: Dossier, request: HttpRequest | None = None) -> str:
    brief = dossier.brief
    who = line(dossier.customer.name or dossier.customer)
    parts = [
        f"# Brief {brief.pk}: {who}",
        absolute(brief.get_absolute_url(), request),
        _list(_facts(dossier)),
        "## What happened",
        _list(_happened(dossier)),
        *_ending(dossier),
        "## What to do" if brief.is_open else "## What was to be done",
        *_plan(dossier),
        "## Research",
        *_research(dossier),
        *_titled("## Still reachable by", _list(_routes(dossier))),
        *_titled("## Attributes", _list(_attributes(dossier))),
        *_titled("## Contact log", "\n\n".join(_contacts(dossier))),
        *_titled("## Comments", "\n\n".join(_comments(dossier))),
        "## Timeline",
        _list(_timeline(dossier)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(pairs: Iterator[tuple[str, str]]) -> str:
    """`- **label**: words`, without those that have none. The words are Markdown already."""
    return "\n".join(f"- **{label}**: {words}" for label, words in pairs if words)


def _titled(title: str, text: str) -> list[str]:
    return [title, text] if text else []


def _at(moment: datetime | None) -> str:
    return exact(moment) if moment else ""


def _facts(dossier: Dossier) -> Iterator[tuple[str, str]]:
    brief, customer = dossier.brief, dossier.customer
    why = " ".join(reason["words"] for reason in dossier.priority_reasons)
    yield "State", line(brief.get_state_display())
    yield "Priority", line(f"{Priority(brief.priority).label}. {why}".rstrip())
    yield "Signal", line(brief.title)
    yield "Persona", line(dossier.persona.name)
    yield "Why this persona", line(brief.persona_why)
    yield "Value", line(brief.value_words) if dossier.value else "Unknown"
    yield "Plan", line(dossier.attributes.plan)
    yield "Company", line(customer.company)
    yield "Id", line(customer.external_id or "")
    yield "E-mail", line(customer.email)
    yield "Phone", line(customer.phone)
    yield "Assignee", line(user_name(brief.assignee)) if brief.assignee else "Nobody"
    yield "Opened", _at(brief.created_at)
    yield "Due", _at(brief.due_at) if brief.is_open else ""
    yield "Snoozed", f"until {_at(brief.snoozed_until)}" if brief.state == "snoozed" else ""


def _happened(dossier: Dossier) -> Iterator[tuple[str, str]]:
    if not dossier.happenings:
        yield _at(dossier.brief.happened_at), line(dossier.brief.title)
    for act in dossier.happenings:
        told = [line(act.words), *(f"{label}: {line(said)}" for label, said in act.details)]
        yield _at(act.signal.happened_at), " · ".join(told)


def _ending(dossier: Dossier) -> Iterator[str]:
    brief = dossier.brief
    if brief.is_open:
        return
    yield "## How it ended"
    by = f", by {line(user_name(dossier.closer))}" if dossier.closer else ""
    yield f"**{brief.get_outcome_display()}**, {_at(brief.closed_at)}{by}."
    yield _list(
        iter([
            ("Why", line(brief.closing_reason or "")),
            ("Offered", line(brief.offer_in_words)),
        ])
    )  # fmt: skip
    yield quote(brief.closing_note) if brief.closing_note else ""


def _plan(dossier: Dossier) -> Iterator[str]:
    if dossier.first_step:
        yield f"**First step:** {line(dossier.first_step)}"
    for section in dossier.advice:
        yield f"### {line(section.title)}" if section.title else ""
        yield quoted_markdown(section.text)


def _research(dossier: Dossier) -> Iterator[str]:
    research = dossier.research
    yield f"{line(research.words)}."
    if not research.is_answered or research.row is None or dossier.reading is None:
        return
    yield quoted_markdown(answer_alone(research.row.answer))
    validation = research.validation
    yield _list(
        iter([
            ("Confidence", f"{validation.confidence} %" if validation.confidence else ""),
            ("Risk of made-up claims", line(validation.risk)),
            ("Mave found no support for", line("; ".join(validation.unsupported_claims))),
        ])
    )  # fmt: skip
    sources = [
        f"{one.source.number}. " + (f"[{line(one.source.title)}](<{_address(one.source.href)}>)"
                                    if one.source.href else line(one.source.title))
        for one in dossier.reading.sources
    ]  # fmt: skip
    yield from _titled("### Sources", "\n".join(sources))


def _address(href: str) -> str:
    return href.replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E")


def _routes(dossier: Dossier) -> Iterator[tuple[str, str]]:
    for route in dossier.routes:
        yield route.channel, line(f"{route.answer} {route.reason}")


def _attributes(dossier: Dossier) -> Iterator[tuple[str, str]]:
    for attribute in (*dossier.attributes.mapped, *dossier.attributes.others):
        yield line(attribute.label), line(attribute.value)


def _contacts(dossier: Dossier) -> Iterator[str]:
    for one in dossier.contacts:
        again = f" Next: {one.next_date}." if one.next_date else ""
        yield f"**{_at(one.at)}**, {line(user_name(one.actor))}: {line(one)}.{again}"
        yield quote(one.note) if one.note else ""


def _comments(dossier: Dossier) -> Iterator[str]:
    for one in dossier.comments:
        yield f"**{_at(one.at)}**, {line(user_name(one.actor))}:\n\n{quote(one.text)}"


def _timeline(dossier: Dossier) -> Iterator[tuple[str, str]]:
    for entry in dossier.timeline:
        told = [entry.actor, entry.title, entry.detail]
        yield _at(entry.at), line(" · ".join(filter(None, told)))
