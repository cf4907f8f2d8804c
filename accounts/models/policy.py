"""How people must sign in: one row, which a lead edits on the page of the team."""

from django.db import models
from django.db.models import Q


class SignInPolicy(models.Model):
    class SecondFactor(models.TextChoices):
        """Who must have a second factor. Everybody may."""

        NOBODY = "nobody", "Whoever wants one"
        LEADS = "leads", "Leads must"
        EDITORS = "editors", "Editors and leads must"
        EVERYBODY = "everybody", "Everybody must"

    second_factor = models.CharField(
        max_length=10, choices=SecondFactor.choices, default=SecondFactor.NOBODY
    )

    class Meta:
        verbose_name_plural = "sign-in policy"
        default_permissions = ()
        permissions = [("manage_people", "Can add people, give roles and end tokens")]
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="signinpolicy_is_one_row")]

    def __str__(self) -> str:
        return "Sign-in policy"

    @classmethod
    def current(cls) -> "SignInPolicy":
        return cls.objects.get_or_create(pk=1)[0]
