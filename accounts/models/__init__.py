"""Tokens and the rules of signing in as rows; roles are Django's groups of fixed names."""

from accounts.models.identities import Identity
from accounts.models.policy import SignInPolicy
from accounts.models.preferences import Preferences
from accounts.models.roles import Role
from accounts.models.tokens import ApiToken

__all__ = ["ApiToken", "Identity", "Preferences", "Role", "SignInPolicy"]
