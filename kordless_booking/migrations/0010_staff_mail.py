"""Adds mail to staff: a channel of the outbox."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0009_messages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="outgoingmail",
            name="channel",
            field=models.CharField(
                choices=[("email", "Email"), ("phone", "Text message"), ("staff", "Email to staff")],
                default="email",
                max_length=10,
                verbose_name="Sent by",
            ),
        ),
    ]
