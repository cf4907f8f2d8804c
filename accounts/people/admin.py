"""Users and groups in the admin, for superusers. The team's own page is for everybody else.

Whoever could edit users or groups here could make themselves anything, so the permissions of these
models alone open the pages for reading only.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import Role
from accounts.people import leaving

admin.site.unregister([User, Group])
INSTEAD = (
    "acted in Savedesk, so the account stays and keeps the name on what was done. Untick “Active” "
    "to end it."
)


class ForSuperusers(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_superuser


@admin.register(User)
class UserAdmin(ForSuperusers, auth.UserAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_superuser",
                    "last_login")  # fmt: skip

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change and "is_active" in form.changed_data and obj.is_active:
            leaving.reactivate(obj, request.user)
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data and not obj.is_active:
            messages.info(request, f"{obj}: {leaving.deactivate(obj, request.user)}")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if released := leaving.release_if_barred(form.instance, request.user):
            words = "1 brief is" if released == 1 else f"{released} briefs are"
            messages.info(
                request, f"{form.instance} no longer works on briefs: {words} unassigned."
            )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        user = self.get_object(request, object_id)
        if user and leaving.has_acted(user):
            messages.error(request, f"{user} {INSTEAD}")
            return redirect("admin:auth_user_change", object_id)
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Those who acted count as protected, so that nobody is deleted in bulk either."""
        found, counts, missing, protected = super().get_deleted_objects(objs, request)
        acted = [f"{user} {INSTEAD}" for user in objs if leaving.has_acted(user)]
        return found, counts, missing, [*protected, *acted]


@admin.register(Group)
class RoleGroupAdmin(ForSuperusers, auth.GroupAdmin):
    """The groups of the roles are filled after each migrate, so an edit would not last."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_role(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_role(obj)


def _is_role(obj: Any) -> bool:
    return obj is not None and obj.name in Role.values
