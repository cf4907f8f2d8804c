"""The names of the workspace's topics and channels, as people gave them in Customer.io."""

from django.db import models
from django.db.models import Q


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
