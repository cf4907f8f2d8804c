"""Who may pause and resume research."""

from typing import Any


def may_switch(user: Any) -> bool:
    """Whether this user may pause and resume research."""
    return bool(user.has_perm("briefs.change_researchpolicy"))
