"""Admin of webhook deliveries: a list without personal data, a masked view of one, a search, and replay."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from kordless_booking import conf
from kordless_booking.forms import clean_confirmation_number, to_documented_form
from kordless_booking.logs import error_location
from kordless_booking.models import WebhookDelivery
from kordless_booking.normalization import normalize_email
from kordless_booking.signals import ChangeSource
from kordless_booking.staff.labels import delivery_legend, delivery_tone, event_label, source_label
from kordless_booking.staff.person_search import PersonSearchAdmin
from kordless_booking.staff.read_only import (
    NOTHING,
    AccountFilter,
    KnownValuesFilter,
    MaskedRowAdmin,
    Meaning,
    has_app_permission,
)
from kordless_booking.webhooks.events import CHANGES
from kordless_booking.webhooks.inbox import ReceiverFailed
from kordless_booking.webhooks.replay import event_of, is_outdated, replay
from kordless_booking.webhooks.stored_body import BODY_RETENTION, BodyUnavailable, decrypt_body

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from kordless_booking.api.resources import Booking

MASK: Final = "••••"
_HARMLESS_FIELDS: Final = frozenset(
    {
        "event", "type", "timestamp", "createdat", "updatedat", "webhookid", "status", "serviceid", "serviceslug",
        "startsat", "start", "starttime", "endsat", "end", "endtime", "timezone", "partysize", "attempt", "version",
    }
)  # fmt: skip
"""Names, in lower case and without underscores, of fields whose values reveal no person. All others are masked."""
# A harmless name isn't enough, its value must look harmless too: an address may stand in any field.
_HARMLESS_VALUE: Final = re.compile(r"[\w:.+/-]{0,64}", re.ASCII)


def mask_body(body: str) -> str:
    """Return the body with its structure and its harmless values; only the mask when it isn't JSON."""
    return _to_json(_mask(_from_json(body)))


def format_body(body: str) -> str:
    """Return the whole body, indented."""
    try:
        return _to_json(json.loads(body))
    except ValueError:
        return body


def _from_json(body: str) -> Any:
    try:
        return json.loads(body)
    # RecursionError: nesting deeper than Python's parser allows.
    except (ValueError, RecursionError):
        return MASK


