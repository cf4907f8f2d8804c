"""Clicks in mails of the last minutes are found without reading all other events."""

from django.db import migrations, models

from config.migrating import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("webhooks", "0012_tombstones")]

    operations = [
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(
                fields=["received_at"],
                condition=models.Q(object_type="email", metric="clicked"),
                name="event_clicked",
            ),
        ),
    ]
