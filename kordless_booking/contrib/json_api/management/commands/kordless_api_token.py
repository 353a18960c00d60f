"""`manage.py kordless_api_token`: make a token with which a program of yours may book, and its hash for API_TOKENS."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand

from kordless_booking.setting_names import name_settings
from kordless_booking.views.program_bookings import TOKEN_PREFIX, hash_token


class Command(BaseCommand):
    help = "Prints a new token for a program that books, and the hash of it for API_TOKENS. Stores nothing."
    requires_system_checks: list[str] = []  # noqa: RUF012 (as Django declares it)

    def handle(self, *_args: Any, **_options: Any) -> None:
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        self.stdout.write(f"Token, for your program (it is shown only now):  {token}")
        label = name_settings('Hash, for "API_TOKENS" in KORDLESS_BOOKING:')
        self.stdout.write(f"{label:<48} {hash_token(token)}")
