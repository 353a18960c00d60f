"""Accounts for the admin's pages, which must also open while the settings are unusable."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

from kordless_booking import conf

__all__ = ["has_several_accounts", "known_accounts"]


def known_accounts() -> Mapping[str, conf.Account]:
    """Return all accounts by name, or none while the settings are unusable."""
    try:
        return conf.accounts()
    except ImproperlyConfigured:
        return {}


def has_several_accounts() -> bool:
    """Return whether pages must say which account something belongs to."""
    return len(known_accounts()) > 1
