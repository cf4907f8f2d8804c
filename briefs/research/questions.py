"""Writes the question to Mave: from the persona and the signal, never from a customer's own words.

The wording is built in until the team writes its own (`QuestionTemplate`, in the admin). Of a
customer, a question says only what the persona's conditions say, in the team's own words. So the
rules bound the number of questions, and no personal data is sent.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

from django.conf import settings

from briefs.models import QuestionTemplate
from briefs.models.wording import Wording
from personas.models import Persona, SignalKind, privacy
from personas.models.subscriptions import CHANNELS, channel_words

# Raise it with every change of the built-in text: a brief must not share an answer to the old text.
TEMPLATE_VERSION = "1"

MEANINGS: dict[str, str] = {
    SignalKind.UNSUBSCRIBED: "The customer unsubscribed from all marketing e-mail.",
    SignalKind.SPAM_COMPLAINT: "The customer marked one of our e-mails as spam.",
    SignalKind.ALL_TOPICS_OFF: "The customer turned off every topic in the preference centre.",
    SignalKind.CHANNEL_OPT_OUT: "The customer turned off one channel and kept others.",
    SignalKind.TOPIC_OPT_OUT: "The customer opted out of some e-mail topics and kept others.",
    SignalKind.ADDRESS_GONE: "An e-mail bounced for good: the address no longer exists, so our "
    "contact has probably left the company.",
    SignalKind.BOUNCED: "An e-mail bounced and the reason given is unclear.",
    SignalKind.DROPPED: "An e-mail was not sent because the address is suppressed.",
}

# The channels that a question names; of any other it says that it is one of several. So there are
# few questions, and no word of the workspace's own leaves.
CHANNELS_NAMED = {
    channel_words([CHANNELS[key]]): CHANNELS[key]
    for key in ("email", "sms", "whatsapp", "push", "in_app")
}

_TEMPLATE = """\
Research retention strategies for one segment of the customers of a subscription software \
company. Everything there is to know is below; please do not ask back, and state assumptions \
where you need them.

Segment: {segment}
About the segment: {description}
What is known of this customer: {facts}

Signal: {signal}
What it means: {meaning}

Focus: {focus}

Answer in Markdown with exactly these sections, in this order:
## What is probably going on
## First 24 hours
## Retention strategies
## What to say
## What to avoid
## How to tell it worked

Respect the channel that the customer has just closed. Cite a source for every claim that rests \
on one. Between 300 and 600 words in all."""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    hash: str
    version: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Writes questions by one version of the template. Load a new one for each batch of briefs."""

    wording: Wording

    @classmethod
    def load(cls) -> Self:
        """With the version that is in use at this moment, in one query."""
        own = QuestionTemplate.objects.in_use()
        return cls(own.wording if own else built_in())

    def question_for(
        self, persona: Persona, kind: str, facts: list[str], detail: str = ""
    ) -> Question:
        """Render the question and its hash: same template, words and workspace, same hash.

        facts: the conditions that picked the persona, in the team's words (`plan is enterprise`).
        detail: what exactly was turned off; only the name of a channel is said, see `said_of`.
        Words with an e-mail address are left out. The admin refuses them, but other code may not.
        """
        label = SignalKind(kind).label
        meaning = MEANINGS.get(kind, f"Customer.io reported: {label.lower()}.")
        if channel := said_of(kind, detail):
            label = f"{SignalKind.CHANNEL_OPT_OUT.label}: {channel}"
            meaning = (
                f"The customer turned off the {CHANNELS_NAMED[channel]} channel and kept others."
            )
        said = [fact for fact in facts if privacy.without(fact)]
        text = self.wording.fill(
            {
                "segment": privacy.without(persona.name) or f"segment {persona.pk}",
                "description": _on_one_line(persona.description),
                "facts": "; ".join(said) or "nothing beyond the segment",
                "signal": label,
                "meaning": meaning,
                "focus": _on_one_line(persona.research_focus) or "what keeps such customers.",
            }
        )
        workspace = settings.MAVERA_WORKSPACE_ID
        digest = hashlib.sha256("\0".join([self.wording.version, workspace, text]).encode())
        return Question(text, digest.hexdigest(), self.wording.version)


def said_of(kind: str, detail: str) -> str:
    """What a question says of a signal besides its kind: one of the channels named, or nothing.

    Whoever unsubscribed through a text message or a push left that channel only: it is the same
    question as about a channel that was turned off.
    """
    is_of_channel = kind in (SignalKind.CHANNEL_OPT_OUT, SignalKind.UNSUBSCRIBED)
    return detail if is_of_channel and detail in CHANNELS_NAMED else ""


def _on_one_line(text: str) -> str:
    """The text without line breaks; empty if it contains an e-mail address."""
    return privacy.without(" ".join(text.split()))


def built_in() -> Wording:
    """The text that is used until the team writes its own."""
    return Wording(TEMPLATE_VERSION, _TEMPLATE)
