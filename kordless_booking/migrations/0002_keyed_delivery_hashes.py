"""Replaces the plain hashes of deliveries' bodies by keyed ones: a plain one would outlive an erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import migrations

from kordless_booking.booking.hashes import delivery_hash

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH: Final = 500
"""Rows that are written at once."""


def replace_hashes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Hash each plain hash with the key. The bodies aren't needed, and may be gone."""
    model = apps.get_model("kordless_booking", "WebhookDelivery")
    rows = model.objects.using(schema_editor.connection.alias)
    changed = []
    for row in rows.only("body_hash").order_by("pk").iterator(BATCH):
        row.body_hash = delivery_hash(row.body_hash)
        changed.append(row)
    rows.bulk_update(changed, ["body_hash"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("kordless_booking", "0001_initial"),
    ]

    operations = [
        # Back means nothing to do: a key can't be taken out, and a hash that fits no body only finds no duplicate.
        migrations.RunPython(replace_hashes, migrations.RunPython.noop),
    ]
