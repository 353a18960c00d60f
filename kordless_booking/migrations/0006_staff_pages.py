"""Adds counts of lost demand, the search for attempts by number, indexes of mails, and the names that the admin shows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0005_withheld_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="LostDemandCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("account", models.CharField(max_length=100)),
                ("service", models.CharField(max_length=200)),
                (
                    "placement",
                    models.CharField(
                        choices=[("page", "Page"), ("inline", "Inline"), ("embed", "Embed")], max_length=10
                    ),
                ),
                ("month", models.DateField()),
                ("count", models.PositiveBigIntegerField()),
            ],
            options={
                "verbose_name": "lost demand",
                "verbose_name_plural": "lost demand",
                "default_permissions": (),
            },
        ),
        migrations.AlterModelOptions(
            name="outgoingmail",
            options={
                "permissions": [("resend_outgoingmail", "Can send mails that were given up or withheld once more")],
                "verbose_name": "mail",
                "verbose_name_plural": "mails",
            },
        ),
        migrations.AlterModelOptions(
            name="overview",
            options={"default_permissions": ("view",), "verbose_name": "overview", "verbose_name_plural": " Overview"},
        ),
        migrations.AlterModelOptions(
            name="webhookdelivery",
            options={
                "permissions": [
                    (
                        "view_personal_data",
                        "Can see the personal data in webhook deliveries and mails, and search by person",
                    ),
                    ("replay_webhookdelivery", "Can send the signals of webhook deliveries again"),
                ],
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.AddField(
            model_name="bookingattempt",
            name="number_hash",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="account",
            field=models.CharField(max_length=100, verbose_name="Account"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="changed_at",
            field=models.DateTimeField(verbose_name="Last change"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="claim",
            field=models.PositiveIntegerField(default=1, verbose_name="Times sent"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="created_at",
            field=models.DateTimeField(verbose_name="Received"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="rejection",
            field=models.CharField(blank=True, max_length=30, verbose_name="Reason"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="retry_at",
            field=models.DateTimeField(null=True, verbose_name="Sent again at"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="service",
            field=models.CharField(max_length=200, verbose_name="Service"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="start",
            field=models.DateTimeField(blank=True, null=True, verbose_name="Appointment"),
        ),
        migrations.AlterField(
            model_name="bookingattempt",
            name="state",
            field=models.CharField(
                choices=[
                    ("placing", "Being sent"),
                    ("placed", "Booked"),
                    ("rejected", "Not booked"),
                    ("outcome_unknown", "No answer yet"),
                    ("waiting", "Queued"),
                    ("held", "On hold"),
                ],
                max_length=20,
                verbose_name="State",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="changed_at",
            field=models.DateTimeField(verbose_name="Last change"),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="due_at",
            field=models.DateTimeField(verbose_name="Due"),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("requested", "Request received"),
                    ("confirmed", "Confirmation"),
                    ("rescheduled", "New time"),
                    ("cancelled", "Cancellation"),
                    ("reminder", "Reminder"),
                ],
                max_length=20,
                verbose_name="Kind",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="queued_at",
            field=models.DateTimeField(verbose_name="Queued"),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Waiting"),
                    ("sending", "Being sent"),
                    ("sent", "Sent"),
                    ("outcome_unknown", "Perhaps sent"),
                    ("failed", "Given up"),
                    ("superseded", "Replaced"),
                    ("withheld", "Withheld"),
                ],
                default="queued",
                max_length=20,
                verbose_name="State",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="Tries"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="account",
            field=models.CharField(max_length=100, verbose_name="Account"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="delivery_id",
            field=models.CharField(max_length=200, verbose_name="Delivery ID"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="happened_at",
            field=models.DateTimeField(null=True, verbose_name="Happened"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="kind",
            field=models.CharField(max_length=100, verbose_name="Event"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("processed", "Published"),
                    ("superseded", "Nothing new"),
                    ("other", "Unknown event"),
                    ("duplicate", "Received before"),
                ],
                max_length=20,
                verbose_name="Outcome",
            ),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="received_at",
            field=models.DateTimeField(verbose_name="Received"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="source",
            field=models.CharField(blank=True, default="", max_length=10, verbose_name="Made"),
        ),
        migrations.AddIndex(
            model_name="bookingattempt",
            index=models.Index(fields=["number_hash"], name="kb_attempt_number"),
        ),
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(fields=["queued_at"], name="kb_mail_queued"),
        ),
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(fields=["state", "queued_at"], name="kb_mail_state_queued"),
        ),
        migrations.AddIndex(
            model_name="lostdemandcount",
            index=models.Index(fields=["day"], name="kb_lost_demand_day"),
        ),
        migrations.AddConstraint(
            model_name="lostdemandcount",
            constraint=models.UniqueConstraint(
                fields=("account", "day", "service", "placement", "month"), name="kb_lost_demand_unique"
            ),
        ),
    ]
