"""The check of notification targets: whether their addresses can be read, and by which key."""

from briefs.models import NotificationTarget, sealing
from operations.doctor.findings import Finding, counted, fail, ok, warn


def notification_targets() -> Finding:
    targets = list(NotificationTarget.objects.all())
    unreadable = [target.name for target in targets if target.trouble]
    if unreadable:
        names = ", ".join(f"“{name}”" for name in unreadable)
        return fail(
            f"{len(unreadable)} of {len(targets)} cannot be read, because SECRET_KEY has changed: "
            f"{names}",
            "Put the former key into SECRET_KEY_FALLBACKS and restart, or enter their addresses "
            "again in the admin.",
        )
    old = sum(not sealing.is_by_present_key(target.sealed_address) for target in targets)
    if old:
        return warn(
            f"{old} of {len(targets)} are sealed by a former SECRET_KEY",
            "Run manage.py seal_addresses, and remove the key from SECRET_KEY_FALLBACKS after.",
        )
    return ok(f"{counted(len(targets), 'target')}, sealed by the present SECRET_KEY")
