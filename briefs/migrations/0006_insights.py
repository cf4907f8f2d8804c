from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('briefs', '0005_question_template'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='brief',
            index=models.Index(condition=models.Q(('basis', 'shared')), fields=['researched_at'], name='brief_shared'),
        ),
    ]
