"""Admin page of the waitlist: who waits, masked, and who was notified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.debug import sensitive_variables

from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.contrib.waitlist.entries import EntryData
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.presentation.texts import mask_contact
from kordless_booking.staff.read_only import NOTHING, AccountFilter, KnownValuesFilter, ListAdmin, Meaning


class StateFilter(KnownValuesFilter):
    """Filter by the state of the newest message."""

    parameter_name = "state"
    title = pgettext_lazy("label", "State")

    def known_values(self) -> Mapping[str, str]:
        return {state.value: str(state.label) for state in WaitlistEntry.State}


@admin.register(WaitlistEntry)
class EntryAdmin(ListAdmin):
    """Read-only list. Contacts are masked; what is encrypted isn't shown."""

    list_display = ("created_at", "masked_contact", "service", "until", "shown_state", "notified_at", "account")
    list_display_links = None
    list_filter = (AccountFilter, StateFilter)
    ordering = ("-created_at", "-pk")
    sortable_by = ("created_at",)

    def legend(self) -> Sequence[Meaning]:
        states = WaitlistEntry.State
        return [
            Meaning(str(states.WAITING.label), "idle", _("No time that fits has become free yet.")),
            Meaning(str(states.QUEUED.label), "fair", _("A time is free, and the message is about to be sent.")),
            Meaning(str(states.NOTIFIED.label), "good", _("The message was sent. Another one may follow a day later.")),
            Meaning(_expired(), "idle", _("The latest date is over. The entry is deleted a day later.")),
        ]

    @admin.display(description=pgettext_lazy("label", "Contact"))
    @sensitive_variables()
    def masked_contact(self, row: WaitlistEntry) -> str:
        """Return the contact, masked."""
        try:
            return mask_contact(EntryData.from_row(row).contact)
        except InvalidToken:
            return NOTHING

    @admin.display(description=pgettext_lazy("label", "State"))
    def shown_state(self, row: WaitlistEntry) -> str:
        """Return the state, which a latest date that is over ends."""
        state = WaitlistEntry.State(row.state)
        is_over = row.expires_at <= datetime.now(UTC)
        tone = "good" if state is WaitlistEntry.State.NOTIFIED else "fair"
        if is_over or state is WaitlistEntry.State.WAITING:
            tone = "idle"
        return format_html('<span class="kb-state kb-{}">{}</span>', tone, _expired() if is_over else state.label)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("contact_hash", "link_hash", "known_starts")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


def _expired() -> str:
    return pgettext("state of a waitlist entry", "Over")
