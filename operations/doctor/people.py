"""The check of the people: who may do everything, who may more than their role, who may nothing."""

from django.contrib.auth.models import User

from accounts.models import roles
from briefs.models import Brief
from operations.doctor.findings import Finding, fail, ok, warn
from providers import plain

NAMED = 10


def people() -> Finding:
    """Deactivated people are left out: they may nothing."""
    all_active = User.objects.filter(is_active=True)
    active = list(all_active.prefetch_related("groups").order_by("username"))
    if not roles.leads().exists():
        return fail(
            f"{len(active)} active, none of them a lead: nobody can give a role",
            "Make one: manage.py createsuperuser.",
        )
    supers = [user for user in active if user.is_superuser]
    others = [user for user in active if not user.is_superuser]
    summary = f"{len(active)} active"
    if supers:
        summary += f"; superusers: {_names(supers)}"
    seen, cures = [], []
    if without := [user for user in others if not roles.role_of(user)]:
        seen.append(f"without a role: {_names(without)}")
        cures.append("Give them one on the page Team, or deactivate them there.")
    if more := [user for user in others if roles.further(user) or _enters_by_hand(user)]:
        seen.append(f"with rights besides their role: {_names(more)}")
        cures.append("A superuser can take them away in the admin (Users) once the role suffices.")
    if holding := User.objects.filter(is_active=False, briefs__in=Brief.objects.open()).distinct():
        seen.append(f"deactivated, with open briefs: {_names(list(holding))}")
        cures.append("On the page Team reactivate them, then deactivate them there.")
    return warn("; ".join([summary, *seen]), " ".join(cures)) if seen else ok(summary)


def _enters_by_hand(user: User) -> bool:
    """Marked as staff although the role does not open the admin."""
    role = roles.role_of(user)
    return user.is_staff and not (role and role.enters_admin)


def _names(people: list[User]) -> str:
    named = ", ".join(plain.line(user.get_username(), 80) for user in people[:NAMED])
    return f"{named} and {len(people) - NAMED} more" if len(people) > NAMED else named
