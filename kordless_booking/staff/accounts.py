"""The accounts that the admin's pages are about; they are shown also while the settings are unusable."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

from kordless_booking import conf

__all__ = ["are_several", "known_accounts"]


def known_accounts() -> Mapping[str, conf.Account]:
    """All accounts by name; none when the settings are unusable."""
    try:
        return conf.accounts()
    except ImproperlyConfigured:
        return {}


def are_several() -> bool:
    """Whether it is worth saying which account something is of."""
    return len(known_accounts()) > 1
