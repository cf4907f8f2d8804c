import django.db.models.functions.text
from django.db import migrations, models

from config.migrating import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('briefs', '0043_words_in_the_log'),
    ]

    # Each has the keys of the one it replaces, which goes when all are there.
    operations = [
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(models.Q(('state', 'closed'), _negated=True), ('due_at__isnull', False)), fields=['due_at'], include=('state', 'is_waiting_for_profile'), name='brief_due_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('state', 'closed'), _negated=True), fields=['-priority', '-value_sort', 'created_at', 'id'], include=('state', 'is_waiting_for_profile', 'due_at', 'kind', 'persona', 'basis', 'assignee', 'cause', 'returned_from', 'detail', 'plan'), name='brief_urgency_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(fields=['-created_at', '-id'], include=('state', 'is_waiting_for_profile', 'due_at', 'kind', 'persona', 'basis', 'assignee', 'cause', 'returned_from', 'detail', 'plan', 'priority', 'value_sort'), name='brief_newest_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('assignee', None), ('cause__isnull', False), ('priority__lt', 4), ('returned_from', None), models.Q(('state', 'closed'), _negated=True)), fields=['cause', '-value_sort', 'id'], include=('state', 'is_waiting_for_profile', 'due_at', 'kind', 'persona', 'basis'), name='brief_foldable_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(django.db.models.functions.text.Lower('company'), include=('company',), name='brief_company_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('state', 'closed')), fields=['-closed_at'], include=('id', 'priority', 'value_sort', 'created_at', 'due_at', 'state'), name='brief_closed_covering'),
        ),
        AddIndexConcurrently(
            model_name='brief',
            index=models.Index(condition=models.Q(('basis', 'playbook'), ('research__isnull', False)), fields=['research'], include=('state',), name='brief_awaiting_covering'),
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_awaiting_research',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_due',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_by_urgency',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_foldable',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_company',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_newest',
        ),
        RemoveIndexConcurrently(
            model_name='brief',
            name='brief_closed',
        ),
    ]
