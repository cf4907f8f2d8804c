from django.db import migrations, models

from config.migrating import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('webhooks', '0013_index_of_clicks'),
    ]

    # Those of moments rise as time does: they take half the room of falling ones. Each replaced one
    # goes when all are there.
    operations = [
        AddIndexConcurrently(
            model_name='webhookevent',
            index=models.Index(fields=['received_at'], name='event_received_at'),
        ),
        AddIndexConcurrently(
            model_name='webhookevent',
            index=models.Index(fields=['status', 'received_at'], name='event_status_received_at'),
        ),
        AddIndexConcurrently(
            model_name='webhookevent',
            index=models.Index(fields=['finished_at'], name='event_finished_at'),
        ),
        RemoveIndexConcurrently(
            model_name='webhookevent',
            name='event_received',
        ),
        RemoveIndexConcurrently(
            model_name='webhookevent',
            name='event_status_received',
        ),
        RemoveIndexConcurrently(
            model_name='webhookevent',
            name='event_finished',
        ),
    ]
