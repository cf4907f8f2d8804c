from django.db import migrations

from webhooks.aside import AddIndexAside
from webhooks.models.naming import index


class Migration(migrations.Migration):

    atomic = False  # as an index that is built concurrently needs it

    dependencies = [
        ('webhooks', '0007_run_savedesk'),
    ]

    operations = [
        AddIndexAside(model_name='webhookevent', index=index(kind))
        for kind in ('cio_id', 'id', 'email', 'phone')
    ]
