"""Table of the waitlist: one row for each entry, from the form until a day after its latest date."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class WaitlistEntry(models.Model):
    """A visitor's request to be notified of a free time, and the state of the newest message about one.

    ::

        WAITING ──> QUEUED ──> SENDING ──> NOTIFIED sent, or perhaps sent: never sent again
          ▲  ▲        ▲  │        │         │
          │  └────────│──┴────────┤         │       not accepted within two hours, or refused for good
          │           └───────────┘         │       certainly not accepted: tried again later
          └── a day after the message ──────┘       QUEUED again, for another time

    A visitor who stops it, or books the service, ends the entry: its row is deleted. One that a message went to
    in the last day, and is stopped, is emptied instead, and stays that long (`entries.end_entry`).
    """

    class State(models.TextChoices):
        """State of the newest message, as drawn above."""

        WAITING = "waiting", pgettext_lazy("state of a waitlist entry", "Waiting")
        QUEUED = "queued", pgettext_lazy("state of a waitlist entry", "To be notified")
        SENDING = "sending", pgettext_lazy("state of a waitlist entry", "Being notified")
        NOTIFIED = "notified", pgettext_lazy("state of a waitlist entry", "Notified")

    account = models.CharField(pgettext_lazy("label", "Account"), max_length=100)
    service = models.CharField(pgettext_lazy("label", "Service"), max_length=200)
    """Slug of the service."""
    contact_hash = models.CharField(max_length=64)
    """Keyed hash of the email address or phone number: counts the entries of a person, and finds them for erasure."""
    link_hash = models.CharField(max_length=64)
    """Keyed hash of the code in the links of messages. Also the key of the form: sent twice, it is one entry."""
    encrypted = models.TextField()
    """Contact, preferences and code (`entries.EntryData`)."""
    until = models.DateField(pgettext_lazy("label", "Latest date"))
    expires_at = models.DateTimeField()
    """End of the latest date, in the zone of the entry."""
    created_at = models.DateTimeField(pgettext_lazy("label", "Since"))
    state = models.CharField(pgettext_lazy("label", "State"), max_length=20, choices=State, default=State.WAITING)
    claim = models.PositiveIntegerField(default=0)
    """Number of messages. Raising it, in an UPDATE that names the old value, is the right to tell."""
    notified_at = models.DateTimeField(pgettext_lazy("label", "Last notified"), null=True, blank=True)
    """Time at which the newest message was queued."""
    offered_start = models.DateTimeField(null=True, blank=True)
    """Start of the time that it is about. For two hours nobody else is notified of it."""
    offered_end = models.DateTimeField(null=True, blank=True)
    known_starts = models.JSONField(default=list, blank=True)
    """Starts, in minutes since 1970, of the fitting times that were free with the newest message and still are: none of
    them is new. Empty before it, because an entry is taken only while no time fits."""
    tries = models.PositiveSmallIntegerField(default=0)
    """Number of times that sending the newest message was begun."""
    due_at = models.DateTimeField(null=True, blank=True)
    """Not sent before this time."""
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = pgettext_lazy("model", "waitlist entry")
        verbose_name_plural = pgettext_lazy("model", "waitlist entries")
        default_permissions = ("view",)
        constraints = [  # noqa: RUF012 (Django's own way to write it)
            models.UniqueConstraint(fields=["account", "link_hash"], name="kb_waitlist_link"),
        ]
        indexes = [  # noqa: RUF012 (Django's own way to write it)
            models.Index(fields=["account", "service", "expires_at"], name="kb_waitlist_service"),
            models.Index(fields=["contact_hash"], name="kb_waitlist_contact"),
            models.Index(fields=["state", "due_at"], name="kb_waitlist_state_due"),
            # For retention.
            models.Index(fields=["expires_at"], name="kb_waitlist_expires"),
            # For the admin's list.
            models.Index(fields=["created_at"], name="kb_waitlist_created"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.state} {self.created_at:%Y-%m-%d %H:%M}"
