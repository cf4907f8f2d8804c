from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_preferences'),
    ]

    operations = [
        migrations.AddField(
            model_name='preferences',
            name='is_without_keys',
            field=models.BooleanField(db_default=False, default=False, help_text='Single keys do nothing on the pages.'),
        ),
    ]
