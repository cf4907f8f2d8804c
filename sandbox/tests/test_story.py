"""What the demo does beside the API."""

from decimal import Decimal

import pytest

from briefs.finding import known_values
from personas.models import RuleVersion
from personas.rules import taking
from sandbox import story


@pytest.mark.django_db
def test_thresholds_of_the_demo_make_a_version_like_any_edit(starter, monkeypatch):
    found = [known_values.Suggestion("USD", 200, Decimal(100), Decimal(10))]
    monkeypatch.setattr(known_values, "suggestions", lambda: found)

    exec(story.THRESHOLDS, {})  # noqa: S102 - as the demo's shell does
    taking.settle()

    assert [one.what for one in RuleVersion.objects.all()] == [
        "Added threshold “USD”",
        "Loaded the starter rules",
    ]
