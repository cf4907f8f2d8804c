"""A person as a token shows them: with no more rights than the token's role has."""

from typing import Any

from django.utils.functional import SimpleLazyObject

from accounts.models.roles import Role, permissions_of


class UserOfToken(SimpleLazyObject):  # type: ignore[type-arg]  # not generic at run time
    """A user for one request, who has the permissions that both the person and the role have.

    A backend could only add permissions, and a superuser is asked none. So the user is wrapped, as
    `request.user` of a session is: it may stand wherever a user may, in a query or in a foreign
    key. Nobody is a superuser here, and saving the user saves them as they are. A copy of it is the
    person again, and so is what the async methods say: Savedesk makes none and asks none.
    """

    _allowed: frozenset[str]

    def __init__(self, user: Any, role: Role) -> None:
        self.__dict__["_allowed"] = frozenset(permissions_of(role))
        super().__init__(lambda: user)
        self._wrapped = user

    @property
    def is_superuser(self) -> bool:
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in self._allowed and self._wrapped.has_perm(perm, obj)

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions())

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return self._of_role(self._wrapped.get_all_permissions(obj))

    def get_user_permissions(self, obj: Any = None) -> set[str]:
        return self._of_role(self._wrapped.get_user_permissions(obj))

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        return self._of_role(self._wrapped.get_group_permissions(obj))

    def _of_role(self, permissions: set[str]) -> set[str]:
        return permissions & self._allowed
