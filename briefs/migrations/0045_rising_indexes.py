from django.db import migrations, models

from config.migrating import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('briefs', '0044_covering_indexes'),
    ]

    # Those of moments rise as time does: they take half the room of falling ones. Those of lists
    # also hold a month's value. Each replaced one goes when all are there.
    operations = [
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('state', 'closed'), _negated=True), fields=['-priority', '-value_sort', 'created_at', 'id'], include=('state', 'is_waiting_for_profile', 'due_at', 'kind', 'persona', 'basis', 'value_month', 'assignee', 'cause', 'returned_from', 'detail', 'plan'), name='brief_by_urgency_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(fields=['created_at', 'id'], include=('priority', 'value_sort', 'state', 'is_waiting_for_profile', 'due_at', 'kind', 'persona', 'basis', 'value_month', 'assignee', 'cause', 'returned_from', 'detail', 'plan'), name='brief_created_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(fields=['value_sort'], name='brief_value'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('assignee', None), ('cause__isnull', False), ('priority__lt', 4), ('returned_from', None), models.Q(('state', 'closed'), _negated=True)), fields=['cause', '-value_sort', 'id'], include=('state', 'is_waiting_for_profile', 'due_at', 'kind', 'persona', 'basis', 'value_month'), name='brief_folds_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('state', 'closed')), fields=['closed_at'], include=('id', 'priority', 'value_sort', 'created_at', 'due_at', 'state'), name='brief_closed_at_covering'),
        ),
        AddIndexConcurrently(
            model_name='comment',
            index=models.Index(fields=['at'], name='comment_made_at'),
        ),
        AddIndexConcurrently(
            model_name='contactlog',
            index=models.Index(fields=['at'], name='contact_made_at'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(fields=['created_at'], name='notification_created_at'),
        ),
        AddIndexConcurrently(
            model_name='signal',
            index=models.Index(fields=['happened_at'], name='signal_happened_at'),
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_urgency_covering',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_newest_covering',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_foldable_covering',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_closed_covering',
        ),
        RemoveIndexConcurrently(
            model_name='comment',
            name='comment_at',
        ),
        RemoveIndexConcurrently(
            model_name='contactlog',
            name='contact_at',
        ),
        RemoveIndexConcurrently(
            model_name='notification',
            name='notification_created',
        ),
        RemoveIndexConcurrently(
            model_name='signal',
            name='signal_recent',
        ),
    ]
