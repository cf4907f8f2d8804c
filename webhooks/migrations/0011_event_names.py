from django.db import migrations

from config.migrating import AddIndexConcurrently
from webhooks.models.naming import index


class Migration(migrations.Migration):

    atomic = False  # PostgreSQL builds no index concurrently within a transaction

    dependencies = [
        ('webhooks', '0010_index_of_kept_bodies'),
    ]

    operations = [
        AddIndexConcurrently(model_name='webhookevent', index=index(kind))
        for kind in ('cio_id', 'id', 'email', 'phone')
    ]
