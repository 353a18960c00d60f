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
    # A second count of the whole table for each filtered page. The tables grow for years.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KnownValuesFilter(admin.SimpleListFilter):
    """Filter by the values of a column that are known without the database.

    Django's own filter reads the whole table to find them. A value that isn't known can still be in the URL.
    """

    def known_values(self) -> Mapping[str, str]:
        """Return the label of each value."""
        raise NotImplementedError

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        values, chosen = dict(self.known_values()), self.value()
        if chosen and chosen not in values:
            values[chosen] = chosen
        return list(values.items())

    def queryset(self, _request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        # PostgreSQL raises for NUL in a text.
        return queryset if chosen is None else queryset.filter(**{str(self.parameter_name): chosen.replace("\0", "")})


class AccountFilter(KnownValuesFilter):
    """Filter by account: those of the settings."""

    parameter_name = "account"
    title = "account"

    def known_values(self) -> Mapping[str, str]:
        return {name: name for name in known_accounts()}


def known_accounts() -> Mapping[str, conf.Account]:
    """Return all accounts by name, or none while the settings are unusable."""
    try:
        return conf.accounts()
    except ImproperlyConfigured:
        return {}


def has_several_accounts() -> bool:
    """Return whether pages must say which account something belongs to."""
    return len(known_accounts()) > 1
