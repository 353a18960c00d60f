"""Admin of booking attempts: their states, and nothing about whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kordless_booking import exceptions
from kordless_booking.staff.labels import service_names
from kordless_booking.staff.read_only import (
    AccountFilter,
    KnownValuesFilter,
    ReadOnlyAdmin,
    has_several_accounts,
    known_accounts,
)

if TYPE_CHECKING:
    from django.http import HttpRequest


class RejectionFilter(KnownValuesFilter):
    """Filter by rejection. Of attempts without one it says "-", as the list does."""

    parameter_name = "rejection"
    title = "rejection"

    def known_values(self) -> Mapping[str, str]:
        return {"": "-", **{name: name for name in exceptions.__all__ if name != exceptions.KordlessError.__name__}}


class ServiceFilter(KnownValuesFilter):
    """Filter by service: those that are offered now, as far as the cache has them."""

    parameter_name = "service"
    title = "service"

    def known_values(self) -> Mapping[str, str]:
        return {slug: slug for slug in service_names(known_accounts().values())}


class AttemptAdmin(ReadOnlyAdmin):
    """Read-only list of attempts. Neither the key nor the encrypted request is ever shown."""

    fields = (
        "account", "service", "state", "rejection", "outcome_unknown", "generation", "claim",
        "created_at", "changed_at", "claimed_until", "retry_at",
    )  # fmt: skip
    readonly_fields = fields
    list_display = ("created_at", "service", "state", "rejection", "outcome_unknown", "claim", "account", "changed_at")
    list_filter = (AccountFilter, "state", RejectionFilter, ServiceFilter, "created_at")
    list_per_page = 50
    ordering = ("-created_at", "-pk")
    # Only what has an index: any other order would sort the whole table for each page.
    sortable_by = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not loaded at all, so that no template, error page or debugger can show them.
        return super().get_queryset(request).defer("encrypted", "key", "body_hash")

    def get_list_display(self, request: HttpRequest) -> Any:
        # Not in `list_display` itself: the number of accounts isn't known when this module is imported.
        return [name for name in self.list_display if name != "account" or has_several_accounts()]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [each for each in self.list_filter if each is not AccountFilter or has_several_accounts()]
