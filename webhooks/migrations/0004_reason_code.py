from django.db import migrations, models

WORDS = "signed test received: the connection works"


def fill(apps, schema_editor):
    """Give the signed tests that are there their code. Few rows are quarantined, by an index."""
    events = apps.get_model("webhooks", "WebhookEvent").objects
    events.filter(status="quarantined", status_reason=WORDS).update(reason_code="signed_test")


class Migration(migrations.Migration):

    dependencies = [
        ('webhooks', '0003_put_off'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhookevent',
            name='reason_code',
            field=models.CharField(blank=True, choices=[('signed_test', 'Signed test')], max_length=20, null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
