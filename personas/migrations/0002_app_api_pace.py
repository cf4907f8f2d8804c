"""The pace of the App API: ten requests a second, over all processes and hosts."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('personas', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AppApiPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('moments', models.JSONField(default=list, help_text='The last ten, the oldest first.')),
                ('held_until', models.DateTimeField(blank=True, help_text='Customer.io asked for silence until then.', null=True)),
            ],
            options={
                'verbose_name': 'App API pace',
                'verbose_name_plural': 'App API pace',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='appapipace_is_one_row')],
            },
        ),
    ]
