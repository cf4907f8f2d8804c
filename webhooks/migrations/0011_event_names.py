from django.db import migrations, models

from config.migrating import AddIndexConcurrently
from webhooks.models.naming import Identifier


class Migration(migrations.Migration):

    atomic = False  # as an index that is built concurrently needs it

    dependencies = [
        ('webhooks', '0010_index_of_kept_bodies'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='webhookevent',
            index=models.Index(Identifier(kind=kind), name=f'event_{kind}'),
        )
        for kind in ('cio_id', 'id', 'email', 'phone')
    ]
