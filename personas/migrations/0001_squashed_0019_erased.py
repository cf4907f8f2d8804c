"""All tables of rules and customers for a new database."""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import personas.models.steps
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from config.migrating import CreateModels

versions = import_module("personas.migrations.0015_rule_versions")


class Migration(migrations.Migration):

    replaces = [("personas", name) for name in (
        "0001_initial", "0002_app_api_pace", "0003_persona_budget", "0004_event_meanings",
        "0005_starter_rules", "0006_people", "0007_assigning", "0008_first_steps",
        "0009_starter_first_steps", "0010_value", "0011_median_counted_at", "0012_all_topics_off",
        "0013_company_index", "0014_lists_at_size", "0015_rule_versions", "0016_conditions",
        "0017_accepted", "0018_rules_that_ended", "0019_erased",
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
                    name='AttributeName',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('role', models.CharField(help_text='The word that conditions use: plan, industry, usage, value, …', max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_]*$', 'Lower-case letters, digits and _.')])),
                        ('label', models.CharField(help_text='How briefs call it.', max_length=60)),
                        ('names', models.TextField(help_text='The attributes of Customer.io that may hold it, one a line, tried in this order. The first that is not empty counts.')),
                        ('help', models.CharField(blank=True, help_text='What the team should know.', max_length=200)),
                        ('currency', models.CharField(db_default='USD', default='USD', help_text='In three letters: USD, EUR, GBP. For amounts that do not say it themselves.', max_length=3)),
                        ('currency_attribute', models.CharField(blank=True, db_default='', default='', help_text='If an attribute of each customer names it, in three letters. Empty: none does.', max_length=200, verbose_name='attribute with the currency')),
                        ('level', models.CharField(choices=[('person', 'the person alone'), ('company', 'the whole company')], db_default='company', default='company', help_text='A company’s amount counts once in every sum, however many of its people signal. It needs the role company; without it each customer counts by themselves.', max_length=7, verbose_name='an amount is of')),
                        ('other_period_names', models.TextField(blank=True, db_default='', default='', help_text='Of the names above those with amounts for a year where the others are for a month, or the other way round, such as arr beside mrr. One a line.', verbose_name='names of the other period')),
                        ('period', models.CharField(choices=[('month', 'a month'), ('year', 'a year')], db_default='month', default='month', help_text='Values are compared by their amount for a month.', max_length=5, verbose_name='amounts are for')),
                    ],
                    options={
                        'ordering': ['pk'],
                    },
                ),
                migrations.CreateModel(
                    name='AppApiHealth',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('failures', models.PositiveIntegerField(default=0, help_text='In a row.')),
                        ('failing_since', models.DateTimeField(blank=True, null=True)),
                        ('retry_at', models.DateTimeField(blank=True, help_text='Not asked before this.', null=True)),
                        ('reason', models.CharField(blank=True, max_length=300)),
                    ],
                    options={
                        'verbose_name': 'App API health',
                        'verbose_name_plural': 'App API health',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='appapihealth_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='Customer',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('cio_id', models.CharField(blank=True, help_text="Customer.io's own id.", max_length=200, null=True, unique=True)),
                        ('external_id', models.CharField(blank=True, help_text='The id that your product gave them.', max_length=1000, null=True, unique=True, verbose_name='id')),
                        ('email', models.CharField(blank=True, db_index=True, max_length=1000)),
                        ('attributes', models.JSONField(blank=True, default=dict)),
                        ('devices', models.JSONField(blank=True, default=list)),
                        ('preferences', models.JSONField(blank=True, default=dict)),
                        ('is_unsubscribed', models.BooleanField(blank=True, null=True)),
                        ('subscription_changed_at', models.DateTimeField(blank=True, null=True)),
                        ('fetched_at', models.DateTimeField(blank=True, help_text='When the attributes were looked up.', null=True)),
                        ('is_deleted', models.BooleanField(default=False, help_text='Customer.io no longer knows this person.')),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('phone', models.CharField(blank=True, db_default='', db_index=True, default='', help_text='Where the workspace identifies people by their number.', max_length=1000)),
                        ('company', models.CharField(blank=True, db_default='', default='', max_length=200)),
                        ('plan', models.CharField(blank=True, db_default='', default='', max_length=60)),
                        ('sort_name', models.CharField(blank=True, db_default='', default='', editable=False, help_text='The name in lower case, by which lists are sorted.', max_length=200)),
                        ('value_amount', models.DecimalField(blank=True, decimal_places=2, help_text='As the attribute states it. Empty: unknown.', max_digits=16, null=True, verbose_name='value')),
                        ('value_currency', models.CharField(blank=True, db_default='', default='', max_length=3, verbose_name='currency')),
                        ('value_level', models.CharField(blank=True, choices=[('person', 'the person alone'), ('company', 'the whole company')], db_default='', default='', max_length=7, verbose_name='is of')),
                        ('value_month', models.DecimalField(blank=True, decimal_places=2, help_text='By which values are compared. Empty: unknown.', max_digits=16, null=True, verbose_name='value a month')),
                        ('value_period', models.CharField(blank=True, choices=[('month', 'a month'), ('year', 'a year')], db_default='', default='', max_length=5, verbose_name='for')),
                        ('is_erased', models.BooleanField(db_default=False, default=False, editable=False, help_text='The one row to which what is left of all erased people belongs.')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['-fetched_at'], name='customer_fetched'), models.Index(django.db.models.functions.text.Lower('company'), name='customer_company'), models.Index(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.NullIf(models.F('sort_name'), models.Value(''), output_field=models.CharField()), django.db.models.functions.text.Lower(django.db.models.functions.comparison.NullIf(models.F('external_id'), models.Value(''), output_field=models.CharField())), django.db.models.functions.text.Lower(django.db.models.functions.comparison.NullIf(models.F('email'), models.Value(''), output_field=models.CharField())), django.db.models.functions.text.Lower(django.db.models.functions.comparison.NullIf(models.F('phone'), models.Value(''), output_field=models.CharField())), django.db.models.functions.text.Lower(django.db.models.functions.comparison.NullIf(models.F('cio_id'), models.Value(''), output_field=models.CharField())), models.Value('customer'), output_field=models.CharField()), name='customer_shown')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_erased', True)), fields=('is_erased',), name='customer_one_erased')],
                        'permissions': [('view_personal_data', 'Can read names, addresses and attributes'), ('erase_customer', 'Can erase all that is kept about a person, for ever')],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalAttributeName',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('role', models.CharField(db_index=True, help_text='The word that conditions use: plan, industry, usage, value, …', max_length=40, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_]*$', 'Lower-case letters, digits and _.')])),
                        ('label', models.CharField(help_text='How briefs call it.', max_length=60)),
                        ('names', models.TextField(help_text='The attributes of Customer.io that may hold it, one a line, tried in this order. The first that is not empty counts.')),
                        ('help', models.CharField(blank=True, help_text='What the team should know.', max_length=200)),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('currency', models.CharField(db_default='USD', default='USD', help_text='In three letters: USD, EUR, GBP. For amounts that do not say it themselves.', max_length=3)),
                        ('currency_attribute', models.CharField(blank=True, db_default='', default='', help_text='If an attribute of each customer names it, in three letters. Empty: none does.', max_length=200, verbose_name='attribute with the currency')),
                        ('level', models.CharField(choices=[('person', 'the person alone'), ('company', 'the whole company')], db_default='company', default='company', help_text='A company’s amount counts once in every sum, however many of its people signal. It needs the role company; without it each customer counts by themselves.', max_length=7, verbose_name='an amount is of')),
                        ('other_period_names', models.TextField(blank=True, db_default='', default='', help_text='Of the names above those with amounts for a year where the others are for a month, or the other way round, such as arr beside mrr. One a line.', verbose_name='names of the other period')),
                        ('period', models.CharField(choices=[('month', 'a month'), ('year', 'a year')], db_default='month', default='month', help_text='Values are compared by their amount for a month.', max_length=5, verbose_name='amounts are for')),
                    ],
                    options={
                        'verbose_name': 'historical attribute name',
                        'verbose_name_plural': 'historical attribute names',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalPersona',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('position', models.PositiveIntegerField(default=100, help_text='Personas are tried in this order.')),
                        ('name', models.CharField(max_length=100)),
                        ('description', models.TextField(help_text='Who they are and why they matter.')),
                        ('value', models.CharField(choices=[('high', 'High'), ('standard', 'Standard'), ('low', 'Low')], default='standard', help_text='High: briefs are one step more urgent than their signal. Urgent are only those of a severe signal whose value is in the top tenth.', max_length=8)),
                        ('opens_brief', models.BooleanField(default=True, help_text='Whether a churn signal of such a customer is worth a brief.')),
                        ('match', models.CharField(choices=[('all', 'all conditions hold'), ('any', 'any condition holds')], default='all', max_length=3, verbose_name='holds if')),
                        ('research_focus', models.TextField(blank=True, help_text='What Mave should look into for this persona. No names, no personal data.')),
                        ('playbook', models.TextField(help_text='What to know and to keep to before any research is there, in Markdown. What to do first is told above it, by the signal: see “First steps”.')),
                        ('reuse_hours', models.PositiveIntegerField(default=168, help_text='How long an answer of Mave stays good for the same question.')),
                        ('is_default', models.BooleanField(default=False, editable=False, help_text='Serves customers that no other persona fits.')),
                        ('is_unknown', models.BooleanField(default=False, editable=False, help_text='Serves customers whose attributes are unknown.')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('month_budget', models.PositiveIntegerField(blank=True, help_text='Credits that research for this persona may cost in a month (UTC), within the budgets of all. Empty: no limit of its own.', null=True)),
                        ('assign_attribute', models.CharField(blank=True, db_default='', default='', help_text='A role or an attribute, such as account_owner, that holds a user name, a full name or a mail address of somebody here. If it names nobody, the brief stays unassigned.', max_length=100, verbose_name='the person named in')),
                        ('assign_group', models.ForeignKey(blank=True, db_constraint=False, help_text='Those of them who work on briefs, one after the other.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='auth.group', verbose_name='the members of this group')),
                        ('assign_person', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='this person')),
                        ('assigns', models.CharField(choices=[('nobody', 'Nobody: whoever takes it'), ('person', 'A person'), ('group', 'The members of a group in turn'), ('owner', 'The account owner named in an attribute')], db_default='nobody', default='nobody', max_length=8, verbose_name='new briefs go to')),
                        ('retired_at', models.DateTimeField(blank=True, editable=False, help_text='No rule knows it any more; its briefs still do.', null=True)),
                    ],
                    options={
                        'verbose_name': 'historical persona',
                        'verbose_name_plural': 'historical personas',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalSignalRule',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('position', models.PositiveIntegerField(default=100, help_text='Rules are tried in this order.')),
                        ('name', models.CharField(db_index=True, max_length=100)),
                        ('is_active', models.BooleanField(default=True)),
                        ('object_types', models.CharField(blank=True, help_text='email, customer, sms, push, … separated by commas. Empty: any.', max_length=200)),
                        ('metrics', models.CharField(help_text='unsubscribed, bounced, … separated by commas.', max_length=300)),
                        ('level', models.CharField(choices=[('any', 'either'), ('person', 'about the person'), ('delivery', 'about one message')], default='any', help_text='Customer.io reports one click on “unsubscribe” about the person, about the message, or both.', max_length=8)),
                        ('match', models.CharField(choices=[('all', 'all conditions hold'), ('any', 'any condition holds')], default='all', max_length=3, verbose_name='holds if')),
                        ('kind', models.CharField(choices=[('unsubscribed', 'Unsubscribed'), ('spam_complaint', 'Spam complaint'), ('all_topics_off', 'All topics off'), ('channel_opt_out', 'Channel opt-out'), ('topic_opt_out', 'Topic opt-out'), ('address_gone', 'Address gone'), ('bounced', 'Bounced, cause unclear'), ('mailbox_full', 'Mailbox full or busy'), ('blocked', 'Blocked by policy'), ('other_address', 'Another address, not theirs'), ('dropped', 'Dropped'), ('scanner', 'Probably a link scanner'), ('subscribed', 'Subscribed again'), ('channel_opt_in', 'Channel opt-in'), ('topic_opt_in', 'Topic opt-in'), ('reached', 'Reached again'), ('converted', 'Converted'), ('not_sent', 'Could not be sent'), ('other', 'Other')], max_length=20, verbose_name='signal')),
                        ('effect', models.CharField(choices=[('opens_brief', 'Opens a brief, if the persona is worth one'), ('good_news', "Good news on the customer's timeline"), ('timeline', "An entry on the customer's timeline, nothing more"), ('notice', 'No brief: a notice for the engineer'), ('ignore', 'Nothing: the reason is kept with the event')], default='opens_brief', max_length=12)),
                        ('severity', models.PositiveSmallIntegerField(choices=[(1, 'Low'), (2, 'Medium'), (3, 'High')], default=2)),
                        ('note', models.CharField(blank=True, help_text='Added to the reason that the event shows.', max_length=300)),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical signal rule',
                        'verbose_name_plural': 'historical signal rules',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='Persona',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.PositiveIntegerField(default=100, help_text='Personas are tried in this order.')),
                        ('name', models.CharField(max_length=100)),
                        ('description', models.TextField(help_text='Who they are and why they matter.')),
                        ('value', models.CharField(choices=[('high', 'High'), ('standard', 'Standard'), ('low', 'Low')], default='standard', help_text='High: briefs are one step more urgent than their signal. Urgent are only those of a severe signal whose value is in the top tenth.', max_length=8)),
                        ('opens_brief', models.BooleanField(default=True, help_text='Whether a churn signal of such a customer is worth a brief.')),
                        ('match', models.CharField(choices=[('all', 'all conditions hold'), ('any', 'any condition holds')], default='all', max_length=3, verbose_name='holds if')),
                        ('research_focus', models.TextField(blank=True, help_text='What Mave should look into for this persona. No names, no personal data.')),
                        ('playbook', models.TextField(help_text='What to know and to keep to before any research is there, in Markdown. What to do first is told above it, by the signal: see “First steps”.')),
                        ('reuse_hours', models.PositiveIntegerField(default=168, help_text='How long an answer of Mave stays good for the same question.')),
                        ('is_default', models.BooleanField(default=False, editable=False, help_text='Serves customers that no other persona fits.')),
                        ('is_unknown', models.BooleanField(default=False, editable=False, help_text='Serves customers whose attributes are unknown.')),
                        ('month_budget', models.PositiveIntegerField(blank=True, help_text='Credits that research for this persona may cost in a month (UTC), within the budgets of all. Empty: no limit of its own.', null=True)),
                        ('assign_attribute', models.CharField(blank=True, db_default='', default='', help_text='A role or an attribute, such as account_owner, that holds a user name, a full name or a mail address of somebody here. If it names nobody, the brief stays unassigned.', max_length=100, verbose_name='the person named in')),
                        ('assign_group', models.ForeignKey(blank=True, help_text='Those of them who work on briefs, one after the other.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='auth.group', verbose_name='the members of this group')),
                        ('assign_person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='this person')),
                        ('assigns', models.CharField(choices=[('nobody', 'Nobody: whoever takes it'), ('person', 'A person'), ('group', 'The members of a group in turn'), ('owner', 'The account owner named in an attribute')], db_default='nobody', default='nobody', max_length=8, verbose_name='new briefs go to')),
                        ('retired_at', models.DateTimeField(blank=True, editable=False, help_text='No rule knows it any more; its briefs still do.', null=True)),
                    ],
                    options={
                        'ordering': ['position', 'pk'],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='persona_one_default'), models.UniqueConstraint(condition=models.Q(('is_unknown', True)), fields=('is_unknown',), name='persona_one_unknown'), models.CheckConstraint(condition=models.Q(('is_default', True), ('is_unknown', True), _negated=True), name='persona_default_or_unknown'), models.UniqueConstraint(condition=models.Q(('retired_at', None)), fields=('name',), name='persona_name', violation_error_message='There is a persona of this name already.')],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalPersonaCondition',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('field', models.CharField(max_length=150)),
                        ('operator', models.CharField(choices=[('equals', 'is'), ('not_equals', 'is not'), ('in', 'is one of'), ('not_in', 'is none of'), ('contains', 'contains'), ('not_contains', 'does not contain'), ('gt', 'is more than'), ('gte', 'is at least'), ('lt', 'is less than'), ('lte', 'is at most'), ('older', 'is more than … days ago'), ('newer', 'is less than … days ago'), ('soon', 'is within the next … days'), ('before', 'is before'), ('after', 'is after'), ('exists', 'is filled in'), ('not_exists', 'is missing'), ('empty', 'is empty'), ('absent', 'does not exist'), ('matches', 'matches the pattern'), ('not_matches', 'does not match the pattern'), ('in_segment', 'is in segment'), ('not_in_segment', 'is not in segment')], default='equals', max_length=20)),
                        ('value', models.TextField(blank=True, help_text='For “is one of”: values separated by commas. For “is more than”: a number. For “is before”: a date. For a segment: its name or its id in Customer.io.')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('persona', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='personas.persona')),
                    ],
                    options={
                        'verbose_name': 'historical condition on the customer',
                        'verbose_name_plural': 'historical condition on the customers',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='PersonaCondition',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('field', models.CharField(max_length=150)),
                        ('operator', models.CharField(choices=[('equals', 'is'), ('not_equals', 'is not'), ('in', 'is one of'), ('not_in', 'is none of'), ('contains', 'contains'), ('not_contains', 'does not contain'), ('gt', 'is more than'), ('gte', 'is at least'), ('lt', 'is less than'), ('lte', 'is at most'), ('older', 'is more than … days ago'), ('newer', 'is less than … days ago'), ('soon', 'is within the next … days'), ('before', 'is before'), ('after', 'is after'), ('exists', 'is filled in'), ('not_exists', 'is missing'), ('empty', 'is empty'), ('absent', 'does not exist'), ('matches', 'matches the pattern'), ('not_matches', 'does not match the pattern'), ('in_segment', 'is in segment'), ('not_in_segment', 'is not in segment')], default='equals', max_length=20)),
                        ('value', models.TextField(blank=True, help_text='For “is one of”: values separated by commas. For “is more than”: a number. For “is before”: a date. For a segment: its name or its id in Customer.io.')),
                        ('persona', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='conditions', to='personas.persona')),
                    ],
                    options={
                        'verbose_name': 'condition on the customer',
                        'ordering': ['pk'],
                    },
                ),
                migrations.CreateModel(
                    name='SignalRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.PositiveIntegerField(default=100, help_text='Rules are tried in this order.')),
                        ('name', models.CharField(max_length=100, unique=True)),
                        ('is_active', models.BooleanField(default=True)),
                        ('object_types', models.CharField(blank=True, help_text='email, customer, sms, push, … separated by commas. Empty: any.', max_length=200)),
                        ('metrics', models.CharField(help_text='unsubscribed, bounced, … separated by commas.', max_length=300)),
                        ('level', models.CharField(choices=[('any', 'either'), ('person', 'about the person'), ('delivery', 'about one message')], default='any', help_text='Customer.io reports one click on “unsubscribe” about the person, about the message, or both.', max_length=8)),
                        ('match', models.CharField(choices=[('all', 'all conditions hold'), ('any', 'any condition holds')], default='all', max_length=3, verbose_name='holds if')),
                        ('kind', models.CharField(choices=[('unsubscribed', 'Unsubscribed'), ('spam_complaint', 'Spam complaint'), ('all_topics_off', 'All topics off'), ('channel_opt_out', 'Channel opt-out'), ('topic_opt_out', 'Topic opt-out'), ('address_gone', 'Address gone'), ('bounced', 'Bounced, cause unclear'), ('mailbox_full', 'Mailbox full or busy'), ('blocked', 'Blocked by policy'), ('other_address', 'Another address, not theirs'), ('dropped', 'Dropped'), ('scanner', 'Probably a link scanner'), ('subscribed', 'Subscribed again'), ('channel_opt_in', 'Channel opt-in'), ('topic_opt_in', 'Topic opt-in'), ('reached', 'Reached again'), ('converted', 'Converted'), ('not_sent', 'Could not be sent'), ('other', 'Other')], max_length=20, verbose_name='signal')),
                        ('effect', models.CharField(choices=[('opens_brief', 'Opens a brief, if the persona is worth one'), ('good_news', "Good news on the customer's timeline"), ('timeline', "An entry on the customer's timeline, nothing more"), ('notice', 'No brief: a notice for the engineer'), ('ignore', 'Nothing: the reason is kept with the event')], default='opens_brief', max_length=12)),
                        ('severity', models.PositiveSmallIntegerField(choices=[(1, 'Low'), (2, 'Medium'), (3, 'High')], default=2)),
                        ('note', models.CharField(blank=True, help_text='Added to the reason that the event shows.', max_length=300)),
                    ],
                    options={
                        'ordering': ['position', 'pk'],
                        'indexes': [models.Index(fields=['position'], name='signalrule_position')],
                    },
                ),
                migrations.CreateModel(
                    name='SignalCondition',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('field', models.CharField(max_length=150)),
                        ('operator', models.CharField(choices=[('equals', 'is'), ('not_equals', 'is not'), ('in', 'is one of'), ('not_in', 'is none of'), ('contains', 'contains'), ('not_contains', 'does not contain'), ('gt', 'is more than'), ('gte', 'is at least'), ('lt', 'is less than'), ('lte', 'is at most'), ('older', 'is more than … days ago'), ('newer', 'is less than … days ago'), ('soon', 'is within the next … days'), ('before', 'is before'), ('after', 'is after'), ('exists', 'is filled in'), ('not_exists', 'is missing'), ('empty', 'is empty'), ('absent', 'does not exist'), ('matches', 'matches the pattern'), ('not_matches', 'does not match the pattern'), ('in_segment', 'is in segment'), ('not_in_segment', 'is not in segment')], default='equals', max_length=20)),
                        ('value', models.TextField(blank=True, help_text='For “is one of”: values separated by commas. For “is more than”: a number. For “is before”: a date. For a segment: its name or its id in Customer.io.')),
                        ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='conditions', to='personas.signalrule')),
                    ],
                    options={
                        'verbose_name': 'condition on the event',
                        'ordering': ['pk'],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalSignalCondition',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('field', models.CharField(max_length=150)),
                        ('operator', models.CharField(choices=[('equals', 'is'), ('not_equals', 'is not'), ('in', 'is one of'), ('not_in', 'is none of'), ('contains', 'contains'), ('not_contains', 'does not contain'), ('gt', 'is more than'), ('gte', 'is at least'), ('lt', 'is less than'), ('lte', 'is at most'), ('older', 'is more than … days ago'), ('newer', 'is less than … days ago'), ('soon', 'is within the next … days'), ('before', 'is before'), ('after', 'is after'), ('exists', 'is filled in'), ('not_exists', 'is missing'), ('empty', 'is empty'), ('absent', 'does not exist'), ('matches', 'matches the pattern'), ('not_matches', 'does not match the pattern'), ('in_segment', 'is in segment'), ('not_in_segment', 'is not in segment')], default='equals', max_length=20)),
                        ('value', models.TextField(blank=True, help_text='For “is one of”: values separated by commas. For “is more than”: a number. For “is before”: a date. For a segment: its name or its id in Customer.io.')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('rule', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='personas.signalrule')),
                    ],
                    options={
                        'verbose_name': 'historical condition on the event',
                        'verbose_name_plural': 'historical condition on the events',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
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
                migrations.CreateModel(
                    name='SubscriptionNames',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('topics', models.JSONField(default=dict)),
                        ('channels', models.JSONField(default=dict)),
                        ('fetched_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': 'names of topics and channels',
                        'verbose_name_plural': 'names of topics and channels',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='subscriptionnames_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='CustomerAlias',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('cio_id', "Customer.io's id"), ('id', 'id'), ('email', 'address'), ('phone', 'number')], max_length=6)),
                        ('value', models.CharField(max_length=1000)),
                        ('replaced_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='personas.customer')),
                    ],
                    options={
                        'verbose_name_plural': 'customer aliases',
                        'indexes': [models.Index(fields=['value'], name='alias_value')],
                        'constraints': [models.UniqueConstraint(fields=('customer', 'kind', 'value'), name='alias_once')],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalFirstStep',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('unsubscribed', 'Unsubscribed'), ('spam_complaint', 'Spam complaint'), ('all_topics_off', 'All topics off'), ('channel_opt_out', 'Channel opt-out'), ('topic_opt_out', 'Topic opt-out'), ('address_gone', 'Address gone'), ('bounced', 'Bounced, cause unclear'), ('mailbox_full', 'Mailbox full or busy'), ('blocked', 'Blocked by policy'), ('other_address', 'Another address, not theirs'), ('dropped', 'Dropped'), ('scanner', 'Probably a link scanner'), ('subscribed', 'Subscribed again'), ('channel_opt_in', 'Channel opt-in'), ('topic_opt_in', 'Topic opt-in'), ('reached', 'Reached again'), ('converted', 'Converted'), ('not_sent', 'Could not be sent'), ('other', 'Other')], max_length=20, verbose_name='signal')),
                        ('position', models.PositiveIntegerField(default=10, help_text='Of several steps for one case, they are tried in this order.', verbose_name='order')),
                        ('text', models.CharField(help_text='One sentence: who does what. In steps for channels and topics, {detail} stands for the name of the channel or of the topics.', max_length=300, verbose_name='what to do')),
                        ('channels', models.JSONField(blank=True, default=list, help_text='How it contacts the customer. If one of these is closed for a customer, the next step is shown. None: the step contacts nobody, so it always fits.', validators=[personas.models.steps.channel_keys])),
                        ('is_wait', models.BooleanField(default=False, help_text='It waits for the customer, so it is never overdue.', verbose_name='waits')),
                        ('within_hours', models.PositiveSmallIntegerField(blank=True, default=8, help_text='How many working hours it may take. Empty for a step that waits.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(400)], verbose_name='within working hours')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('persona', models.ForeignKey(blank=True, db_constraint=False, help_text="Only for customers of this persona; it goes before the signal's own steps. Empty: the signal's own step, for everybody.", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='personas.persona')),
                    ],
                    options={
                        'verbose_name': 'historical first step',
                        'verbose_name_plural': 'historical first steps',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='FirstStep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('unsubscribed', 'Unsubscribed'), ('spam_complaint', 'Spam complaint'), ('all_topics_off', 'All topics off'), ('channel_opt_out', 'Channel opt-out'), ('topic_opt_out', 'Topic opt-out'), ('address_gone', 'Address gone'), ('bounced', 'Bounced, cause unclear'), ('mailbox_full', 'Mailbox full or busy'), ('blocked', 'Blocked by policy'), ('other_address', 'Another address, not theirs'), ('dropped', 'Dropped'), ('scanner', 'Probably a link scanner'), ('subscribed', 'Subscribed again'), ('channel_opt_in', 'Channel opt-in'), ('topic_opt_in', 'Topic opt-in'), ('reached', 'Reached again'), ('converted', 'Converted'), ('not_sent', 'Could not be sent'), ('other', 'Other')], max_length=20, verbose_name='signal')),
                        ('position', models.PositiveIntegerField(default=10, help_text='Of several steps for one case, they are tried in this order.', verbose_name='order')),
                        ('text', models.CharField(help_text='One sentence: who does what. In steps for channels and topics, {detail} stands for the name of the channel or of the topics.', max_length=300, verbose_name='what to do')),
                        ('channels', models.JSONField(blank=True, default=list, help_text='How it contacts the customer. If one of these is closed for a customer, the next step is shown. None: the step contacts nobody, so it always fits.', validators=[personas.models.steps.channel_keys])),
                        ('is_wait', models.BooleanField(default=False, help_text='It waits for the customer, so it is never overdue.', verbose_name='waits')),
                        ('within_hours', models.PositiveSmallIntegerField(blank=True, default=8, help_text='How many working hours it may take. Empty for a step that waits.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(400)], verbose_name='within working hours')),
                        ('persona', models.ForeignKey(blank=True, help_text="Only for customers of this persona; it goes before the signal's own steps. Empty: the signal's own step, for everybody.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='first_steps', to='personas.persona')),
                    ],
                    options={
                        'ordering': ['kind', 'persona__position', 'position', 'pk'],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('is_wait', True), ('within_hours', None)), models.Q(('is_wait', False), ('within_hours__gt', 0)), _connector='OR'), name='firststep_waits_or_has_a_time', violation_error_message='A step either waits or has a time.')],
                    },
                ),
                migrations.CreateModel(
                    name='ValueReading',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('fingerprint', models.CharField(blank=True, help_text='Of the terms.', max_length=16)),
                        ('done_to', models.BigIntegerField(default=0, help_text='The last customer that was read anew.')),
                        ('since', models.DateTimeField(blank=True, help_text='The second round: customers looked up after this.', null=True)),
                        ('started_at', models.DateTimeField(blank=True, null=True)),
                        ('finished_at', models.DateTimeField(blank=True, help_text='Empty: it goes on.', null=True)),
                        ('counted_at', models.DateTimeField(blank=True, help_text='The medians.', null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='valuereading_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='RulesState',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('edits', models.BigIntegerField(default=0)),
                        ('version', models.PositiveIntegerField(null=True)),
                        ('version_edits', models.BigIntegerField(null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='rulesstate_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='RuleVersion',
                    fields=[
                        ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                        ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
                        ('made_by_name', models.CharField(blank=True, help_text='Kept when the account is deleted.', max_length=150)),
                        ('what', models.TextField(help_text='What was done, in words.')),
                        ('why', models.TextField(blank=True, help_text='As the person wrote it.')),
                        ('document', models.JSONField(help_text='All rules in the form of an export.')),
                        ('digest', models.CharField(help_text='SHA-256 of the document.', max_length=64)),
                        ('is_reconstructed', models.BooleanField(default=False, help_text='Put together later, from the histories of single rules.')),
                        ('restores', models.PositiveIntegerField(blank=True, help_text='The version whose rules it brought back.', null=True)),
                        ('made_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                        ('accepted', models.JSONField(db_default=models.Value([], models.JSONField()), default=list, help_text='The sentences about what it does that its author was shown and accepted.')),
                        ('briefs_left', models.FloatField(blank=True, help_text='The share of all briefs that stays by these sentences.', null=True)),
                        ('document_ended_at', models.DateTimeField(blank=True, help_text='When its rules were removed: see the retention policy.', null=True)),
                    ],
                    options={
                        'verbose_name': 'version of the rules',
                        'verbose_name_plural': 'versions of the rules',
                        'ordering': ['-number'],
                        'default_permissions': ('view',),
                    },
                ),
                migrations.CreateModel(
                    name='CustomerSegment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveBigIntegerField(help_text="Customer.io's id of it.", unique=True)),
                        ('name', models.CharField(max_length=300)),
                        ('former_name', models.CharField(blank=True, default='', help_text='Before it was renamed in Customer.io.', max_length=300)),
                        ('is_listed', models.BooleanField(default=True, help_text="It is in Customer.io's last list.")),
                        ('is_named', models.BooleanField(default=False, help_text='A condition names it.')),
                        ('reading', models.PositiveIntegerField(default=0, help_text='The last complete reading.')),
                        ('read_at', models.DateTimeField(blank=True, help_text='When that one began.', null=True)),
                        ('begun_at', models.DateTimeField(blank=True, help_text='A reading is under way.', null=True)),
                        ('cursor', models.TextField(blank=True, default='', help_text='Where its next page begins.')),
                        ('steps', models.PositiveBigIntegerField(default=0, help_text='Raised by every page.')),
                        ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='Not read before.')),
                        ('trouble', models.CharField(blank=True, default='', help_text='Why the last reading failed.', max_length=300)),
                    ],
                    options={
                        'verbose_name': 'segment of Customer.io',
                        'verbose_name_plural': 'segments of Customer.io',
                        'ordering': ['name', 'number'],
                    },
                ),
                migrations.CreateModel(
                    name='SegmentList',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('listed_at', models.DateTimeField(blank=True, help_text='The last complete list.', null=True)),
                        ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='Not asked for before.')),
                        ('trouble', models.CharField(blank=True, default='', max_length=300)),
                        ('woken_at', models.DateTimeField(blank=True, help_text='A wake-up is on its way.', null=True)),
                        ('lease_token', models.UUIDField(blank=True, null=True)),
                        ('lease_until', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'list of segments',
                        'verbose_name_plural': 'list of segments',
                        'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='segmentlist_is_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='SegmentMember',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('reading', models.PositiveIntegerField()),
                        ('cio_id', models.CharField(max_length=200)),
                        ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='personas.customersegment')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('cio_id', 'segment', 'reading'), name='segmentmember_once_a_reading')],
                    },
                ),
            ],
        ),
        migrations.RunPython(migrations.RunPython.noop, versions.drop_triggers),
    ]
