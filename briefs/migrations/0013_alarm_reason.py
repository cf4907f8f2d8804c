from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('briefs', '0012_fill_reason_codes'),
    ]

    operations = [
        migrations.AddField(
            model_name='alarm',
            name='reason',
            field=models.CharField(blank=True, db_default='', default='', help_text='Which trouble of its kind it is: told at once when it becomes another.', max_length=400),
        ),
    ]
