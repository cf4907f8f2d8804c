"""Gives a team that has no closing reasons a list to begin with."""

from django.db import migrations

STARTER = [
    "Price",
    "Missing feature",
    "Too little use",
    "Hard to use",
    "Trouble with the product",
    "Support",
    "Too many messages",
    "Went to a competitor",
    "Business closed or shrank",
    "Another reason",
]


def fill(apps, schema_editor):
    reasons = apps.get_model("briefs", "ClosingReason").objects
    if not reasons.exists():
        reasons.bulk_create(
            reasons.model(name=name, position=10 * number)
            for number, name in enumerate(STARTER, start=1)
        )


class Migration(migrations.Migration):

    dependencies = [
        ('briefs', '0017_acts'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
