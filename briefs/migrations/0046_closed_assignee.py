from django.db import migrations, models

from config.migrating import AddIndexConcurrently


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('briefs', '0045_rising_indexes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('state', 'closed')), fields=['assignee'], name='brief_closed_assignee'),
        ),
    ]
