"""Tells in sentences what an edit of the rules would stop, and what it would multiply.

An edit that costs half of the briefs, of their value or of one persona's customers, or that doubles
the briefs or the credits, is to be confirmed. It is compared with the rules of now and with those
of a week ago: ten small edits are one large one.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from briefs.foreseeing.judging import (
    Judge,
    Judged,
    decide_alike,
    kinds_that_differ,
    without_doubtful,
)
from briefs.foreseeing.looking import Sample, look
from briefs.research import spending
from briefs.research.questions import Asker
from personas.models.value import money
from personas.rules.rulebook import Rulebook
from personas.rules.versions import Consequence
from providers.mavera import Mave
from webhooks.clock import database_now

# Fewer customers in 30 days are about one a week: such a persona often has none for weeks.
FEWEST = 5
MORE = 20  # briefs in 30 days, one for each working day: below that nobody is flooded
MORE_ANSWERS = 10  # in 30 days
NAMED = 3  # personas by their names; of further ones only the number
EXACT_BELOW = 1_000  # above it a number is told in two digits, so that it stays for some minutes
NOW, WEEK_AGO = "now", "by the rules of a week ago"


Told = tuple[str, Consequence]  # what it is about


def foresee(before: Rulebook, after: Rulebook, week_ago: Rulebook | None) -> list[Consequence]:
    """What is to be confirmed before `after` takes the place of `before`; empty if nothing is."""
    if decide_alike(before, after):
        return []
    books = [before, after]
    if week_ago and not decide_alike(week_ago, before):
        books.append(week_ago)
    sample = without_doubtful(look(database_now(), kinds_that_differ(books)), before)
    for book in books:
        book.read_memberships(person.customer for person in sample.people if person.customer)
    says_facts = "facts" in Asker.load().wording.variables
    judged = [Judge(book, before).judge(sample, says_facts=says_facts) for book in books]
    told = dict(_told(judged[0], judged[1], NOW, sample))
    for then in judged[2:]:
        for subject, found in _told(then, judged[1], WEEK_AGO, sample, before=judged[0]):
            told.setdefault(subject, found)
    return [replace(found, words=found.words + _looked_at(sample)) for found in told.values()]


def _told(
    old: Judged, new: Judged, when: str, sample: Sample, before: Judged | None = None
) -> Iterator[Told]:
    """before: by the present rules. What the edit leaves as it is by now is then not told."""
    is_worse = before is None or new.briefs < before.briefs
    if old.briefs and not new.briefs and is_worse:
        number = len(old.customers)
        personas = f" of {number} personas" if number > 1 else ""
        yield (
            "briefs",
            Consequence(
                f"All briefs stop: {_customers(old.briefs, sample)}{personas} in 30 days"
                f"{_since(when)}.",
                briefs_left=0,
            ),
        )
        return
    if sum(old.seen.values()) >= FEWEST and _is_halved(old.briefs, new.briefs) and is_worse:
        yield (
            "briefs",
            Consequence(
                f"Half of the briefs or more stop: {_figure(new.briefs, sample)} in 30 days, "
                f"{_figure(old.briefs, sample)} {when}.",
                briefs_left=new.briefs / old.briefs,
            ),
        )
    yield from _of_personas(old, new, when, sample, before)
    yield from _of_value(old, new, when, sample, before)
    if before is None or new.briefs > before.briefs:
        yield from _growth("briefs", old.briefs, new.briefs, MORE, when, sample)
    if Mave().is_configured and (before is None or new.answers > before.answers):
        price = spending.usual_cost()
        costs = old.answers * price, new.answers * price
        # Questions are shared: of more people nobody knows how many more there would be.
        of = "" if sample.is_whole else " for those looked at"
        yield from _growth(f"credits{of}", *costs, MORE_ANSWERS * price, when, sample)


def _growth(
    noun: str, old: float, new: float, least: int, when: str, sample: Sample
) -> Iterator[Told]:
    """If it doubles, and grows by so much at least."""
    if new < 2 * old or new - old < least:
        return
    numbers = f"{_figure(new, sample)} in 30 days, {_figure(old, sample)} {when}"
    if not old:
        yield noun, Consequence(f"There were no {noun}, and there will be: {numbers}.")
        return
    times = int(new / old)
    more = "Twice" if times == 2 else f"{times:,} times"
    yield noun, Consequence(f"{more} as many {noun}: {numbers}.")


def _of_personas(
    old: Judged, new: Judged, when: str, sample: Sample, before: Judged | None
) -> Iterator[Told]:
    """Personas of which half of the customers with a brief are lost, or more."""
    stopping: list[str] = []
    for name, number in old.customers.items():
        left = new.customers.get(name, 0.0)
        is_worse = before is None or left < before.customers.get(name, 0.0)
        if old.seen[name] < FEWEST or not _is_halved(number, left) or not is_worse:
            continue
        most = _taker(name, old, new)
        if most and name not in new.names and most not in old.names:
            continue  # it only has another name
        if not most and not left:
            stopping.append(name)
            continue
        taker = f"most of the others come to “{most}”" if most else "the others have none"
        yield (
            name,
            Consequence(
                f"“{name}” has a brief for {_customers(left, sample)} in 30 days, "
                f"{_figure(number, sample)} {when}: {taker}."
            ),
        )
    if stopping:
        number = sum(old.customers[name] for name in stopping)
        personas = f" of {len(stopping)} personas" if len(stopping) > 1 else ""
        yield (
            "stopping",
            Consequence(
                f"Briefs for {_named(stopping)} stop: {_customers(number, sample)}{personas} in 30 "
                f"days{_since(when)}."
            ),
        )


def _since(when: str) -> str:
    return "" if when == NOW else f", {when}"


def _taker(name: str, old: Judged, new: Judged) -> str:
    """The other persona that most of its customers come to; empty if most have no brief."""
    pairs = zip(old.personas, new.personas, strict=True)
    others = Counter(now for then, now in pairs if then == name and now != name)
    return others.most_common(1)[0][0] if others else ""


def _of_value(
    old: Judged, new: Judged, when: str, sample: Sample, before: Judged | None
) -> Iterator[Told]:
    if sum(old.seen.values()) < FEWEST:
        return
    for currency, month in old.value.items():
        left = new.value.get(currency, Decimal(0))
        is_worse = before is None or left < before.value.get(currency, Decimal(0))
        if month > 0 and 2 * left <= month and is_worse:
            of = "" if sample.is_whole else " of those looked at"
            yield (
                f"value {currency}",
                Consequence(
                    f"The value behind the briefs{of} falls to half or less: "
                    f"{_money(currency, left)} a month, {_money(currency, month)} {when}."
                ),
            )


def _is_halved(old: float, new: float) -> bool:
    return old > 0 and 2 * new <= old


def _figure(number: float, sample: Sample) -> str:
    if sample.is_whole and number < EXACT_BELOW:
        return f"{number:,.0f}"
    return f"about {_rounded(number):,}"


def _customers(number: float, sample: Sample) -> str:
    figure = _figure(number, sample)
    return f"{figure} customer" if figure == "1" else f"{figure} customers"


def _rounded(number: float) -> int:
    """In two digits, from 100 on."""
    whole = round(number)
    return whole if whole < 100 else round(whole, 2 - len(str(whole)))


def _money(currency: str, month: Decimal) -> str:
    return money(currency, Decimal(_rounded(float(month))))


def _named(names: list[str]) -> str:
    said = [f"“{name}”" for name in names[:NAMED]]
    if len(names) > NAMED:
        said.append(f"{len(names) - NAMED} more")
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _looked_at(sample: Sample) -> str:
    """Of whom the numbers were counted, where that was not everybody."""
    if sample.is_whole:
        return ""
    events = f" and {_rounded(sample.events):,} other events" if sample.events else ""
    return f" Estimated from {_rounded(sample.signals):,} signals{events} that were looked at."
