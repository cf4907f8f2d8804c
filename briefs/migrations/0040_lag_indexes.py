from django.db import migrations, models

from config.migrating import AddIndexConcurrently


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('briefs', '0039_rules_version'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('first_touch_at__isnull', False)), fields=['first_touch_at'], name='brief_first_touch'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('researched_at__isnull', False)), fields=['researched_at'], name='brief_researched'),
        ),
    ]
