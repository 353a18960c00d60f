"""Tables: booking attempts, webhook deliveries, booking projections, appointments, outgoing mail, consent, and counts.

Names that the admin shows are translated; a migration holds the English ones.

All times are UTC. The key of a column `encrypted` is derived from SECRET_KEY. Columns `…_hash` are HMAC-SHA256 with
that key, so that rows can be found by a value they don't reveal. docs/operating.md says how long each row is kept.
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import pgettext_lazy

MAX_KIND_CHARS: Final = 100
"""Maximum length of Kordless's name for an event."""


class BookingAttempt(models.Model):
    """One attempt at booking, recorded before anything is sent, so that no form is booked twice.

    The states are drawn in `booking/attempt.py`.
    """

    class State(models.TextChoices):
        """State of an attempt."""

        PLACING = "placing", pgettext_lazy("state of a booking attempt", "Being sent")
        PLACED = "placed", pgettext_lazy("state of a booking attempt", "Booked")
        REJECTED = "rejected", pgettext_lazy("state of a booking attempt", "Not booked")
        OUTCOME_UNKNOWN = "outcome_unknown", pgettext_lazy("state of a booking attempt", "No answer yet")
        WAITING = "waiting", pgettext_lazy("state of a booking attempt", "Queued")
        HELD = "held", pgettext_lazy("state of a booking attempt", "On hold")

        @property
        def is_open(self) -> bool:
            """True while the attempt may still become a booking."""
            return self in {self.PLACING, self.OUTCOME_UNKNOWN, self.WAITING, self.HELD}

    key = models.CharField(max_length=64)
    """The draft's nonce: a double click, a reload and a retry of a form all have the same."""
    account = models.CharField(pgettext_lazy("label", "Account"), max_length=100)
    service = models.CharField(pgettext_lazy("label", "Service"), max_length=200)
    """Slug of the service."""
    start = models.DateTimeField(pgettext_lazy("label", "Appointment"), null=True, blank=True)
    """Start of the slot: tells a second attempt at it. Null in rows of older releases."""
    generation = models.PositiveSmallIntegerField(default=1)
    """Grows when a rejected attempt is sent anew. The idempotency key contains it."""
    body_hash = models.CharField(max_length=64)
    """Hash of the request body: tells the same form from a changed one under the same key."""
    state = models.CharField(pgettext_lazy("label", "State"), max_length=20, choices=State)
    rejection = models.CharField(pgettext_lazy("label", "Reason"), max_length=30, blank=True)
    """Name of the exception class in `exceptions.py` that a rejected attempt ended with."""
    encrypted = models.TextField(blank=True)
    """While the outcome is open the request, once placed Kordless's response without the contact, else empty."""
    email_hash = models.CharField(max_length=64, blank=True, default="")
    """Finds the rows of a person for erasure."""
    phone_hash = models.CharField(max_length=64, blank=True, default="")
    """Finds the rows of a person for erasure. Of the number as E.164."""
    number_hash = models.CharField(max_length=64, blank=True, default="")
    """Hash of the confirmation number, once placed: finds the attempt of a booking in the admin."""
    address_hash = models.CharField(max_length=64, blank=True, default="")
    """Hash of the client address, over which the queue is shared out. Empty when unknown, or the outcome isn't open."""
    arrival = models.PositiveBigIntegerField(default=0)
    """Number in the order in which attempts came to the queue."""
    turn = models.PositiveBigIntegerField(default=0)
    """Number in the order in which the queue is served, see `booking/queue.py`. Equal ones go by primary key."""
    claim = models.PositiveIntegerField(pgettext_lazy("label", "Times sent"), default=1)
    """Number of sends. Raising it, in an UPDATE that names the old value, is the right to send."""
    claimed_until = models.DateTimeField()
    """End of the sender's lease. An attempt that is still PLACING after it was left behind by a process that died."""
    outcome_unknown = models.BooleanField(default=False)
    """A send had no usable response, so a booking may exist even where a later one is refused."""
    retry_at = models.DateTimeField(pgettext_lazy("label", "Sent again at"), null=True)
    """Not sent again before this time."""
    created_at = models.DateTimeField(pgettext_lazy("label", "Received"))
    changed_at = models.DateTimeField(pgettext_lazy("label", "Last change"))

    class Meta:
        verbose_name = pgettext_lazy("model", "booking attempt")
        verbose_name_plural = pgettext_lazy("model", "booking attempts")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "key"], name="kb_attempt_account_key"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            # For a delivery, which looks for the open attempt that it is about, and for the queue.
            models.Index(fields=["account", "state", "created_at"], name="kb_attempt_account_state"),
            # For the admin's list and for retention.
            models.Index(fields=["created_at"], name="kb_attempt_created"),
            # For the queue: attempts that were left behind in it stay WAITING, with a `retry_at` in the past.
            models.Index(fields=["account", "retry_at"], name="kb_attempt_waiting", condition=Q(state="waiting")),
            models.Index(fields=["email_hash"], name="kb_attempt_email"),
            models.Index(fields=["phone_hash"], name="kb_attempt_phone"),
            models.Index(fields=["number_hash"], name="kb_attempt_number"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.state} {self.created_at:%Y-%m-%d %H:%M}"


