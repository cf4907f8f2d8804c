from django.db import migrations, models


class AddIndexConcurrently(migrations.AddIndex):
    """On PostgreSQL without a lock that stops writers; on SQLite as usual.

    A try that was broken off leaves an index behind that serves nobody: it is made anew.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, concurrently=True)


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('webhooks', '0008_retention'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='webhookevent',
            index=models.Index(condition=models.Q(('body_ended_at', None), ('finished_at__isnull', False)), fields=['received_at'], name='event_with_body'),
        ),
    ]
