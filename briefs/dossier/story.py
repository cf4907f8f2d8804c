"""Puts a brief's signals and activities into the order and the words in which people read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from briefs.links import user_name
from briefs.models import Activity, Brief, Signal
from briefs.reading import messages
from personas.models import Effect, SignalKind
from personas.rules import bounces
from personas.rules.bounces import Reading

_PLAIN = {
    SignalKind.UNSUBSCRIBED: "They unsubscribed.",
    SignalKind.SPAM_COMPLAINT: "They reported a message of ours as spam.",
    SignalKind.ALL_TOPICS_OFF: "They opted out of every topic.",
    SignalKind.CHANNEL_OPT_OUT: "They turned off a channel.",
    SignalKind.TOPIC_OPT_OUT: "They opted out of some topics and kept others.",
    SignalKind.ADDRESS_GONE: "A message bounced, because nobody gets mail at the address.",
    SignalKind.BOUNCED: "A message bounced, and the reply does not say why.",
    SignalKind.MAILBOX_FULL: "A message bounced, because the mailbox was full or busy.",
    SignalKind.BLOCKED: "The receiving server refused a message of ours.",
    SignalKind.OTHER_ADDRESS: "A message to another address than theirs bounced, or was complained "
    "about.",
    SignalKind.REACHED: "A message arrived again, where earlier ones did not.",
    SignalKind.DROPPED: "A message was not sent, because the address is suppressed.",
    SignalKind.SUBSCRIBED: "They subscribed again.",
    SignalKind.CHANNEL_OPT_IN: "They turned on a channel.",
    SignalKind.TOPIC_OPT_IN: "They opted in to topics.",
    SignalKind.CONVERTED: "They did what a message asked for.",
    SignalKind.NOT_SENT: "A message could not be sent.",
}
# What the server's reply adds to the signal of a bounce.
_BOUNCES = {
    (SignalKind.ADDRESS_GONE, Reading.GONE): "the address no longer exists",
    (SignalKind.ADDRESS_GONE, Reading.SUSPENDED): "the mailbox is closed, suspended or inactive",
    (SignalKind.MAILBOX_FULL, Reading.FULL): "the mailbox is full",
    (SignalKind.MAILBOX_FULL, Reading.BUSY): "the receiving server was busy or at fault itself",
    (SignalKind.MAILBOX_FULL, Reading.EXPIRED): "no server answered in time",
}
# Those whose words end with what exactly: the channel or the topics.
_NAMED = (
    SignalKind.CHANNEL_OPT_OUT, SignalKind.CHANNEL_OPT_IN,
    SignalKind.ALL_TOPICS_OFF, SignalKind.TOPIC_OPT_OUT, SignalKind.TOPIC_OPT_IN,
    SignalKind.OTHER_ADDRESS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """One act of the customer; several events may have reported it."""

    signal: Signal
    words: str
    details: list[tuple[str, str]]
    is_good: bool
    reports: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    at: datetime
    title: str
    detail: str = ""
    actor: str = ""
    tone: str = ""  # good, bad, or empty for what we did ourselves
    brief_id: int | None = None  # set if it belongs to another brief


def happenings(signals: Iterable[Signal]) -> list[Happening]:
    """What the customer did, oldest first; several reports of one act are one happening."""
    signals = list(signals)
    keys = {signal.pk for signal in signals}
    acts = [signal for signal in signals if signal.same_act_as_id not in keys]
    return [_happening(act, signals) for act in sorted(acts, key=lambda s: (s.happened_at, s.pk))]


def _happening(act: Signal, signals: list[Signal]) -> Happening:
    echoes = [signal for signal in signals if signal.same_act_as_id == act.pk]
    message = dict(act.message)
    for echo in echoes:  # only one of the reports may name the message
        message = {**echo.message, **message}
    return Happening(
        signal=act,
        words=_words(act, message),
        details=messages.described(message),
        is_good=act.effect == Effect.GOOD_NEWS,
        reports=1 + len(echoes),
    )


def _words(act: Signal, message: dict[str, Any]) -> str:
    kind = SignalKind(act.kind)
    bounce = bounces.read(str(message.get("failure_message") or ""))
    if because := _BOUNCES.get((kind, bounce.reading)):
        return f"A message bounced, because {because}."
    if kind == SignalKind.BLOCKED and bounce.cause:
        why = bounces.WHY_BLOCKED[bounce.cause]
        return f"The receiving server refused a message of ours: {why}."
    words = _PLAIN.get(kind, f"{act.title}.")
    if act.detail and kind in _NAMED:
        return f"{words.removesuffix('.')}: {act.detail}."
    return words


def timeline(
    brief: Brief, signals: Iterable[Signal], activities: Iterable[Activity]
) -> list[Entry]:
    """What the customer did and what was done with this brief, newest first."""
    entries = [
        *(of_act(act, here=brief.pk) for act in happenings(signals)),
        *(of_activity(activity, here=brief.pk) for activity in activities),
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def of_act(act: Happening, here: int | None = None) -> Entry:
    """`here`: the key of the brief on whose page it stands."""
    brief_id = act.signal.brief_id
    return Entry(
        at=act.signal.happened_at,
        title=act.signal.title,
        detail=" · ".join(_details(act)),
        tone="good" if act.is_good else "bad",
        brief_id=brief_id if brief_id != here else None,
    )


def of_activity(activity: Activity, here: int | None = None) -> Entry:
    """`here`: as in `of_act`."""
    return Entry(
        at=activity.at,
        title=activity.text,
        actor=user_name(activity.actor) if activity.actor else "Savedesk",
        brief_id=activity.brief_id if activity.brief_id != here else None,
    )


def _details(act: Happening) -> list[str]:
    """The words too where the title says less than the server's reply does."""
    is_bounce = act.signal.kind in (
        SignalKind.ADDRESS_GONE,
        SignalKind.MAILBOX_FULL,
        SignalKind.BLOCKED,
    )
    return [
        *([act.words.removesuffix(".")] if is_bounce else []),
        *(f"{label}: {value}" for label, value in act.details),
    ]


def profile_arrived_at(activities: Iterable[Activity]) -> datetime | None:
    """When the profile arrived and the brief was mapped anew; None if it was not.

    The page shows it, because the persona may differ from the one that people saw before.
    """
    code = Activity.Code.PROFILE_ARRIVED
    arrived = [entry.at for entry in activities if entry.code == code]
    return max(arrived, default=None)