def _to_json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _mask(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {_name(key): _mask(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mask(inner) for inner in value]
    if value is None or isinstance(value, bool):
        # No personal data, whatever the name.
        return value
    harmless = name.replace("_", "").casefold() in _HARMLESS_FIELDS and _HARMLESS_VALUE.fullmatch(str(value))
    return value if harmless else MASK


def _name(name: str) -> str:
    # Field names come from outside as well and may contain anything.
    return name if _HARMLESS_VALUE.fullmatch(name) else MASK


MAX_DECRYPTED: Final = 2000
"""Maximum number of deliveries that a search decrypts, newest first: each costs a fraction of a millisecond."""
MAX_RESULTS: Final = 100
"""Maximum number of results of a search."""
MIN_PHONE_DIGITS: Final = 5
"""Digits that are needed to search for a phone number by its end."""


@sensitive_variables()
def search_deliveries(search_term: str, now: datetime) -> list[WebhookDelivery]:
    """Return deliveries about a booking with this confirmation number, or with this email address or phone number.

    Case and spelling don't matter. For a phone number its last digits are enough.
    """
    search_term = normalize_email(search_term).casefold()
    if not search_term:
        return []
    found = []
    rows = (
        WebhookDelivery.objects.filter(received_at__gt=now - BODY_RETENTION)
        .exclude(encrypted="")
        .order_by("-received_at")
    )
    for row in rows[:MAX_DECRYPTED].iterator():
        try:
            booking = event_of(row, now).booking
        except BodyUnavailable:
            continue
        if booking is not None and _is_about(booking, search_term):
            found.append(row)
            if len(found) == MAX_RESULTS:
                break
    return found


@sensitive_variables()
def _is_about(booking: Booking, search_term: str) -> bool:
    contact = booking.contact
    number = clean_confirmation_number(search_term)
    if booking.confirmation_number.upper() in {number, to_documented_form(number)}:
        return True
    if contact and search_term == normalize_email(contact.email or "").casefold():
        return True
    # By digits alone: Kordless has E.164, staff type what the customer says.
    digits = re.sub(r"\D", "", search_term)
    phone = re.sub(r"\D", "", contact.phone or "") if contact else ""
    is_phone = re.fullmatch(r"[\d\s()+./-]+", search_term) is not None
    # A leading 0 is the national prefix, which E.164 doesn't have.
    return is_phone and len(digits) >= MIN_PHONE_DIGITS and phone.endswith(digits.lstrip("0"))


class ReplayForm(forms.Form):
    """Form of a replay: the kind of change that the signals report."""

    source = forms.ChoiceField(
        label=gettext_lazy("The change was made"),
        widget=forms.RadioSelect,
        choices=[
            (ChangeSource.WEBHOOK.value, gettext_lazy("elsewhere: by phone, by staff, in Kordless")),
            (ChangeSource.WIDGET.value, gettext_lazy("on this site’s own pages")),
        ],
    )


class KindFilter(KnownValuesFilter):
    """Filter by kind of event: those that this version knows."""

    parameter_name = "kind"
    title = pgettext_lazy("label", "Event")

    def known_values(self) -> Mapping[str, str]:
        return {kind: event_label(kind) for kind in CHANGES}


class DeliveryAdmin(PersonSearchAdmin, MaskedRowAdmin):
    """Read-only list of deliveries and their outcomes."""

    row_template = "kordless_booking/admin/delivery.html"
    personal_view_record = "Looked at the personal data."
    find_template = "kordless_booking/admin/find_deliveries.html"
    find_title = gettext_lazy("Find deliveries about a person")
    max_search_length = 200
    list_display = ("received_at", "event", "result", "change_source", "account", "delivery_id", "happened_at")
    list_filter = (AccountFilter, KindFilter, "outcome", "received_at")
    search_fields = ("delivery_id",)
    search_help_text = gettext_lazy("Search by delivery ID.")
    ordering = ("-received_at", "-pk")
    # Only what has an index: any other order would sort the whole table for each page.
    sortable_by = ("received_at",)

    def legend(self) -> Sequence[Meaning]:
        return delivery_legend()

    @admin.display(description=pgettext_lazy("label", "Event"))
    def event(self, row: WebhookDelivery) -> str:
        """Return the kind of event in words."""
        return event_label(row.kind)

    @admin.display(description=pgettext_lazy("label", "Outcome"))
    def result(self, row: WebhookDelivery) -> SafeString:
        """Return the outcome in words, with a color."""
        tone, text = delivery_tone(row.outcome), row.get_outcome_display()
        return format_html('<span class="kb-tone kb-{}">{}</span>', tone, text)

    @admin.display(description=pgettext_lazy("label", "Made"))
    def change_source(self, row: WebhookDelivery) -> str:
        """Return the place of the change in words; a dash when nothing was published."""
        return source_label(row.source) or NOTHING

    def get_queryset(self, request: HttpRequest) -> Any:
        # Bodies are encrypted and not shown in the list; they are the largest part of a row.
        return super().get_queryset(request).defer("encrypted")

    def get_urls(self) -> list[URLPattern]:
        # `admin_view` checks for staff alone. Each view checks its own permissions.
        def guarded(view: Any) -> Any:
            return self.admin_site.admin_view(never_cache(view))

        name = "kordless_booking_webhookdelivery"
        return [
            path("<int:number>/personal/", guarded(require_POST(self.personal_view)), name=f"{name}_personal"),
            path("<int:number>/replay/", guarded(self.replay_view), name=f"{name}_replay"),
            *super().get_urls(),
        ]

    def find_rows(self, search_term: str) -> Sequence[tuple[str, WebhookDelivery]]:
        return [(event_label(row.kind), row) for row in search_deliveries(search_term, datetime.now(UTC))]

    @sensitive_variables()
    def replay_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Ask for confirmation, then send the delivery's signals again and show the result."""
        row: WebhookDelivery = self.find_row(request, number)
        if not has_app_permission(request, "replay_webhookdelivery"):
            raise PermissionDenied
        now, back = (
            datetime.now(UTC),
            reverse(f"{self.admin_site.name}:kordless_booking_webhookdelivery_change", args=[number]),
        )
        try:
            account, event = _account(row), event_of(row, now)
        except (BodyUnavailable, ImproperlyConfigured):
            messages.error(request, _("This delivery can’t be replayed: its body or its account is gone."))
            return HttpResponseRedirect(back)
        form = ReplayForm(
            request.POST if request.method == "POST" else None, initial={"source": row.source or ChangeSource.WEBHOOK}
        )
        # A GET has an unbound form, which is never valid: it shows the question.
        if not form.is_valid():
            context = {
                "title": _("Replay this delivery?"),
                "original": row,
                "form": form,
                "about_booking": event.booking is not None,
                "outdated": is_outdated(row, event),
                "back": back,
            }
            return render(request, "kordless_booking/admin/replay.html", {**self.admin_context(request), **context})
        source = ChangeSource(form.cleaned_data["source"])
        try:
            replay(account, row, source, now)
        except ReceiverFailed as failed:
            self.log_change(request, row, f"Replayed as made at the {source}; a receiver failed.")
            # Only the error's class and place: its message may contain the booking.
            text = _("A receiver failed, and what receivers had done in the database was rolled back: %(error)s.")
            messages.error(request, text % {"error": " ".join(error_location(failed.error).values())})
        else:
            self.log_change(request, row, f"Replayed as made at the {source}.")
            messages.success(request, _("The receivers were notified again."))
        return HttpResponseRedirect(back)

    @sensitive_variables()
    def row_context(self, request: HttpRequest, row: WebhookDelivery, *, full: bool) -> dict[str, Any]:
        try:
            body = decrypt_body(row, datetime.now(UTC))
        # The body is gone, but the row's other columns are still worth a page.
        except BodyUnavailable:
            body = ""
        return {
            "title": pgettext("heading", "Webhook delivery"),
            "subtitle": event_label(row.kind),
            "event": event_label(row.kind),
            "outcome": row.get_outcome_display(),
            "change_source": source_label(row.source),
            "body": (format_body(body) if full else mask_body(body)) if body else "",
            "may_see": bool(body) and not full and has_app_permission(request, "view_personal_data"),
            "may_replay": bool(body) and has_app_permission(request, "replay_webhookdelivery"),
        }


def _account(row: WebhookDelivery) -> conf.Account:
    """Return the delivery's account. Raises ImproperlyConfigured when the settings no longer have it."""
    account = conf.get_account(row.account)
    # With a single account `get_account` returns that one for every name.
    if account.name != row.account:
        raise ImproperlyConfigured
    return account
