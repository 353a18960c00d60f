"""Creates the table of the waitlist."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="WaitlistEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(max_length=100, verbose_name="Account")),
                ("service", models.CharField(max_length=200, verbose_name="Service")),
                ("contact_hash", models.CharField(max_length=64)),
                ("link_hash", models.CharField(max_length=64)),
                ("encrypted", models.TextField()),
                ("until", models.DateField(verbose_name="Latest date")),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(verbose_name="Since")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("queued", "To be notified"),
                            ("sending", "Being notified"),
                            ("notified", "Notified"),
                        ],
                        default="waiting",
                        max_length=20,
                        verbose_name="State",
                    ),
                ),
                ("claim", models.PositiveIntegerField(default=0)),
                ("notified_at", models.DateTimeField(blank=True, null=True, verbose_name="Last notified")),
                ("offered_start", models.DateTimeField(blank=True, null=True)),
                ("offered_end", models.DateTimeField(blank=True, null=True)),
                ("known_starts", models.JSONField(blank=True, default=list)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "waitlist entry",
                "verbose_name_plural": "waitlist entries",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["account", "service", "expires_at"], name="kb_waitlist_service"),
                    models.Index(fields=["contact_hash"], name="kb_waitlist_contact"),
                    models.Index(fields=["state", "due_at"], name="kb_waitlist_state_due"),
                    models.Index(fields=["expires_at"], name="kb_waitlist_expires"),
                    models.Index(fields=["created_at"], name="kb_waitlist_created"),
                ],
                "constraints": [models.UniqueConstraint(fields=("account", "link_hash"), name="kb_waitlist_link")],
            },
        ),
    ]
