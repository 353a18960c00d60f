"""What the widget writes down: one row for each attempt at booking, and nothing else."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from kordless_booking.booking.attempt import State

__all__ = ["BookingAttempt"]


class BookingAttempt(models.Model):
    """One try at booking, written down before anything is sent, so that it can never be made twice.

    `sealed` is encrypted: while the outcome is open it holds the request body, once placed it holds Kordless's
    answer without the contact, and once refused it is empty. `claim` counts the sends: whoever raises it first
    may send. Times are UTC.
    """

    key = models.CharField(max_length=64)
    account = models.CharField(max_length=100)
    service = models.CharField(max_length=200)
    generation = models.PositiveSmallIntegerField(default=1)
    body_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in State])
    refusal = models.CharField(max_length=30, blank=True)
    sealed = models.TextField(blank=True)
    claim = models.PositiveIntegerField(default=1)
    claimed_until = models.DateTimeField()
    unsure = models.BooleanField(default=False)
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("booking attempt")
        verbose_name_plural = _("booking attempts")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "key"], name="kb_attempt_account_key"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["state", "created_at"], name="kb_attempt_state_created"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.state} {self.created_at:%Y-%m-%d %H:%M}"
