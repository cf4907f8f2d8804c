"""All tables of webhooks for a new database."""

import datetime
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
import simple_history.models
import webhooks.models.naming
import webhooks.models.tombstones
from django.conf import settings
from django.db import migrations, models

from config.migrating import CreateModels


class Migration(migrations.Migration):

    replaces = [("webhooks", name) for name in (
        "0001_initial", "0002_tally", "0003_put_off", "0004_reason_code", "0005_event_meanings",
        "0006_people", "0007_run_savedesk", "0008_meters_and_beats", "0009_retention",
        "0010_index_of_kept_bodies", "0011_event_names", "0012_tombstones", "0013_index_of_clicks",
    )]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            models=[
                migrations.CreateModel(
                    name='Bell',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_rung', models.BooleanField(default=False)),
                        ('rung_at', models.DateTimeField(blank=True, null=True)),
                        ('silenced_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='bell_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='WebhookEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('event_id', models.CharField(help_text="Customer.io's id of the event, or sha256: and the body's digest.", max_length=200, unique=True)),
                        ('object_type', models.CharField(blank=True, max_length=100)),
                        ('metric', models.CharField(blank=True, max_length=100)),
                        ('occurred_at', models.DateTimeField(blank=True, help_text='When it happened.', null=True)),
                        ('identifiers', models.JSONField(default=dict, help_text='Who it is about.')),
                        ('body', models.BinaryField(help_text="The request's body, byte for byte.")),
                        ('body_size', models.PositiveBigIntegerField(help_text='Bytes received.')),
                        ('body_sha256', models.CharField(blank=True, help_text='Of the whole body, where only its start is kept.', max_length=64)),
                        ('headers', models.JSONField(default=dict)),
                        ('is_verified', models.BooleanField(help_text='Whether its signature was checked and right.')),
                        ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('last_received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('deliveries', models.PositiveIntegerField(default=1, help_text='How often it was delivered.')),
                        ('status', models.CharField(choices=[('pending', 'Waiting'), ('processed', 'Processed'), ('ignored', 'Ignored'), ('quarantined', 'Quarantined'), ('dead', 'Failed, can be retried')], default='pending', max_length=12)),
                        ('status_reason', models.TextField(blank=True, help_text='Why it ended as it did, in words.')),
                        ('tries', models.PositiveIntegerField(default=0)),
                        ('available_at', models.DateTimeField(blank=True, help_text='Empty: at once.', null=True)),
                        ('lease_token', models.UUIDField(blank=True, null=True)),
                        ('lease_until', models.DateTimeField(blank=True, null=True)),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('history', models.JSONField(default=list, help_text='How earlier runs ended, before a replay.')),
                        ('noted', models.JSONField(blank=True, help_text='What the first try saw, for the one that decides.', null=True)),
                        ('put_off_at', models.DateTimeField(blank=True, help_text='Since when it cannot be decided yet, if it could not be.', null=True)),
                        ('reason_code', models.CharField(blank=True, choices=[('signed_test', 'Signed test'), ('list', 'Several events in one body'), ('no_event_id', 'Without an event id'), ('erased', 'About an erased person')], max_length=20, null=True)),
                        ('stated_time', models.CharField(blank=True, help_text='What the event said of its time, where that cannot be so.', max_length=40, null=True)),
                        ('body_ended_at', models.DateTimeField(blank=True, help_text='When its body was removed: see the retention policy.', null=True)),
                    ],
                    options={
                        'verbose_name': 'event',
                        'indexes': [models.Index(condition=models.Q(('status', 'pending')), fields=['id'], name='event_pending'), models.Index(fields=['-received_at'], name='event_received'), models.Index(fields=['status', '-received_at'], name='event_status_received'), models.Index(fields=['-finished_at'], name='event_finished'), models.Index(condition=models.Q(('body_ended_at', None), ('finished_at__isnull', False)), fields=['received_at'], name='event_with_body'), models.Index(webhooks.models.naming.Identifier(kind='cio_id', start=200), condition=models.Q(django.db.models.lookups.IsNull(webhooks.models.naming.Identifier(kind='cio_id', start=200), False)), name='event_cio_id'), models.Index(webhooks.models.naming.Identifier(kind='id', start=200), condition=models.Q(django.db.models.lookups.IsNull(webhooks.models.naming.Identifier(kind='id', start=200), False)), name='event_id'), models.Index(webhooks.models.naming.Identifier(kind='email', start=200), condition=models.Q(django.db.models.lookups.IsNull(webhooks.models.naming.Identifier(kind='email', start=200), False)), name='event_email'), models.Index(webhooks.models.naming.Identifier(kind='phone', start=200), condition=models.Q(django.db.models.lookups.IsNull(webhooks.models.naming.Identifier(kind='phone', start=200), False)), name='event_phone'), models.Index(condition=models.Q(('metric', 'clicked'), ('object_type', 'email')), fields=['received_at'], name='event_clicked')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'processed', 'ignored', 'quarantined', 'dead'])), name='event_status_known')],
                        'permissions': [('view_payload', 'Can read raw payloads and headers'), ('view_health', 'Can read the page “Webhook health”'), ('run_savedesk', "Is told of commands and settings of Savedesk's machine")],
                    },
                ),
                migrations.CreateModel(
                    name='Tally',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('hour', models.DateTimeField(help_text='Start of the hour, UTC.')),
                        ('answer', models.CharField(choices=[('stored', 'Accepted'), ('duplicate', 'Delivered again'), ('quarantined', 'Quarantined'), ('unsigned', 'Rejected: no signature'), ('wrong_signature', 'Rejected: wrong signature'), ('too_old', 'Rejected: signed too long ago'), ('too_large', 'Refused: over 64 MiB'), ('not_stored', 'Could not be stored')], max_length=16)),
                        ('count', models.PositiveBigIntegerField(default=0)),
                        ('last_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        'verbose_name_plural': 'tallies',
                        'constraints': [models.UniqueConstraint(fields=('hour', 'answer'), name='tally_one_per_hour_and_answer')],
                    },
                ),
                migrations.CreateModel(
                    name='Meter',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('counted_until', models.DateTimeField()),
                        ('tallied_until', models.DateTimeField(default=datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), help_text='Start of the first hour whose answers are not counted yet.')),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='meter_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='MeterCount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=40)),
                        ('label', models.CharField(help_text='Which outcome, answer or bucket.', max_length=40)),
                        ('value', models.FloatField(default=0)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('name', 'label'), name='meter_count_of_one_label')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceBeat',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('host', models.CharField(max_length=100)),
                        ('service', models.CharField(max_length=20)),
                        ('workers', models.PositiveIntegerField()),
                        ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('host', 'service'), name='service_beat_of_one_host')],
                    },
                ),
                migrations.CreateModel(
                    name='DailySize',
                    fields=[
                        ('day', models.DateField(primary_key=True, serialize=False)),
                        ('tables', models.JSONField(default=dict, help_text='Bytes, or null, and rows, by table.')),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalRetentionPolicy',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('body_days', models.PositiveIntegerField(blank=True, db_default=35, default=35, help_text='Days. What Customer.io sent, byte for byte. After that an event can no longer be processed again, and the rules can no longer be tried on it. What became of it stays. 0 or empty: for ever.', null=True, verbose_name='raw bodies')),
                        ('ignored_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. Events that led to nothing, and signed tests. 0 or empty: for ever.', null=True, verbose_name='ignored events')),
                        ('event_days', models.PositiveIntegerField(blank=True, db_default=400, default=400, help_text='Days. Events that became a signal, and the hourly counts of answers. Signals and briefs stay, and so do all figures. The event of an open brief stays as long as the brief is open. 0 or empty: for ever.', null=True, verbose_name='other events')),
                        ('failed_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. Events that failed on every try or were quarantined, with their bodies, because they can still be retried. Webhook health says so a week before the first of them goes. 0 or empty: for ever.', null=True, verbose_name='failed and quarantined events')),
                        ('notification_days', models.PositiveIntegerField(blank=True, db_default=180, default=180, help_text='Days. Messages that were sent, failed or were not needed. 0 or empty: for ever.', null=True, verbose_name='notifications')),
                        ('login_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. Who signed in or failed to, from which address. 0 or empty: for ever.', null=True, verbose_name='log-ins')),
                        ('search_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. What somebody searched for last. 0 or empty: for ever.', null=True, verbose_name='recent searches')),
                        ('task_days', models.PositiveIntegerField(blank=True, db_default=30, default=30, help_text='Days. Rows of the queue about tasks that ended. 0 or empty: for ever.', null=True, verbose_name='tasks of the queue')),
                        ('rule_versions', models.PositiveIntegerField(blank=True, db_default=200, default=200, help_text='So many of the newest keep all their rules. Of older ones those do by which a brief or a signal was made; of the others stays who changed what, when and why, and they can no longer be restored. 0 or empty: for ever.', null=True, verbose_name='versions of the rules')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical retention policy',
                        'verbose_name_plural': 'historical retention policy',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='Pruning',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('due_at', models.DateTimeField(help_text='Not begun before, unless by the command.')),
                        ('woken_at', models.DateTimeField(blank=True, help_text='A wake-up is on its way.', null=True)),
                        ('lease_token', models.UUIDField(blank=True, null=True)),
                        ('lease_until', models.DateTimeField(blank=True, null=True)),
                        ('begun_at', models.DateTimeField(blank=True, help_text='A run is under way.', null=True)),
                        ('finished_at', models.DateTimeField(blank=True, help_text='When the last run ended.', null=True)),
                        ('removed', models.JSONField(default=dict, help_text='Rows of this or the last run, by kind.')),
                        ('seconds', models.FloatField(default=0, help_text='Of work in it, without the pauses.')),
                        ('trouble', models.CharField(blank=True, default='', max_length=200)),
                        ('failing_since', models.DateTimeField(blank=True, null=True)),
                        ('told_at', models.DateTimeField(blank=True, null=True)),
                        ('told_days', models.PositiveIntegerField(blank=True, help_text='By which number.', null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='pruning_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='RetentionPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('body_days', models.PositiveIntegerField(blank=True, db_default=35, default=35, help_text='Days. What Customer.io sent, byte for byte. After that an event can no longer be processed again, and the rules can no longer be tried on it. What became of it stays. 0 or empty: for ever.', null=True, verbose_name='raw bodies')),
                        ('ignored_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. Events that led to nothing, and signed tests. 0 or empty: for ever.', null=True, verbose_name='ignored events')),
                        ('event_days', models.PositiveIntegerField(blank=True, db_default=400, default=400, help_text='Days. Events that became a signal, and the hourly counts of answers. Signals and briefs stay, and so do all figures. The event of an open brief stays as long as the brief is open. 0 or empty: for ever.', null=True, verbose_name='other events')),
                        ('failed_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. Events that failed on every try or were quarantined, with their bodies, because they can still be retried. Webhook health says so a week before the first of them goes. 0 or empty: for ever.', null=True, verbose_name='failed and quarantined events')),
                        ('notification_days', models.PositiveIntegerField(blank=True, db_default=180, default=180, help_text='Days. Messages that were sent, failed or were not needed. 0 or empty: for ever.', null=True, verbose_name='notifications')),
                        ('login_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. Who signed in or failed to, from which address. 0 or empty: for ever.', null=True, verbose_name='log-ins')),
                        ('search_days', models.PositiveIntegerField(blank=True, db_default=90, default=90, help_text='Days. What somebody searched for last. 0 or empty: for ever.', null=True, verbose_name='recent searches')),
                        ('task_days', models.PositiveIntegerField(blank=True, db_default=30, default=30, help_text='Days. Rows of the queue about tasks that ended. 0 or empty: for ever.', null=True, verbose_name='tasks of the queue')),
                        ('rule_versions', models.PositiveIntegerField(blank=True, db_default=200, default=200, help_text='So many of the newest keep all their rules. Of older ones those do by which a brief or a signal was made; of the others stays who changed what, when and why, and they can no longer be restored. 0 or empty: for ever.', null=True, verbose_name='versions of the rules')),
                    ],
                    options={
                        'verbose_name': 'retention policy',
                        'verbose_name_plural': 'retention policy',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='retentionpolicy_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='Tombstone',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('digest', models.CharField(help_text='HMAC-SHA256, keyed.', max_length=64, unique=True)),
                        ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='TombstoneKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('secret', models.CharField(default=webhooks.models.tombstones.new_secret, editable=False, max_length=64)),
                        ('looked_until', models.DateTimeField(help_text='Quarantined events received before were searched for erased people.', null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='tombstonekey_is_one_row')],
                    },
                ),
            ],
        ),
    ]
