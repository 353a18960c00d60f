"""Adds proofs of consent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0007_campaign_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentProof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(max_length=100, verbose_name="Account")),
                ("service", models.CharField(blank=True, max_length=200, verbose_name="Service")),
                ("name", models.CharField(max_length=40, verbose_name="Box")),
                ("version", models.CharField(max_length=40, verbose_name="Version")),
                ("text", models.TextField(verbose_name="Text")),
                ("language", models.CharField(max_length=20, verbose_name="Language")),
                ("given_at", models.DateTimeField(verbose_name="Given")),
                ("number_hash", models.CharField(max_length=64)),
                ("email_hash", models.CharField(blank=True, default="", max_length=64)),
                ("phone_hash", models.CharField(blank=True, default="", max_length=64)),
            ],
            options={
                "verbose_name": "proof of consent",
                "verbose_name_plural": "proofs of consent",
                "indexes": [
                    models.Index(fields=["given_at"], name="kb_consent_given"),
                    models.Index(fields=["account", "given_at"], name="kb_consent_account"),
                    models.Index(fields=["email_hash"], name="kb_consent_email"),
                    models.Index(fields=["phone_hash"], name="kb_consent_phone"),
                    models.Index(fields=["number_hash"], name="kb_consent_number"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "number_hash", "name"), name="kb_consent_once")
                ],
            },
        ),
    ]
