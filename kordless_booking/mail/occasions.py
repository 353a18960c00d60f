"""What mails are about, and how one can stand.

::

    QUEUED ──> SENDING ──> SENT
      ▲  │        │
      │  │        ├──────> UNSURE      it may have been sent, or its process died: never sent again
      │  │        ├──────> FAILED      refused for good, or not accepted for two days
      │  └────────│──────> OVERTAKEN   something newer about the booking is told instead
      └───────────┘                    certainly not accepted: later once more
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MailState", "Occasion"]


class Occasion(StrEnum):
    """Why a customer is written to. The values are names of templates too."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    REMINDER = "reminder"


class MailState(StrEnum):
    """How a mail stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNSURE = "unsure"
    FAILED = "failed"
    OVERTAKEN = "overtaken"
