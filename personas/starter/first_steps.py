"""The first steps a new workspace starts with: what to do first, by signal and by persona.

Each was read aloud against its case: what the customer just did, and which channels that closed.
An unsubscribe closes marketing e-mail, push, SMS and WhatsApp; a spam complaint and an address that
is gone close all e-mail. So these steps use the product, a call by somebody who knows the customer,
or nothing.

A step contacts the customer over `channels`; without any it is work of our own. A case is tried in
the order written here. The persona is named by its slug; without one it is the signal's own step.
"""

from collections import Counter
from typing import Any


def _step(kind: str, text: str, *channels: str, within: int | None = 8) -> dict[str, Any]:
    return {
        "kind": kind,
        "text": text,
        "channels": list(channels),
        "within_hours": within,
        "is_wait": within is None,
    }


# The signals' own steps.
OF_SIGNALS: list[dict[str, Any]] = [
    _step(
        "unsubscribed",
        "Ask them in the product, in one short personal message, what got in their way; make no "
        "offer yet.",
        "in_app",
    ),
    _step(
        "unsubscribed",
        "Send nothing: read their latest tickets and payments, put right what went wrong, and "
        "answer when they write.",
    ),
    _step(
        "spam_complaint",
        "Send nothing: check that they are off every list we send from, and note which message "
        "made them complain.",
        within=4,
    ),
    _step(
        "all_topics_off",
        "Ask them in the product which news, if any, they would still want; turn nothing on for "
        "them.",
        "in_app",
    ),
    _step(
        "all_topics_off",
        "Send no news: check that no list has them any more, and look through their tickets for "
        "the cause.",
    ),
    _step(
        "channel_opt_out",
        "Send nothing more over {detail}. Look at what we sent there last, and ask in one personal "
        "e-mail whether the rest still suits them.",
        "email",
        within=16,
    ),
    _step(
        "channel_opt_out",
        "Send nothing more over {detail}: look at what we sent there last, and thin out the other "
        "channels before they close them too.",
        within=16,
    ),
    _step(
        "topic_opt_out",
        "Leave them in peace: they left {detail} and nothing else. Check that what they still get "
        "suits what they use.",
        within=24,
    ),
    _step(
        "address_gone",
        "Find the new contact: look in billing, support and the user list for somebody else of "
        "this account, and ask there who took over.",
    ),
    _step(
        "bounced",
        "Before anybody writes again, read below why it did not arrive, and check in billing and "
        "support whether the address or number is still theirs.",
        within=16,
    ),
    _step(
        "dropped",
        "Find out why Customer.io suppresses this address, and look in billing and support for "
        "another way to them.",
        within=16,
    ),
    _step(
        "scanner",
        "Ask one of them in the product whether they meant it: a machine probably clicked for "
        "them.",
        "in_app",
        within=16,
    ),
    _step(
        "scanner",
        "Ask whoever of us knows this company whether these people meant to leave: a machine "
        "probably clicked for them.",
        within=16,
    ),
]