class WebhookDelivery(models.Model):
    """One genuine delivery from Kordless. The same id, or the same body under another id, is recorded once."""

    class Outcome(models.TextChoices):
        """Result of a delivery."""

        PROCESSED = "processed", pgettext_lazy("outcome of a webhook delivery", "Published")
        """Published to the site's receivers as a change of a booking."""
        SUPERSEDED = "superseded", pgettext_lazy("outcome of a webhook delivery", "Nothing new")
        """Nothing new: the change was published before, or a newer one was."""
        OTHER = "other", pgettext_lazy("outcome of a webhook delivery", "Unknown event")
        """An event of a kind that this version doesn't know."""
        DUPLICATE = "duplicate", pgettext_lazy("outcome of a webhook delivery", "Received before")
        """Received before, under this id or with the same body. It isn't recorded again."""

    account = models.CharField(pgettext_lazy("label", "Account"), max_length=100)
    delivery_id = models.CharField(pgettext_lazy("label", "Delivery ID"), max_length=200)
    """From the header `X-Kordless-Webhook-Id`."""
    body_hash = models.CharField(max_length=64)
    """Keyed hash of the body: tells the same body under another id. It stays when the body is emptied."""
    kind = models.CharField(pgettext_lazy("label", "Event"), max_length=MAX_KIND_CHARS)
    """Kordless's name for the event."""
    outcome = models.CharField(pgettext_lazy("label", "Outcome"), max_length=20, choices=Outcome)
    happened_at = models.DateTimeField(pgettext_lazy("label", "Happened"), null=True)
    """Time of the event by Kordless's clock; null when the body doesn't say."""
    received_at = models.DateTimeField(pgettext_lazy("label", "Received"))
    """Arrival, by our clock."""
    source = models.CharField(pgettext_lazy("label", "Made"), max_length=10, blank=True, default="")
    """Place of the change, as in the signals ("widget" or "webhook"); empty when nothing was published."""
    encrypted = models.TextField(blank=True)
    """The body. It can be decrypted for a month, and is emptied afterwards."""

    class Meta:
        verbose_name = pgettext_lazy("model", "webhook delivery")
        verbose_name_plural = pgettext_lazy("model", "webhook deliveries")
        permissions = [  # noqa: RUF012 (Django's own way to write it)
            ("view_personal_data", "Can see the personal data in webhook deliveries and mails, and search by person"),
            ("replay_webhookdelivery", "Can send the signals of webhook deliveries again"),
        ]
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "delivery_id"], name="kb_delivery_account_id"),
            models.UniqueConstraint(fields=["account", "body_hash"], name="kb_delivery_account_body"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["received_at"], name="kb_delivery_received"),
            models.Index(fields=["account", "received_at"], name="kb_delivery_account"),
            # For emptying: only the last month's rows have a body.
            models.Index(fields=["received_at"], name="kb_delivery_with_body", condition=~Q(encrypted="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome} {self.received_at:%Y-%m-%d %H:%M}"


class BookingProjection(models.Model):
    """Newest published state of a booking, so that nothing is published twice and nothing outdated after it.

    Contains nothing personal.
    """

    account = models.CharField(max_length=100)
    number_hash = models.CharField(max_length=64)
    """Hash of the confirmation number."""
    start = models.DateTimeField(null=True)
    """Newest known start; null when only the cancellation was reported."""
    created = models.BooleanField(default=False)
    """The creation was published."""
    canceled = models.BooleanField(default=False)
    """The cancellation was published: nothing follows it."""
    changed_at = models.DateTimeField()
    """Time of the newest known change, in whole seconds."""

    class Meta:
        verbose_name = pgettext_lazy("model", "known booking")
        verbose_name_plural = pgettext_lazy("model", "known bookings")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "number_hash"], name="kb_known_account_number"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["changed_at"], name="kb_known_changed"),
            models.Index(fields=["account", "changed_at"], name="kb_known_account_changed"),
        ]

    def __str__(self) -> str:
        return f"{'canceled' if self.canceled else 'standing'} {self.changed_at:%Y-%m-%d %H:%M}"


