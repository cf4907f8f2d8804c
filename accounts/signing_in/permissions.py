"""What somebody may do, in one statement for all that a page asks.

Django reads a person's own permissions and those of their roles apart, and writes the SQL of both
anew for each request: together a twentieth of a page.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import connection

_HELD = """
    SELECT app_label, codename
    FROM auth_permission JOIN django_content_type ON django_content_type.id = content_type_id
    WHERE auth_permission.id IN (
        SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %s
        UNION ALL
        SELECT permission_id FROM auth_group_permissions JOIN auth_user_groups USING (group_id)
        WHERE user_id = %s
    )
"""


class InOneStatement(ModelBackend):
    """Reads all permissions of a person at once."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):  # where Django's backend keeps them, too
            if user_obj.is_superuser:
                return super().get_all_permissions(user_obj)
            with connection.cursor() as cursor:
                cursor.execute(_HELD, [user_obj.pk, user_obj.pk])
                user_obj._perm_cache = {f"{app}.{name}" for app, name in cursor.fetchall()}
        found: set[str] = user_obj._perm_cache
        return found
