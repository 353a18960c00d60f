"""Registers everything that the waitlist adds to the widget."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from kordless_booking import conf, hooks
from kordless_booking.conf import integer_between
from kordless_booking.contrib.waitlist import doctor, notifying, personal_data
from kordless_booking.contrib.waitlist.entries import DAYS, ENABLED, MAX_DAYS, end_entries_of, find_channels


def render_block(slot: hooks.SlotContext) -> str:
    """Return the link to the form: a quiet line under the times, a button where there are none."""
    account = conf.accounts().get(slot.account)
    if account is None or not find_channels(account, slot.service):
        return ""
    url = slot.url("waitlist-ask", slot.service, choices=slot.choices, **slot.carried)
    return slot.render("kordless_waitlist/block.html", url=url, is_empty=slot.slot == "no_times")


def end_after_booking(change: hooks.Change) -> None:
    """End the entries of who has booked the service."""
    contact, service = change.booking.contact, change.service
    slug = service.slug if service is not None else change.booking.service_slug
    if change.kind == "created" and contact is not None and slug:
        end_entries_of(change.account, [text for text in (contact.email, contact.phone) if text], slug)


def register() -> None:
    """Register all hooks. Doing it twice changes nothing."""
    hooks.setting_rules.register(ENABLED, _ENABLED_RULE)
    hooks.setting_rules.register(DAYS, _DAYS_RULE)
    hooks.template_slots.register("times_after", render_block)
    hooks.template_slots.register("no_times", render_block)
    hooks.url_patterns.register("waitlist", "kordless_booking.contrib.waitlist.urls")
    hooks.funnel_stages.register("waitlist", _STAGE)
    hooks.change_handlers.register("waitlist", end_after_booking)
    hooks.times_refreshed.register("waitlist", notifying.on_times_refreshed)
    hooks.periodic_jobs.register("waitlist", notifying.run)
    hooks.erasure_targets.register(personal_data.target.name, personal_data.target)
    hooks.export_targets.register(personal_data.target.name, personal_data.target)
    hooks.doctor_checks.register("waitlist", doctor.examine)
    hooks.admin_pages.register("waitlist", _ADMIN_PAGE)


_ENABLED_RULE = hooks.ExtensionSetting(
    is_valid=lambda value: isinstance(value, bool), hint="True or False.", default=True
)
_DAYS_RULE = hooks.ExtensionSetting(
    is_valid=integer_between(1, MAX_DAYS), hint=f"A whole number of days from 1 to {MAX_DAYS}.", default=MAX_DAYS
)
_STAGE = pgettext_lazy("label", "Waitlist entries")
_ADMIN_PAGE = hooks.AdminPage(
    label=pgettext_lazy("heading", "Waitlist"),
    url_name="admin:kordless_waitlist_waitlistentry_changelist",
    permission="kordless_waitlist.view_waitlistentry",
)
