"""The names of the workspace's topics and channels, as people gave them in Customer.io."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from providers.subscriptions import Preferences, SubscriptionName

FRESH_FOR = timedelta(days=1)
DETAIL_LENGTH = 300  # of the columns that keep such names
# Our words for Customer.io's types of channels, as they are written within a sentence.
CHANNELS = {
    "email": "e-mail",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "push": "push",
    "in_app": "in-app",
    "inbox": "inbox",
    "slack": "Slack",
    "line": "LINE",
    "urban_airship": "Airship push",
}


class SubscriptionNames(models.Model):
    """One row, shared by all workers: what Customer.io last said of its topics and channels.

    `topics` and `channels` map the key that preferences use (`topic_4`, `email`) to
    `{"name": "Product updates", "is_on_by_default": true}`.
    """

    topics = models.JSONField(default=dict)
    channels = models.JSONField(default=dict)
    fetched_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "names of topics and channels"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="subscriptionnames_is_one_row")
        ]

    def __str__(self) -> str:
        return f"{len(self.topics)} topics, {len(self.channels)} channels"

    @classmethod
    def known(cls) -> "SubscriptionNames":
        """What is known at present: nothing, before Customer.io was asked for the first time."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    def claim(cls, retry_after: timedelta) -> bool:
        """Whether this worker is to ask Customer.io now; then no other is, for `retry_after`."""
        SubscriptionNames.objects.bulk_create([SubscriptionNames(pk=1)], ignore_conflicts=True)
        due = cls.objects.filter(Q(fetched_at=None) | Q(fetched_at__lt=Now() - FRESH_FOR), pk=1)
        return bool(due.update(fetched_at=Now() - FRESH_FOR + retry_after))

    @classmethod
    def learn(cls, **told: Iterable[SubscriptionName]) -> None:
        """Keep what Customer.io told of `topics` and `channels`, for a day."""
        rows = {group: {name.key: _kept(name) for name in names} for group, names in told.items()}
        cls.objects.filter(pk=1).update(fetched_at=Now(), **rows)

    @property
    def defaults(self) -> Preferences:
        """What each topic and channel is for somebody who never chose."""
        return {
            group: {
                key: told["is_on_by_default"]
                for key, told in names.items()
                if told.get("is_on_by_default") is not None
            }
            for group, names in (("topics", self.topics), ("channels", self.channels))
        }

    def words(self, *, topics: Iterable[str] = (), channels: Iterable[str] = ()) -> str:
        """Their names: “E-mail and push”, or “Product updates, Tips”."""
        named = [channel_words([self._channel(key) for key in channels])]
        named += [_name(self.topics, key) for key in topics]
        return _cut([name for name in named if name])

    def _channel(self, key: str) -> str:
        return CHANNELS.get(key) or _name(self.channels, key)


def channel_words(names: Sequence[str]) -> str:
    """Names of channels as they stand alone, not within a sentence."""
    *others, last = names or [""]
    joined = f"{', '.join(others)} and {last}" if others else last
    return joined[:1].upper() + joined[1:]


def _kept(name: SubscriptionName) -> dict[str, Any]:
    return {"name": name.name, "is_on_by_default": name.is_on_by_default}


def _name(names: dict[str, dict[str, Any]], key: str) -> str:
    return names.get(key, {}).get("name") or key[:100]


def _cut(names: list[str]) -> str:
    """All of the names, or as many as the column has room for and how many more there are."""
    text = ", ".join(names)
    kept = len(names)
    while len(text) > DETAIL_LENGTH:
        kept -= 1
        text = f"{', '.join(names[:kept])} and {len(names) - kept} more"
    return text
