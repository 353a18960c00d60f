"""Adds the indexes that keep a delivery, the queue, the admin and retention fast on tables that have grown."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0003_fair_queue"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="bookingattempt",
            name="kb_attempt_state_created",
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(fields=["end"], name="kb_appointment_end"),
        ),
        migrations.AddIndex(
            model_name="bookingattempt",
            index=models.Index(fields=["account", "state", "created_at"], name="kb_attempt_account_state"),
        ),
        migrations.AddIndex(
            model_name="bookingattempt",
            index=models.Index(fields=["created_at"], name="kb_attempt_created"),
        ),
        migrations.AddIndex(
            model_name="bookingattempt",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["account", "retry_at"], name="kb_attempt_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="bookingprojection",
            index=models.Index(fields=["account", "changed_at"], name="kb_known_account_changed"),
        ),
        migrations.AddIndex(
            model_name="funnelcount",
            index=models.Index(fields=["day"], name="kb_funnel_day"),
        ),
        migrations.AddIndex(
            model_name="rejecteddeliverycount",
            index=models.Index(fields=["day"], name="kb_refusal_day"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["account", "received_at"], name="kb_delivery_account"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("encrypted", ""), _negated=True),
                fields=["received_at"],
                name="kb_delivery_with_body",
            ),
        ),
    ]
