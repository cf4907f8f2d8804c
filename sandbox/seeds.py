"""Invented people, one or two for each kind of customer that a retention team tells apart."""

from sandbox.person import Device, Person, cio_id_for, preferences

_JOINED = 1_704_067_200  # 2024-01-01
_DAY = 86_400


def seeded_people() -> list[Person]:
    """Twelve people, in the order of the starter personas, and one without a profile."""
    return [
        _person(
            1001, "Priya Raman", "Savedesk", "enterprise", "software", "high", 0, internal=True
        ),
        _person(
            1002, "Tomas Vesely", "Linden Rail", "business", "logistics", "low", 0, "cancelled"
        ),
        _person(1003, "Ruth Adeyemi", "Northgate Health", "enterprise", "healthcare", "low", 9_400),
        _person(1004, "Henrik Sand", "Fjord Bank", "enterprise", "banking", "high", 12_500),
        _person(1005, "Lucia Moretti", "Casa Verde", "enterprise", "retail", "low", 6_100),
        _person(1006, "Omar Haddad", "Atlas Freight", "enterprise", "logistics", "high", 8_300),
        _person(1007, "Grace Kimani", "Savanna Studio", "business", "media", "high", 990),
        _person(1008, "Pavel Novak", "Brickyard", "business", "construction", "low", 640),
        _person(1009, "Mei Tanaka", "Paper Crane", "pro", "design", "low", 79),
        _person(
            1010, "Sofia Lund", "Lund and Daughters", "trial", "retail", "medium", 0, "trialing"
        ),
        _person(1011, "Diego Paz", "Paz Music", "free", "education", "high", 0),
        _person(1012, "Noor Bakker", "Bakker Bikes", "pro", "retail", "medium", 99),
        _bare_person(1013, "Wren Okafor"),
    ]


def _person(
    number: int,
    name: str,
    company: str,
    plan: str,
    industry: str,
    usage: str,
    mrr: int,
    status: str = "active",
    *,
    internal: bool = False,
) -> Person:
    attributes = {
        "name": name,
        "company": company,
        "plan": plan,
        "industry": industry,
        "usage_tier": usage,
        "mrr": str(mrr),
        "subscription_status": status,
        "is_internal": "true" if internal else "false",
        "cio_subscription_preferences": preferences(topic_1=True, topic_2=number % 2 == 0),
    }
    return _named(number, name, attributes)


def _bare_person(number: int, name: str) -> Person:
    """A person of the workspace without plan, industry or usage."""
    return _named(number, name, {"name": name})


def _named(number: int, name: str, attributes: dict[str, str]) -> Person:
    person_id = f"acme-{number}"
    created_at = _JOINED + number % 100 * 7 * _DAY
    return Person(
        id=person_id,
        cio_id=cio_id_for(person_id),
        email=f"{name.replace(' ', '.').lower()}@example.com",
        attributes=attributes,
        devices=(Device(id=f"device-{number}", platform="android", last_used=created_at + _DAY),),
        created_at=created_at,
    )
