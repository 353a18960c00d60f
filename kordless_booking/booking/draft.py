"""Signed token of the slot that a visitor has chosen. It travels through the contact form.

It contains nothing personal, so it is signed and not encrypted. Its nonce becomes the key of the attempt, so a form
that is sent several times makes only one attempt.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.core import signing

VERSION = 1
"""First item of the payload. A token of an unknown version is invalid."""
MAX_TOKEN = 2048
"""Characters. Longer tokens are neither made nor read."""


class InvalidDraft(Exception):
    """The token is not a draft of this account, or was changed."""


class ExpiredDraft(InvalidDraft):
    """The draft is genuine, but too old."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("The draft has passed its age.")
        self.draft = draft
        """The draft itself, so that the visitor can go on with the same slot."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Chosen slot, with the visitor's choices."""

    service: str
    """Slug."""
    start: datetime
    """Start of the slot, in UTC."""
    end: datetime
    """End of the slot, in UTC."""
    zone: str
    """The visitor's time zone (IANA)."""
    host_id: str | None = None
    """None lets Kordless pick a host."""
    host_name: str | None = None
    team_id: str | None = None
    party_size: int = 1
    """Party size."""
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    """Key of the attempt: 128 random bits, in hexadecimal."""
    made_at: float = 0
    """Unix time."""


def sign(draft: Draft, account: str) -> str:
    """Return a URL-safe token of the draft, valid for this account only.

    The host's name is left out when the token would get too long with it.
    """
    # A list without names: the token is part of a URL, and should be short.
    payload: list[Any] = [
        VERSION,
        draft.service,
        int(draft.start.timestamp()),
        int(draft.end.timestamp()),
        draft.zone,
        draft.host_id,
        draft.host_name,
        draft.team_id,
        draft.party_size,
        draft.nonce,
        round(draft.made_at, 2),
    ]
    token = signing.dumps(payload, salt=_salt(account), compress=True)
    if len(token) > MAX_TOKEN and draft.host_name:
        return sign(replace(draft, host_name=None), account)
    return token


def unsign(token: str, account: str, *, max_age: int, now: float) -> Draft:
    """Return the draft in a token that was made at most `max_age` seconds before `now` (Unix time).

    Raises ExpiredDraft, which still carries the draft, or InvalidDraft.
    """
    if not token.isascii() or len(token) > MAX_TOKEN:
        raise InvalidDraft
    try:
        payload = signing.loads(token, salt=_salt(account))
    except signing.BadSignature:
        raise InvalidDraft from None
    draft = _read(payload)
    if draft.made_at + max_age < now:
        raise ExpiredDraft(draft)
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
                party_size=party,
                nonce=nonce,
                made_at=made_at,
            )
    raise InvalidDraft


def _salt(account: str) -> str:
    return f"kordless_booking.draft:{account}"
