"""Who somebody is at the provider of single sign-on."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Identity(models.Model):
    """Somebody as OpenID Connect names them: `iss` and `sub` never change, an address may."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "identities"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_is_one_person")
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
