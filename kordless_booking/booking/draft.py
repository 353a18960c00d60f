"""The slot that a visitor has chosen, as a signed token that travels through the contact form.

There is nothing personal in it, so it is signed and not encrypted. Its nonce becomes the idempotency key of the
attempt: the same form, however often it is sent, is the same attempt.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.core import signing

__all__ = ["BrokenDraft", "Draft", "OldDraft", "seal", "unseal"]

VERSION = 1
MAX_TOKEN = 2048


class BrokenDraft(Exception):
    """Not a draft of this account, or changed since it was signed."""


class OldDraft(BrokenDraft):
    """A true draft that has passed its age. `draft` is what it said."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("The draft has passed its age.")
        self.draft = draft


@dataclass(frozen=True, kw_only=True)
class Draft:
    """`start` and `end` are the slot's own, in UTC; `zone` is the visitor's; `made_at` is Unix time."""

    service: str
    start: datetime
    end: datetime
    zone: str
    host_id: str | None = None
    host_name: str | None = None
    team_id: str | None = None
    party: int = 1
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    made_at: float = 0


def seal(draft: Draft, account: str) -> str:
    """A URL-safe token of the draft, for this account only. A host's name that is too long for it is left out."""
    payload: list[Any] = [
        VERSION,
        draft.service,
        int(draft.start.timestamp()),
        int(draft.end.timestamp()),
        draft.zone,
        draft.host_id,
        draft.host_name,
        draft.team_id,
        draft.party,
        draft.nonce,
        round(draft.made_at, 2),
    ]
    token = signing.dumps(payload, salt=_salt(account), compress=True)
    if len(token) > MAX_TOKEN and draft.host_name:
        return seal(replace(draft, host_name=None), account)
    return token


def unseal(token: str, account: str, *, max_age: int, now: float) -> Draft:
    """The draft in a token that was made at most `max_age` seconds before `now` (Unix time).

    Raises OldDraft, which still carries the draft, or BrokenDraft.
    """
    if not token.isascii() or len(token) > MAX_TOKEN:
        raise BrokenDraft
    try:
        payload = signing.loads(token, salt=_salt(account))
    except signing.BadSignature:
        raise BrokenDraft from None
    draft = _read(payload)
    if draft.made_at + max_age < now:
        raise OldDraft(draft)
    return draft


def _read(payload: Any) -> Draft:
    match payload:
        case [1, service, start, end, zone, host_id, host_name, team_id, party, nonce, made_at]:
            return Draft(
                service=service,
                start=datetime.fromtimestamp(start, UTC),
                end=datetime.fromtimestamp(end, UTC),
                zone=zone,
                host_id=host_id,
                host_name=host_name,
                team_id=team_id,
                party=party,
                nonce=nonce,
                made_at=made_at,
            )
    raise BrokenDraft


def _salt(account: str) -> str:
    return f"kordless_booking.draft:{account}"
