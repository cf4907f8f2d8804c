from django.db import migrations, models

from config.migrating import AddIndexConcurrently


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('webhooks', '0009_retention'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='webhookevent',
            index=models.Index(condition=models.Q(('body_ended_at', None), ('finished_at__isnull', False)), fields=['received_at'], name='event_with_body'),
        ),
    ]
