"""Tables: customers, and the bookings by which they are known.

Columns `…_hash` and `encrypted` are as in `kordless_booking/models.py`. Everything that is counted is computed from the
bookings (`record.py`), so that no report of a change can be counted twice.
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import pgettext_lazy

CANCELED: Final = "canceled"
"""Kordless's status of a booking that doesn't stand."""


class Customer(models.Model):
    """A person who has booked: who has this email address, or this phone number where no address is known.

    There is no score and no profile: what is stored is what the person told when booking, and how often.
    """

    account = models.CharField(pgettext_lazy("label", "Account"), max_length=100)
    identity_hash = models.CharField(max_length=64)
    """Hash of the email address; of the phone number where no address is known. Both are hashed in the same way, so a
    row without an address is one whose `identity_hash` and `phone_hash` are equal."""
    phone_hash = models.CharField(max_length=64, blank=True, default="")
    """Hash of the newest phone number, as E.164 where its country is known. Several persons may share one."""
    encrypted = models.TextField()
    """Name, contact and language as they were last given (`details.py`)."""
    first_seen_at = models.DateTimeField(pgettext_lazy("label", "Known since"))
    last_seen_at = models.DateTimeField(pgettext_lazy("label", "Last change"))
    """Time of the newest change of any booking."""
    last_visit_at = models.DateTimeField(pgettext_lazy("label", "Latest appointment"), null=True, blank=True)
    """Start of the latest booking that stands, which may be ahead; null when none does."""
    booked = models.PositiveIntegerField(pgettext_lazy("label", "Booked"), default=0)
    rescheduled = models.PositiveIntegerField(pgettext_lazy("label", "Rescheduled"), default=0)
    """Number of moves, of all bookings."""
    canceled = models.PositiveIntegerField(pgettext_lazy("label", "Canceled"), default=0)
    canceled_late = models.PositiveIntegerField(pgettext_lazy("label", "Canceled late"), default=0)
    """Those that the customer canceled on this site within the notice period. Kordless doesn't say who canceled
    elsewhere, and nobody is to be blamed for what the business canceled."""
    remote_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 (many rows have none: "" is unique)
    """Id of the customer at Kordless, for a later one-way sync; null while there is none."""
    synced_at = models.DateTimeField(null=True, blank=True)
    """Time of that sync. A row is due where this is null or before `last_seen_at`."""

    class Meta:
        verbose_name = pgettext_lazy("model", "customer")
        verbose_name_plural = pgettext_lazy("model", "customers")
        default_permissions = ("view",)
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            # The hash first: erasure and the search by person look in all accounts.
            models.UniqueConstraint(fields=["identity_hash", "account"], name="kb_customer_identity"),
            models.UniqueConstraint(fields=["account", "remote_id"], name="kb_customer_remote"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["phone_hash"], name="kb_customer_phone"),
            # For the admin's list, and for retention.
            models.Index(fields=["last_seen_at"], name="kb_customer_seen"),
            models.Index(fields=["account", "last_seen_at"], name="kb_customer_account"),
        ]

    def __str__(self) -> str:
        # Nothing personal: Django's admin writes this to its history.
        return f"{self.pk} ({self.first_seen_at:%Y-%m-%d})"

    @property
    def visits(self) -> int:
        """Number of bookings that stand, past and ahead."""
        return self.booked - self.canceled


class CustomerBooking(models.Model):
    """One booking of a customer, in its newest known state."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="bookings")
    account = models.CharField(max_length=100)
    """The customer's account: confirmation numbers are unique within one."""
    number_hash = models.CharField(max_length=64)
    """Hash of the confirmation number."""
    service = models.CharField(pgettext_lazy("label", "Service"), max_length=200, blank=True)
    """Slug of the service; "" when it isn't known."""
    start = models.DateTimeField(pgettext_lazy("label", "Appointment"))
    status = models.CharField(pgettext_lazy("label", "State"), max_length=30)
    """Kordless's status."""
    source = models.CharField(pgettext_lazy("label", "Booked"), max_length=10, blank=True)
    """`signals.ChangeSource` of the creation; "" while only a later change was reported."""
    campaign = models.CharField(max_length=40, blank=True)
    """The visit's `utm_source`, as `booking.attribution.campaign_source` returns it: it can be nobody's id."""
    seen_at = models.DateTimeField()
    """Time of the first report."""
    rescheduled = models.PositiveSmallIntegerField(default=0)
    """Number of moves."""
    canceled_late = models.BooleanField(default=False)
    """The customer canceled it on this site within the notice period."""

    class Meta:
        verbose_name = pgettext_lazy("model", "booking of a customer")
        verbose_name_plural = pgettext_lazy("model", "bookings of customers")
        default_permissions = ()
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["number_hash", "account"], name="kb_customer_booking_once"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.status} {self.start:%Y-%m-%d %H:%M}"
