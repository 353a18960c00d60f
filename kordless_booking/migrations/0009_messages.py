"""Adds messages to phones: the channel of a mail, and the hash of the code in the link of messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0008_consent_proofs"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="outgoingmail",
            name="kb_mail_once",
        ),
        migrations.AddField(
            model_name="appointment",
            name="link_hash",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="channel",
            field=models.CharField(
                choices=[("email", "Email"), ("phone", "Text message")],
                default="email",
                max_length=10,
                verbose_name="Sent by",
            ),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(fields=["link_hash"], name="kb_appointment_link"),
        ),
        migrations.AddConstraint(
            model_name="outgoingmail",
            constraint=models.UniqueConstraint(
                fields=("appointment", "kind", "revision", "channel"), name="kb_mail_once"
            ),
        ),
    ]
