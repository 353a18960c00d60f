"""What is written down: each attempt at booking, each delivery from Kordless, what was told of a booking, and mails.

Beside them stand two tables of plain counts, about nobody.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from kordless_booking.booking.attempt import State
from kordless_booking.counts.stages import Source, Stage
from kordless_booking.mail.occasions import MailState, Occasion
from kordless_booking.webhooks.events import LONGEST_KIND, Outcome

__all__ = [
    "Appointment",
    "BookingAttempt",
    "FunnelCount",
    "KnownBooking",
    "OutgoingMail",
    "Overview",
    "RefusalCount",
    "WebhookDelivery",
]


class BookingAttempt(models.Model):
    """One try at booking, written down before anything is sent, so that it can never be made twice.

    `sealed` is encrypted: while the outcome is open it holds the request body, once placed it holds Kordless's
    answer without the contact, and once refused it is empty. `claim` counts the sends: whoever raises it first
    may send. Times are UTC. `email_hash` and `phone_hash` are keyed hashes, to find what is to be forgotten.
    """

    key = models.CharField(max_length=64)
    account = models.CharField(max_length=100)
    service = models.CharField(max_length=200)
    generation = models.PositiveSmallIntegerField(default=1)
    body_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in State])
    refusal = models.CharField(max_length=30, blank=True)
    sealed = models.TextField(blank=True)
    email_hash = models.CharField(max_length=64, blank=True, default="")
    phone_hash = models.CharField(max_length=64, blank=True, default="")
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
            models.Index(fields=["email_hash"], name="kb_attempt_email"),
            models.Index(fields=["phone_hash"], name="kb_attempt_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.state} {self.created_at:%Y-%m-%d %H:%M}"


class WebhookDelivery(models.Model):
    """One genuine delivery from Kordless. The same id, or the same body under another id, is no second one.

    `sealed` is the body, encrypted; it can be opened for a month and is emptied after. Times are UTC. `source` is
    where the change was made, as far as the site was told of it: "widget" or "webhook", as the signals say it.
    """

    account = models.CharField(max_length=100)
    delivery_id = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=LONGEST_KIND)
    outcome = models.CharField(max_length=10, choices=[(outcome.value, outcome.value) for outcome in Outcome])
    happened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=10, blank=True, default="")
    sealed = models.TextField(blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        permissions = [  # noqa: RUF012 (Django's own way to write it)
            ("view_personal_data", "Can see the personal data in webhook deliveries"),
            ("replay_webhookdelivery", "Can send the signals of webhook deliveries again"),
        ]
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "delivery_id"], name="kb_delivery_account_id"),
            models.UniqueConstraint(fields=["account", "body_hash"], name="kb_delivery_account_body"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["received_at"], name="kb_delivery_received"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome} {self.received_at:%Y-%m-%d %H:%M}"


class KnownBooking(models.Model):
    """The newest that was told of a booking, so that nothing is told twice, and nothing older after it.

    Nothing personal: the confirmation number is a keyed hash. `changed_at` is when the newest known change was made.
    """

    account = models.CharField(max_length=100)
    number_hash = models.CharField(max_length=64)
    start = models.DateTimeField(null=True)
    created = models.BooleanField(default=False)
    cancelled = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("known booking")
        verbose_name_plural = _("known bookings")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "number_hash"], name="kb_known_account_number"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["changed_at"], name="kb_known_changed"),
        ]

    def __str__(self) -> str:
        return f"{'cancelled' if self.cancelled else 'standing'} {self.changed_at:%Y-%m-%d %H:%M}"


class FunnelCount(models.Model):
    """How many came as far as a stage, on a day of the site's TIME_ZONE. `service` is empty while none was chosen."""

    day = models.DateField()
    account = models.CharField(max_length=100)
    service = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=[(source.value, source.value) for source in Source])
    stage = models.CharField(max_length=10, choices=[(stage.value, stage.value) for stage in Stage])
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("funnel")
        verbose_name_plural = _("funnel")
        default_permissions = ("view",)
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "day", "service", "source", "stage"], name="kb_funnel_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service or '-'} {self.source} {self.stage}: {self.count}"


class RefusalCount(models.Model):
    """How many deliveries of a webhook were refused for a reason, on a day of the site's TIME_ZONE."""

    day = models.DateField()
    account = models.CharField(max_length=100)
    reason = models.CharField(max_length=40)
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("refused deliveries")
        verbose_name_plural = _("refused deliveries")
        default_permissions = ()
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "day", "reason"], name="kb_refusal_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.reason}: {self.count}"


class Overview(FunnelCount):
    """No table: a place in the admin's list, and a permission of its own, for the front page."""

    class Meta:
        proxy = True
        verbose_name = _("overview")
        verbose_name_plural = _("overview")
        default_permissions = ("view",)


class Appointment(models.Model):
    """A booking whose customer gets mail: there while MAIL is on, from the first news of it until a day after its end.

    `sealed` is encrypted: whose it is, and how that person reads. `email_hash` and `phone_hash` are keyed hashes, to
    find what is to be forgotten; deleting a row takes its mails with it. `revision` counts the changes, `sequence` is
    the calendar file's. `told_at` is when the newest change was heard of. Times are UTC.
    """

    account = models.CharField(max_length=100)
    number_hash = models.CharField(max_length=64)
    email_hash = models.CharField(max_length=64, blank=True)
    phone_hash = models.CharField(max_length=64, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=30)
    revision = models.PositiveIntegerField(default=0)
    sequence = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField()
    sealed = models.TextField()

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "number_hash"], name="kb_appointment_number"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["account", "start"], name="kb_appointment_start"),
            models.Index(fields=["email_hash"], name="kb_appointment_email"),
            models.Index(fields=["phone_hash"], name="kb_appointment_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.start:%Y-%m-%d %H:%M}"


class OutgoingMail(models.Model):
    """One mail about one revision of an appointment. Nothing personal: it is written when it is sent.

    `before_start` and `before_end` are the time that a moved booking had. `due_at` is when it may be sent, `tries` how
    often that was begun; whoever turns QUEUED into SENDING may send. Times are UTC.
    """

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="mails")
    occasion = models.CharField(max_length=20, choices=[(occasion.value, occasion.value) for occasion in Occasion])
    revision = models.PositiveIntegerField()
    before_start = models.DateTimeField(null=True)
    before_end = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in MailState], default=MailState.QUEUED.value
    )
    tries = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["appointment", "occasion", "revision"], name="kb_mail_once"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["state", "due_at"], name="kb_mail_state_due"),
        ]

    def __str__(self) -> str:
        return f"{self.occasion} {self.state} {self.queued_at:%Y-%m-%d %H:%M}"