# Where the playbook of a persona demands a special one.
OF_PERSONAS: dict[str, list[dict[str, Any]]] = {
    "enterprise-regulated": [
        _step(
            "unsubscribed",
            "The account owner reads the compliance notes, then calls, if calls were agreed, and "
            "asks what they need in order to stay.",
            "phone",
        ),
        _step(
            "spam_complaint",
            "The account owner calls, if calls were agreed, and apologises; nothing goes to the "
            "inbox, however personal.",
            "phone",
        ),
        _step(
            "all_topics_off",
            "The account owner looks for an open audit or a new supplier policy, then calls, if "
            "calls were agreed.",
            "phone",
        ),
        _step(
            "address_gone",
            "The account owner asks the second contact in the contract who has taken over.",
        ),
    ],
    "enterprise-low": [
        _step(
            "unsubscribed",
            "The customer success manager calls, where calls are welcome, asks where the rollout "
            "stalled and proposes one working session.",
            "phone",
        ),
        _step(
            "spam_complaint",
            "Send nothing and wait: the customer success manager raises it at the next planned "
            "meeting.",
            "in_person",
            within=None,
        ),
        _step(
            "all_topics_off",
            "The customer success manager calls, where calls are welcome, and asks which team was "
            "meant to work with the product.",
            "phone",
        ),
        _step(
            "address_gone",
            "Look through the user list for another administrator, and find out whether our "
            "sponsor has left the company.",
        ),
    ],
    "enterprise-active": [
        _step(
            "unsubscribed",
            "The account director calls, if the records show consent, and asks what prompted the "
            "change, with no offer in hand.",
            "phone",
        ),
        _step(
            "spam_complaint",
            "Stay out of the inbox and wait: the account director asks about it at the next "
            "regular meeting.",
            "in_person",
            within=None,
        ),
        _step(
            "all_topics_off",
            "The account director calls, if the records show consent, and asks whether our news is "
            "too much or something is wrong.",
            "phone",
        ),
        _step(
            "address_gone",
            "The account director asks a second contact of the account for the right person.",
        ),
    ],
    "growth-high": [
        _step(
            "unsubscribed",
            "The specialist on duty asks this regular user in the product what got in their way: a "
            "payment, a limit, a bug, or too many messages.",
            "in_app",
        ),
        _step(
            "spam_complaint",
            "Stay out of the inbox: the specialist on duty asks in the product which of our "
            "messages was too much.",
            "in_app",
        ),
        _step(
            "address_gone",
            "Let the product ask this regular user for a new address at the next sign-in.",
            "in_app",
        ),
    ],
    "business-low": [
        _step(
            "unsubscribed",
            "A save desk specialist checks the real usage, then offers the administrator help in "
            "the product with the set-up step at which they stopped.",
            "in_app",
        ),
        _step("address_gone", "Ask the billing contact who runs this account now."),
    ],
    "pro-low": [
        _step(
            "unsubscribed",
            "The specialist on duty offers help with one task, or a pause, in a short personal "
            "message in the product.",
            "in_app",
        ),
        _step(
            "spam_complaint",
            "Send nothing and wait until they next sign in; help there if they ask.",
            within=None,
        ),
        _step(
            "address_gone",
            "Wait until they next sign in, and let the product ask for a new address then.",
            "in_app",
            within=None,
        ),
        _step(
            "bounced",
            "Send nothing and wait until they next sign in: the product can then ask whether the "
            "address still holds.",
            "in_app",
            within=None,
        ),
    ],
    "trial": [
        _step(
            "unsubscribed",
            "Take them out of the trial messages, then answer once, in the product, with help for "
            "what they were trying to do.",
            "in_app",
            within=16,
        ),
        _step(
            "spam_complaint",
            "Take them out of the trial messages, and send nothing after that.",
        ),
        _step(
            "address_gone",
            "Send nothing and wait: who wants to go on with the trial gives a new address.",
            within=None,
        ),
        _step(
            "bounced",
            "Send nothing and wait for the next sign-in: a trial is not worth a search for them.",
            within=None,
        ),
    ],
    "unknown": [
        _step(
            "unsubscribed",
            "Find out who this is before anybody makes contact, and make sure that every system we "
            "send from knows of the unsubscribe.",
        ),
        _step(
            "spam_complaint",
            "Find out who this is, and send nothing meanwhile: check that the complaint has taken "
            "them off every list.",
            within=4,
        ),
        _step(
            "all_topics_off",
            "Find out who this is before anybody makes contact, and make sure that no list of ours "
            "still has them.",
        ),
        _step(
            "channel_opt_out",
            "Find out who this is before anybody makes contact, and make sure that nothing more "
            "goes out over {detail}.",
            within=16,
        ),
        _step(
            "topic_opt_out",
            "Find out who this is, and make sure that {detail} reaches them no more.",
            within=24,
        ),
        _step(
            "address_gone",
            "Find out who this was: search billing and support for this address, and guess no "
            "other one.",
        ),
        _step(
            "bounced",
            "Find out who this is: search billing and support for what is shown here, and write to "
            "nobody before.",
            within=16,
        ),
        _step(
            "dropped",
            "Find out who this is, and why Customer.io suppresses the address; write to nobody "
            "before.",
            within=16,
        ),
    ],
}


def rows(names: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Each step with the name of its persona, empty for a signal's own; with its place in its case.

    names: of the personas, by their slugs.
    """
    found = [("", step) for step in OF_SIGNALS]
    found += [(names[slug], step) for slug, steps in OF_PERSONAS.items() for step in steps]
    places: Counter[tuple[str, str]] = Counter()
    for name, step in found:
        places[name, step["kind"]] += 10
        step["position"] = places[name, step["kind"]]
    return found
