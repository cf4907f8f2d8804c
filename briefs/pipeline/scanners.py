"""Link scanners: mail gateways that open every link of every mail, "unsubscribe" among them.

Customer.io unsubscribes these people as if they had clicked. Many people of one company within
seconds, beside clicks that Customer.io itself calls a machine's, are folded into one brief of low
priority: somebody asks one of them, instead of six urgent briefs that nobody meant.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from briefs.models import Brief
from briefs.models.priority import SCANNER
from briefs.pipeline.drafts import Draft
from personas.models import Customer, SignalKind
from personas.rules.recipients import addresses
from webhooks.models import WebhookEvent
from webhooks.models.events import EventQuerySet

PEOPLE = 3  # of one company at least
WITHIN = timedelta(seconds=10)
CLICKS_WITHIN = timedelta(minutes=1)  # before the first of them or after the last
LOOK_BACK = timedelta(minutes=5)  # for briefs that may belong together
MOST = 500  # of them, the newest
MOST_CLICKS = 1_000  # whose bodies are read
# Providers whose customers share a domain and nothing else.
PUBLIC_DOMAINS = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.jp aol.com
    icloud.com me.com mac.com gmx.de gmx.net gmx.com web.de t-online.de freenet.de orange.fr
    wanadoo.fr free.fr laposte.net libero.it naver.com daum.net hanmail.net kakao.com qq.com
    163.com 126.com sina.com mail.ru yandex.ru proton.me protonmail.com fastmail.com zoho.com
    uol.com.br bol.com.br terra.com.br comcast.net verizon.net att.net sbcglobal.net cox.net
    btinternet.com rediffmail.com
    """.split()  # noqa: SIM905 - a list of names, one beside the other
)


@dataclass(frozen=True, slots=True)
class Burst:
    """Briefs of people of one company who unsubscribed within seconds, the oldest first."""

    domain: str
    briefs: list[Brief]

    @property
    def first(self) -> datetime:
        return min(brief.happened_at for brief in self.briefs)

    @property
    def last(self) -> datetime:
        return max(brief.happened_at for brief in self.briefs)

    @property
    def words(self) -> str:
        seconds = max(1, round((self.last - self.first).total_seconds()))
        return f"{len(self.briefs)} people of {self.domain} within {seconds} s"


def fold() -> int:
    """Fold what scanners caused of late; returns how many briefs were folded into others."""
    if not _clicks().exists():  # most batches end here: the briefs need not be read
        return 0
    return sum(_fold(burst) for burst in bursts(_recent()) if _is_beside_machine_clicks(burst))


def may_show(drafts: Iterable[Draft]) -> bool:
    """Whether these events can be a part of a scanner's traces."""
    return any(draft.event.metric in ("unsubscribed", "clicked") for draft in drafts)


def bursts(briefs: Iterable[Brief]) -> Iterator[Burst]:
    """Groups of at least three people of one company who unsubscribed within ten seconds."""
    by_domain: dict[str, list[Brief]] = defaultdict(list)
    for brief in sorted(briefs, key=lambda brief: (brief.happened_at, brief.pk)):
        domain = brief.customer.email.rpartition("@")[2]
        if domain and domain not in PUBLIC_DOMAINS:
            by_domain[domain].append(brief)
    for domain, group in by_domain.items():
        while len(group) >= PEOPLE:
            near = [b for b in group if b.happened_at <= group[0].happened_at + WITHIN]
            if len(near) >= PEOPLE:
                yield Burst(domain, near)
            group = group[len(near) if len(near) >= PEOPLE else 1 :]


def _recent() -> list[Brief]:
    """New briefs that nobody has touched, and those that were folded before."""
    untouched = Q(kind=SignalKind.UNSUBSCRIBED, state=Brief.State.NEW, assignee=None)
    late = Brief.objects.filter(
        untouched | Q(kind=SignalKind.SCANNER), created_at__gt=Now() - LOOK_BACK
    )
    read = ("kind", "happened_at", "customer__cio_id", "customer__external_id", "customer__email")
    return list(late.select_related("customer").only(*read).order_by("-created_at")[:MOST])


def _clicks() -> EventQuerySet:
    return WebhookEvent.objects.filter(
        object_type="email", metric="clicked", received_at__gt=Now() - 2 * LOOK_BACK
    )


def _is_beside_machine_clicks(burst: Burst) -> bool:
    """Whether a machine clicked a link in a mail to this company at about that time.

    Customer.io marks such clicks: https://docs.customer.io/api/webhooks (`machine`)
    """
    around = (burst.first - CLICKS_WITHIN, burst.last + CLICKS_WITHIN)
    clicks = _clicks().filter(occurred_at__range=around)
    # First the clicks of these people: a large mailing has more others than can be read.
    return any(
        _is_machine_click(event.data, burst.domain)
        for found in (clicks.filter(_is_by(burst)), clicks)
        for event in found.only("body")[:MOST_CLICKS]
    )


def _is_by(burst: Burst) -> Q:
    people = [brief.customer for brief in burst.briefs]
    cio_ids = [person.cio_id for person in people if person.cio_id]
    return (
        Q(identifiers__cio_id__in=[*cio_ids, *(f"cio_{cio_id}" for cio_id in cio_ids)])
        | Q(identifiers__id__in=[person.external_id for person in people if person.external_id])
        | Q(identifiers__email__in=[person.email for person in people])
    )


def _is_machine_click(data: dict[str, Any], domain: str) -> bool:
    sent_to = data.get("recipient")
    return (
        data.get("machine") is True
        and isinstance(sent_to, str)
        and any(address.endswith(f"@{domain}") for address in addresses(sent_to.lower()))
    )


@transaction.atomic
def _fold(burst: Burst) -> int:
    """Keep one brief of the burst, as low, and withdraw the others that are still untouched."""
    keys = [brief.pk for brief in burst.briefs]
    # Locked in the order in which recording locks, so that the two cannot wait for each other.
    people = sorted({brief.customer_id for brief in burst.briefs})
    list(Customer.objects.filter(pk__in=people).order_by("pk").select_for_update())
    rows = Brief.objects.open().filter(pk__in=keys).select_related("customer").order_by("pk")
    briefs = [brief for brief in rows.select_for_update(of=("self",)) if brief.is_untouched]
    kept = next((b for b in briefs if b.kind == SignalKind.SCANNER), None) or next(
        iter(briefs), None
    )
    others = [brief for brief in briefs if brief != kept]
    if kept is None or (kept.kind == SignalKind.SCANNER and not others):
        return 0
    words = f"{burst.words}, beside clicks by a machine"
    kept.kind, kept.detail = SignalKind.SCANNER, burst.words
    kept.is_judged(SCANNER)
    # Nobody pays for advice on what nobody meant.
    kept.research, kept.is_sharing, kept.basis = None, False, Brief.Basis.PLAYBOOK
    kept.researched_at = kept.cause = None
    kept.save(
        update_fields=["kind", "detail", "priority", "priority_reasons", "research", "is_sharing",
                       "basis", "researched_at", "cause"]
    )  # fmt: skip
    kept.log(
        f"probably a link scanner: {words}. Ask one of them whether they meant it", is_raised=True
    )
    for brief in others:
        brief.kind, brief.cause = SignalKind.SCANNER, None
        brief.save(update_fields=["kind", "cause"])
        brief.withdraw(f"probably a link scanner: {words}. See brief {kept.pk}")
        kept.log(f"takes the place of brief {brief.pk} ({brief.customer})", is_raised=True)
    return len(others)
