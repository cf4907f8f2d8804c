"""Each try to reach a customer: the first one is the brief's first touch."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from briefs.models.briefs import Brief


class ContactLog(models.Model):
    """One try to reach the customer, by one person over one channel."""

    class Channel(models.TextChoices):
        PHONE = "phone", "Phone"
        EMAIL = "email", "E-mail"
        SMS = "sms", "SMS"
        CHAT = "chat", "Chat"
        MEETING = "meeting", "Meeting"
        OTHER = "other", "Another way"

    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="contacts")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    channel = models.CharField(max_length=8, choices=Channel.choices)
    is_reached = models.BooleanField(help_text="Whether the customer answered.")
    note = models.TextField(blank=True)
    next_date = models.DateField(
        null=True, blank=True, help_text="When to try again or to do what was agreed."
    )

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["at"], name="contact_made_at")]

    def __str__(self) -> str:
        reached = "reached" if self.is_reached else "not reached"
        return f"{self.get_channel_display()}, {reached}"
