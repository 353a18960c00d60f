"""Kinds of mail, and the states of one.

::

    QUEUED ──> SENDING ──> SENT
      ▲  │        │
      │  │        ├──────> UNSURE      may have been sent, or the process died while sending; never sent again
      │  │        ├──────> FAILED      refused permanently, or not accepted for two days
      │  └────────│──────> SUPERSEDED  a newer mail is sent instead, or the appointment has begun
      └───────────┘                    certainly not accepted: tried again later
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MailState", "Occasion"]


class Occasion(StrEnum):
    """Kind of mail. The values are also the beginnings of template names, see docs/mail.md."""

    REQUESTED = "requested"
    """A booking was made that staff must accept first."""
    CONFIRMED = "confirmed"
    """A booking was made, or such a request was accepted."""
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    REMINDER = "reminder"


class MailState(StrEnum):
    """State of a mail, as drawn above."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    OUTCOME_UNKNOWN = "unsure"
    FAILED = "failed"
    SUPERSEDED = "overtaken"