class FunnelCount(models.Model):
    """Number of visitors who reached a stage, per day, account, service and placement of the widget."""

    class Stage(models.TextChoices):
        """Stage that a visitor has reached. docs/funnel-and-admin.md defines exactly what each stage counts."""

        VISIT = "visit"
        SERVICE = "service"
        SLOT = "slot"
        CONTACT = "contact"
        BOOKED = "booked"

    class Placement(models.TextChoices):
        """Placement of the widget in which a visitor saw it."""

        PAGE = "page"
        """On a page of its own."""
        INLINE = "inline"
        """Inside a page of the site, by `{% booking_widget %}`."""
        EMBED = "embed"
        """In a frame on another site."""

    day = models.DateField()
    """A day of the site's TIME_ZONE."""
    account = models.CharField(max_length=100)
    service = models.CharField(max_length=200, blank=True)
    """Slug of the service; empty while none was chosen."""
    placement = models.CharField(max_length=10, choices=Placement)
    stage = models.CharField(max_length=10, choices=Stage)
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = pgettext_lazy("model", "funnel")
        verbose_name_plural = pgettext_lazy("model", "funnel")
        default_permissions = ("view",)
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(
                fields=["account", "day", "service", "placement", "stage"], name="kb_funnel_unique"
            ),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            # For all accounts together: the admin's page, and retention.
            models.Index(fields=["day"], name="kb_funnel_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service or '-'} {self.placement} {self.stage}: {self.count}"


class RejectedDeliveryCount(models.Model):
    """Number of webhook deliveries that were rejected, per day, account and reason."""

    day = models.DateField()
    """A day of the site's TIME_ZONE."""
    account = models.CharField(max_length=100)
    reason = models.CharField(max_length=40)
    """Name of the log event, such as `webhook_stale`."""
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = pgettext_lazy("model", "refused deliveries")
        verbose_name_plural = pgettext_lazy("model", "refused deliveries")
        default_permissions = ()
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "day", "reason"], name="kb_refusal_unique"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["day"], name="kb_refusal_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.reason}: {self.count}"


class LostDemandCount(models.Model):
    """Number of times that visitors were shown no free time, per day, account, service, placement and wanted month."""

    day = models.DateField()
    """Day of the visit, one of the site's TIME_ZONE."""
    account = models.CharField(max_length=100)
    service = models.CharField(max_length=200)
    """Slug of the service."""
    placement = models.CharField(max_length=10, choices=FunnelCount.Placement)
    month = models.DateField()
    """First day of the month in which the visitor wanted a time."""
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = pgettext_lazy("model", "lost demand")
        verbose_name_plural = pgettext_lazy("model", "lost demand")
        default_permissions = ()
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(
                fields=["account", "day", "service", "placement", "month"], name="kb_lost_demand_unique"
            ),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["day"], name="kb_lost_demand_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.month:%Y-%m}: {self.count}"


class CampaignCount(models.Model):
    """Number of bookings by the campaign source of their visitors, per day, account, service and placement."""

    day = models.DateField()
    """Day of the booking's making, one of the site's TIME_ZONE."""
    account = models.CharField(max_length=100)
    service = models.CharField(max_length=200)
    """Slug of the service."""
    placement = models.CharField(max_length=10, choices=FunnelCount.Placement)
    source = models.CharField(max_length=40)
    """The visit's `utm_source`, as `booking.attribution.campaign_source` returns it: it can be nobody's id."""
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = pgettext_lazy("model", "bookings by campaign")
        verbose_name_plural = pgettext_lazy("model", "bookings by campaign")
        default_permissions = ()
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(
                fields=["account", "day", "service", "placement", "source"], name="kb_campaign_unique"
            ),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["day"], name="kb_campaign_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.source}: {self.count}"


