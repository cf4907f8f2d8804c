from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("briefs", "0006_insights"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alarm",
            name="kind",
            field=models.CharField(
                choices=[
                    ("held_back", "Customer.io is held back"),
                    ("wrong_signature", "Webhooks are rejected"),
                    ("silence", "No webhooks come in"),
                    ("waiting", "Events are not processed"),
                    ("paused", "Research is paused"),
                    ("stuck", "A process was restarted"),
                ],
                max_length=16,
                unique=True,
            ),
        ),
    ]
