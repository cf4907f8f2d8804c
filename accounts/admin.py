"""Finds the admin pages of this app."""

from accounts.people.admin import RoleGroupAdmin, UserAdmin

__all__ = ["RoleGroupAdmin", "UserAdmin"]
