"""The personas that Mavera lists for everybody; the ones here are made up.

Documentation: https://docs.mavera.io/api-reference/personas/list-available-personas.
"""

from typing import Any

_CREATED_AT = 1_706_140_800  # epoch seconds, as this endpoint alone sends them

_PERSONAS = (
    ("Security Officer", "Role", "Signs off suppliers in health care and banking."),
    ("Operations Director", "Role", "Runs the team that uses the product every day."),
    ("Finance Controller", "Role", "Compares the renewal with what was used."),
    ("Startup Founder", "Company", "Decides alone and fast, and pays from a small budget."),
    ("Agency Owner", "Company", "Buys for several clients and leaves with all of them."),
    ("Evaluating Buyer", "Stage", "Tries three products in the same fortnight."),
)


def stock_personas(category: str, search: str) -> list[tuple[int, dict[str, Any]]]:
    """Number and persona, numbers falling; empty strings filter nothing."""
    personas = [
        (len(_PERSONAS) - index, _persona(index, *fields)) for index, fields in enumerate(_PERSONAS)
    ]
    return [
        (number, persona)
        for number, persona in personas
        if category.lower() in ("", persona["category"].lower())
        and search.lower() in persona["name"].lower()
    ]


def _persona(index: int, name: str, category: str, description: str) -> dict[str, Any]:
    return {
        "id": f"clx0sandbox{index:04d}abcdef123456",
        "object": "persona",
        "name": name,
        "category": category,
        "description": description,
        "is_custom": False,
        "is_expert": False,
        "created_at": _CREATED_AT,
    }