class Overview(FunnelCount):
    """Entry and permission for the admin's overview page. A proxy: it has no table."""

    class Meta:
        proxy = True
        verbose_name = pgettext_lazy("model", "overview")
        # Django's admin sorts models by this name and knows no other order: the space, which no page shows, makes the
        # overview the first one in every language.
        verbose_name_plural = format_lazy(" {}", pgettext_lazy("heading", "Overview"))
        default_permissions = ("view",)


class Appointment(models.Model):
    """A booking whose customer or staff get mail or messages. Exists while MAIL is on, or MESSENGER or STAFF_EMAIL set.

    Until a day after the appointment's end. Deleting a row deletes its mails, and ends the link in its messages.
    """

    account = models.CharField(max_length=100)
    number_hash = models.CharField(max_length=64)
    """Hash of the confirmation number."""
    email_hash = models.CharField(max_length=64, blank=True)
    """Finds the rows of a person for erasure."""
    phone_hash = models.CharField(max_length=64, blank=True)
    """Finds the rows of a person for erasure. Of the number as E.164."""
    link_hash = models.CharField(max_length=64, blank=True, default="")
    """Hash of the code in the link of messages (`mail/short_link.py`). Empty where none was sent."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=30)
    """Kordless's status, or "missing" when a lookup before a reminder didn't find the booking."""
    revision = models.PositiveIntegerField(default=0)
    """Grows with each change. A mail is about one revision."""
    sequence = models.PositiveIntegerField(default=0)
    """SEQUENCE of the calendar file (RFC 5545), which must grow with each change."""
    notified_at = models.DateTimeField()
    """Time at which the newest change was recorded."""
    encrypted = models.TextField()
    """The booking with its contact, and the customer's preferences (`mail/appointment_data.py`)."""

    class Meta:
        verbose_name = pgettext_lazy("model", "appointment")
        verbose_name_plural = pgettext_lazy("model", "appointments")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "number_hash"], name="kb_appointment_number"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["account", "start"], name="kb_appointment_start"),
            models.Index(fields=["end"], name="kb_appointment_end"),
            models.Index(fields=["email_hash"], name="kb_appointment_email"),
            models.Index(fields=["phone_hash"], name="kb_appointment_phone"),
            models.Index(fields=["link_hash"], name="kb_appointment_link"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.start:%Y-%m-%d %H:%M}"


