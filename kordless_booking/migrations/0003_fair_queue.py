"""Adds to attempts what shares the queue out over client addresses, and the state of those that aren't due yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0002_keyed_delivery_hashes"),
    ]

    operations = [
        migrations.AddField(
            model_name="bookingattempt",
            name="address_hash",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="bookingattempt",
            name="arrival",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="bookingattempt",
            name="start",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="bookingattempt",
            name="turn",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="state",
            field=models.CharField(
                choices=[
                    ("placing", "Placing"),
                    ("placed", "Placed"),
                    ("rejected", "Rejected"),
                    ("outcome_unknown", "Outcome Unknown"),
                    ("waiting", "Waiting"),
                    ("held", "Held"),
                ],
                max_length=20,
            ),
        ),
    ]
