"""People are told of what is theirs, when it wakes up, and where they are mentioned, as they chose.

Each has at most one target of their own. Nobody is told of what they did themselves. The messages
wait in the outbox like all others.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now

from briefs.links import user_name
from briefs.models import Brief, BulkAct, Cause, Notification, NotificationTarget
from briefs.models.bulk import UNDO_WITHIN
from briefs.models.notifications import BY_MAIL, NotificationQuerySet
from briefs.models.sealing import scheme_of
from briefs.notifying import addresses, messages, outbox
from briefs.notifying.addresses import AddressRefused

Kind = Notification.Kind
BULK_WAITS = UNDO_WITHIN + timedelta(seconds=30)  # an undo of the last second takes some seconds
# Services at a host that nobody chooses: a person may not have this server call one of their own.
CHAT = ("slack", "workflows", "discord", "gchat", "tgram")
_OF_WORKFLOWS = (".logic.azure.com", ".api.powerplatform.com")


def target_of(person: Any) -> NotificationTarget | None:
    """The person's own target, if they want to be told."""
    return NotificationTarget.objects.filter(person=person, is_active=True).first()


def check_chat(address: str) -> None:
    """Raise AddressRefused, which says why, if this is no address of a chat."""
    addresses.check(address)
    service = addresses.open_service(address)
    if scheme_of(address) not in CHAT:
        known = ", ".join(f"{name}://" for name in CHAT)
        raise AddressRefused(f"It must begin with one of {known}.")
    # The host that is called, not the one that another reading of the address might see.
    if service.schema == "workflows" and not str(service.host).endswith(_OF_WORKFLOWS):
        known = " or ".join(_OF_WORKFLOWS)
        raise AddressRefused(f"The host of workflows:// must end in {known}.")


@transaction.atomic
def choose(person: Any, address: str) -> None:
    """Tell this person there from now on: a chat's address, BY_MAIL, or empty for not at all.

    Whoever wants nothing keeps a row that is switched off, because messages refer to it; a chat's
    address is forgotten.
    """
    people: Any = get_user_model()._default_manager
    people.select_for_update().get(pk=person.pk)  # two tabs at once
    target = NotificationTarget.objects.filter(person=person).first()
    if target is None:
        if not address:
            return
        target = NotificationTarget(person=person)
    target.name = f"{user_name(person)[:60]} in person ({person.pk})"
    target.minimum_priority = None
    target.is_active = bool(address)
    target.address = address or BY_MAIL
    target.save()


def tell_assigned(briefs: Collection[Brief], by: Any = None) -> None:
    """Insert a message for each assignee but `by`, who did it. Needs an open transaction.

    The briefs have their assignee and their present revision: each assigning is told once.
    """
    given = [brief for brief in briefs if brief.assignee_id and brief.assignee_id != _key(by)]
    if not given:
        return
    targets = _targets({brief.assignee_id for brief in given})
    rows = []
    for brief in given:
        if target := targets.get(brief.assignee_id):
            subject, body = messages.about_assigned(brief, _name(by))
            key = f"assigned:{brief.pk}:{brief.revision}"
            rows.append(_row(target, Kind.ASSIGNED, key, subject, body, brief))
    outbox.insert(rows)


def tell_woken(briefs: Iterable[Brief], why: Mapping[int, str], moment: datetime) -> None:
    """Insert a message for each assignee: the brief was snoozed and is not any more.

    `why`: by the brief's key, what woke it, as the log says it. `moment`: of the waking. Needs an
    open transaction.
    """
    theirs = [brief for brief in briefs if brief.assignee_id]
    targets = _targets({brief.assignee_id for brief in theirs}) if theirs else {}
    rows = []
    for brief in theirs:
        if target := targets.get(brief.assignee_id):
            subject, body = messages.about_woken(brief, why[brief.pk])
            key = f"woken:{brief.pk}:{moment:%Y%m%dT%H%M%S.%f}"
            rows.append(_row(target, Kind.WOKEN, key, subject, body, brief))
    outbox.insert(rows)


def tell_of_incident(cause: Cause, to: Any, by: Any, entry: int) -> None:
    """Insert a message for the new owner, unless they took it. Needs an open transaction.

    `entry`: the key of the entry in the log, so that each assigning is told once.
    """
    if to.pk == by.pk:
        return
    subject, body = messages.about_owned_incident(cause, user_name(by))
    key = f"incident:{cause.pk}:{entry}"
    outbox.insert(
        _row(target, Kind.INCIDENT, key, subject, body, None)
        for target in _targets({to.pk}).values()
    )


def tell_mentioned(brief: Brief, people: Iterable[Any], by: Any, comment: int) -> None:
    """Insert a message for each of these people but `by`, who wrote. Needs an open transaction."""
    keys = {person.pk for person in people} - {_key(by)}
    targets = _targets(keys) if keys else {}
    subject, body = messages.about_mention(brief, user_name(by))
    outbox.insert(
        _row(target, Kind.MENTION, f"mention:{comment}", subject, body, brief)
        for target in targets.values()
    )


def tell_of_bulk(act: BulkAct, to: Any, number: int) -> None:
    """One message for so many briefs of the act, which waits until it cannot be undone any more.

    Of an act in parts it is called again after each. Needs an open transaction.
    """
    if to.pk == act.actor_id:
        return
    subject, body = messages.about_bulk(number, user_name(act.actor))
    waits_until = Now() + BULK_WAITS
    if _of_bulk(act).update(subject=subject, body=body, available_at=waits_until):
        return
    outbox.insert(
        _row(target, Kind.BULK, _bulk_key(act), subject, body, None, waits_until)
        for target in _targets({to.pk}).values()
    )


def tell_of_undone_bulk(act: BulkAct, number: int) -> None:
    """The act was undone but for so many briefs: the message tells of those, or is cancelled."""
    if not number:
        _of_bulk(act).cancel("it was undone")
        return
    subject, body = messages.about_bulk(number, user_name(act.actor))
    _of_bulk(act).update(subject=subject, body=body)


def _of_bulk(act: BulkAct) -> NotificationQuerySet:
    """The message on it, as long as it waits."""
    pending = Notification.Status.PENDING
    return Notification.objects.filter(dedupe_key=_bulk_key(act), status=pending)


def _targets(people: Collection[Any]) -> dict[Any, NotificationTarget]:
    """By person: the targets of those who want to be told and are still here."""
    targets = NotificationTarget.objects.filter(
        person__in=people, person__is_active=True, is_active=True
    )
    return {target.person_id: target for target in targets}


def _row(
    target: NotificationTarget,
    kind: str,
    key: str,
    subject: str,
    body: str,
    brief: Brief | None,
    available_at: Any = None,
) -> Notification:
    return Notification(
        target=target,
        kind=kind,
        brief=brief,
        dedupe_key=key,
        subject=subject,
        body=body,
        available_at=available_at,
    )


def _bulk_key(act: BulkAct) -> str:
    return f"bulk:{act.pk}"


def _key(person: Any) -> Any:
    return person.pk if person is not None else None


def _name(person: Any) -> str:
    return user_name(person) if person is not None else ""