class OutgoingMail(models.Model):
    """One mail, or one message to a phone, about one revision of an appointment. Built when it is sent: it has no text.

    ::

        QUEUED ──> SENDING ──> SENT
          ▲  │        │
          │  │        ├──────> OUTCOME_UNKNOWN  may have been sent, or the process died while sending; never sent again
          │  │        ├──────> FAILED           refused permanently, or not accepted for two days
          │  │        ├──────> WITHHELD         the recipient has had too many mails in 24 hours
          │  └────────│──────> SUPERSEDED       a newer mail is sent instead, or the appointment has begun
          └───────────┘                         certainly not accepted: tried again later

    Staff may put a mail that is FAILED or WITHHELD back to QUEUED (`mail/outbox.py`, `requeue`): it was not sent.
    """

    class Kind(models.TextChoices):
        """Kind of mail. The values are also the beginnings of template names, see docs/mail.md."""

        REQUESTED = "requested", pgettext_lazy("kind of mail", "Request received")
        """A booking was made that staff must accept first."""
        CONFIRMED = "confirmed", pgettext_lazy("kind of mail", "Confirmation")
        """A booking was made, or such a request was accepted."""
        RESCHEDULED = "rescheduled", pgettext_lazy("kind of mail", "New time")
        CANCELLED = "cancelled", pgettext_lazy("kind of mail", "Cancellation")
        REMINDER = "reminder", pgettext_lazy("kind of mail", "Reminder")

    class State(models.TextChoices):
        """State of a mail, as drawn above."""

        QUEUED = "queued", pgettext_lazy("state of a mail", "Waiting")
        SENDING = "sending", pgettext_lazy("state of a mail", "Being sent")
        SENT = "sent", pgettext_lazy("state of a mail", "Sent")
        OUTCOME_UNKNOWN = "outcome_unknown", pgettext_lazy("state of a mail", "Perhaps sent")
        FAILED = "failed", pgettext_lazy("state of a mail", "Given up")
        SUPERSEDED = "superseded", pgettext_lazy("state of a mail", "Replaced")
        WITHHELD = "withheld", pgettext_lazy("state of a mail", "Withheld")

    class Channel(models.TextChoices):
        """Way to the customer, or to staff."""

        EMAIL = "email", pgettext_lazy("label", "Email")
        PHONE = "phone", pgettext_lazy("label", "Text message")
        STAFF = "staff", pgettext_lazy("label", "Email to staff")
        """To the addresses in STAFF_EMAIL, not to the customer."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="mails")
    channel = models.CharField(
        pgettext_lazy("way to a customer", "Sent by"), max_length=10, choices=Channel, default=Channel.EMAIL
    )
    kind = models.CharField(pgettext_lazy("label", "Kind"), max_length=20, choices=Kind)
    revision = models.PositiveIntegerField()
    before_start = models.DateTimeField(null=True)
    """The start that a moved booking had before."""
    before_end = models.DateTimeField(null=True)
    """The end that a moved booking had before."""
    state = models.CharField(pgettext_lazy("label", "State"), max_length=20, choices=State, default=State.QUEUED)
    """Changing QUEUED to SENDING, in an UPDATE that names both, is the right to send."""
    tries = models.PositiveSmallIntegerField(pgettext_lazy("label", "Tries"), default=0)
    """Number of times that sending was begun."""
    queued_at = models.DateTimeField(pgettext_lazy("label", "Queued"))
    due_at = models.DateTimeField(pgettext_lazy("label", "Due"))
    """Not sent before this time."""
    changed_at = models.DateTimeField(pgettext_lazy("label", "Last change"))

    class Meta:
        verbose_name = pgettext_lazy("model", "mail")
        verbose_name_plural = pgettext_lazy("model", "mails")
        permissions = [  # noqa: RUF012 (Django's own way to write it)
            ("resend_outgoingmail", "Can send mails that were given up or withheld once more"),
        ]
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            # The promise "never two mails for one change" rests on this, and so does that of messages.
            models.UniqueConstraint(fields=["appointment", "kind", "revision", "channel"], name="kb_mail_once"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["state", "due_at"], name="kb_mail_state_due"),
            # For the admin's list: all of them, and those of one state.
            models.Index(fields=["queued_at"], name="kb_mail_queued"),
            models.Index(fields=["state", "queued_at"], name="kb_mail_state_queued"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state} {self.queued_at:%Y-%m-%d %H:%M}"


class ConsentProof(models.Model):
    """Proof that a customer ticked a box of the setting CONSENT when they booked.

    It says what they saw and when, and whose it is only to those who know the contact or the number.
    """

    account = models.CharField(pgettext_lazy("label", "Account"), max_length=100)
    service = models.CharField(pgettext_lazy("label", "Service"), max_length=200, blank=True)
    """Slug of the service that was booked."""
    name = models.CharField(pgettext_lazy("label", "Box"), max_length=40)
    """Name of the box in the settings."""
    version = models.CharField(pgettext_lazy("label", "Version"), max_length=40)
    """Version of its text, by the settings of that time."""
    text = models.TextField(pgettext_lazy("label", "Text"))
    """Text as it was shown. The site's own, so nothing personal."""
    language = models.CharField(pgettext_lazy("label", "Language"), max_length=20)
    """Django code of the page's language."""
    given_at = models.DateTimeField(pgettext_lazy("label", "Given"))
    """Time at which the form was sent."""
    number_hash = models.CharField(max_length=64)
    """Hash of the booking's confirmation number."""
    email_hash = models.CharField(max_length=64, blank=True, default="")
    """Finds the rows of a person, as in the other tables."""
    phone_hash = models.CharField(max_length=64, blank=True, default="")
    """Finds the rows of a person. Of the number as E.164."""

    class Meta:
        verbose_name = pgettext_lazy("model", "proof of consent")
        verbose_name_plural = pgettext_lazy("model", "proofs of consent")
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "number_hash", "name"], name="kb_consent_once"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            # For the admin's list, and for retention.
            models.Index(fields=["given_at"], name="kb_consent_given"),
            models.Index(fields=["account", "given_at"], name="kb_consent_account"),
            models.Index(fields=["email_hash"], name="kb_consent_email"),
            models.Index(fields=["phone_hash"], name="kb_consent_phone"),
            # For the search by number, which is in all accounts.
            models.Index(fields=["number_hash"], name="kb_consent_number"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.given_at:%Y-%m-%d %H:%M}"
