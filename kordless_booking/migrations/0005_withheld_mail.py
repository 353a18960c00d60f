"""Adds the state of a mail that was withheld because its recipient has had too many. Changes no table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0004_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="outgoingmail",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("sending", "Sending"),
                    ("sent", "Sent"),
                    ("outcome_unknown", "Outcome Unknown"),
                    ("failed", "Failed"),
                    ("superseded", "Superseded"),
                    ("withheld", "Withheld"),
                ],
                default="queued",
                max_length=20,
            ),
        ),
    ]
