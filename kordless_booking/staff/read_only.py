"""Base class for admin pages that show rows and never change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured

from kordless_booking import conf

if TYPE_CHECKING:
    from django.http import HttpRequest

    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


class ReadOnlyAdmin(Base):
    """Read-only ModelAdmin. The rows are a record of what happened: nobody adds, changes or deletes one."""

    # Also removes the checkboxes: Django's only action is deleting.
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def known_accounts() -> Mapping[str, conf.Account]:
    """Return all accounts by name, or none while the settings are unusable."""
    try:
        return conf.accounts()
    except ImproperlyConfigured:
        return {}


def has_several_accounts() -> bool:
    """Return whether pages must say which account something belongs to."""
    return len(known_accounts()) > 1
