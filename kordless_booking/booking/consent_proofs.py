"""Proofs of consent: one row for each box that a visitor ticked, once there is a booking."""

from __future__ import annotations

from datetime import UTC, datetime

from kordless_booking.api.resources import Contact
from kordless_booking.booking.hashes import contact_hash, number_hash, number_hashes
from kordless_booking.consent import GivenConsent
from kordless_booking.models import ConsentProof


def record_proofs(
    account: str, number: str, service: str | None, contact: Contact | None, consents: tuple[GivenConsent, ...]
) -> None:
    """Record what was agreed to with a booking, unless that was done before. Needs a transaction. Raises DatabaseError.

    `number` is the booking's confirmation number, `service` the slug. Costs nothing where nothing was ticked.
    """
    if not consents:
        return
    # Page and webhook both come here. A row of before a rotation of the SECRET_KEY has another hash.
    known = ConsentProof.objects.filter(account=account, number_hash__in=number_hashes([number]))
    names = set(known.values_list("name", flat=True))
    ConsentProof.objects.bulk_create(
        [
            ConsentProof(
                account=account,
                service=service or "",
                name=consent.name,
                version=consent.version,
                text=consent.text,
                language=consent.language,
                given_at=datetime.fromtimestamp(consent.given_at, UTC),
                number_hash=number_hash(number),
                email_hash=contact_hash(contact.email) if contact else "",
                phone_hash=contact_hash(contact.phone) if contact else "",
            )
            for consent in consents
            if consent.name not in names
        ],
        # The unique constraint decides between two that come at once.
        ignore_conflicts=True,
    )
