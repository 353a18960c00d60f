"""Admin of booking attempts: their states, and nothing about whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from kordless_booking.staff.read_only import ReadOnlyAdmin, has_several_accounts

if TYPE_CHECKING:
    from django.http import HttpRequest


class RejectionFilter(admin.AllValuesFieldListFilter):
    """Filter by the rejections that occur. Of attempts without one it says "-", as the list does."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or self.empty_value_display}


class AttemptAdmin(ReadOnlyAdmin):
    """Read-only list of attempts. Neither the key nor the encrypted request is ever shown."""

    fields = (
        "account", "service", "state", "rejection", "outcome_unknown", "generation", "claim",
        "created_at", "changed_at", "claimed_until", "retry_at",
    )  # fmt: skip
    readonly_fields = fields
    list_display = ("created_at", "service", "state", "rejection", "outcome_unknown", "claim", "account", "changed_at")
    list_filter = ("account", "state", ("rejection", RejectionFilter), "service", "created_at")
    list_per_page = 50
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not loaded at all, so that no template, error page or debugger can show them.
        return super().get_queryset(request).defer("encrypted", "key", "body_hash")

    def get_list_display(self, request: HttpRequest) -> Any:
        # Not in `list_display` itself: the number of accounts isn't known when this module is imported.
        return [name for name in self.list_display if name != "account" or has_several_accounts()]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [name for name in self.list_filter if name != "account" or has_several_accounts()]
