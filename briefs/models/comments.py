"""What colleagues write to each other about a brief."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from briefs.models.briefs import Brief


class Comment(models.Model):
    """A comment on a brief, and whom it mentions. The log of the brief holds its text as well."""

    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="comments")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    text = models.TextField()
    mentioned = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["at"], name="comment_made_at")]

    def __str__(self) -> str:
        return self.text[:80]
