"""Signed token of the slot that a visitor has chosen. It travels through the contact form.

It contains nothing personal, so it is signed and not encrypted. Its nonce becomes the key of the attempt, so a form
that is sent several times makes only one attempt.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from django.core import signing

from kordless_booking.booking.terms import Terms

VERSION = 2
"""First item of the payload. A token of an unknown version is invalid."""
MAX_TOKEN = 2048
"""Characters. Longer tokens are neither made nor read."""


class InvalidDraft(Exception):
    """The token is not a draft of this account, or was changed."""


class ExpiredDraft(InvalidDraft):
    """The draft is genuine, but too old."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("The draft has expired.")
        self.draft = draft
        """The draft itself, so that the visitor can go on with the same slot."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Terms that a visitor has chosen, and the key under which they may be booked once."""

    terms: Terms
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    """Key of the attempt: 128 random bits, in hexadecimal."""
    issued_at: float = 0
    """Unix time."""
    metadata: str = ""
    """Encrypted metadata of the page around the widget, or ""."""


def sign(draft: Draft, account: str) -> str:
    """Return a URL-safe token of the draft, valid for this account only.

    The names of host and team are left out when the token would get too long with them.
    """
    # A list without names: the token is part of a URL, and should be short.
    payload = [VERSION, draft.nonce, round(draft.issued_at, 2), msgspec.to_builtins(draft.terms)]
    if draft.metadata:
        payload.append(draft.metadata)
    token = signing.dumps(payload, salt=_salt(account), compress=True)
    short = draft.terms.without_names()
    if len(token) > MAX_TOKEN and short != draft.terms:
        return sign(replace(draft, terms=short), account)
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
    draft = _parse(payload)
    if draft.issued_at + max_age < now:
        raise ExpiredDraft(draft)
    return draft


def sign_fields(names: Collection[str], draft: Draft, account: str) -> str:
    """Return a token of names of fields, valid for the form of this draft only."""
    return _signer(draft, account).sign(" ".join(names))


def unsign_fields(token: str, draft: Draft, account: str) -> list[str]:
    """Return the names in a token of `sign_fields`; none when it is of another draft or account, or was changed."""
    if not token.isascii() or len(token) > MAX_TOKEN:
        return []
    try:
        return _signer(draft, account).unsign(token).split()
    except signing.BadSignature:
        return []


def _signer(draft: Draft, account: str) -> signing.Signer:
    return signing.Signer(salt=f"kordless_booking.fields:{account}:{draft.nonce}")


def _parse(payload: Any) -> Draft:
    match payload:
        case [2, str(nonce), int() | float() as issued_at, terms]:
            metadata = ""
        case [2, str(nonce), int() | float() as issued_at, terms, str(metadata)]:
            pass
        case _:
            raise InvalidDraft
    try:
        return Draft(terms=msgspec.convert(terms, Terms), nonce=nonce, issued_at=issued_at, metadata=metadata)
    except msgspec.ValidationError:
        raise InvalidDraft from None


def _salt(account: str) -> str:
    return f"kordless_booking.draft:{account}"
