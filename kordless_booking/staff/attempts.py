"""Admin of booking attempts: their outcomes in words, a search by person, and nothing about whose they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.debug import sensitive_variables

from kordless_booking.booking.attempt import decrypt_row
from kordless_booking.booking.hashes import contact_hashes, number_hashes
from kordless_booking.booking.metadata import convert_metadata
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.forms import clean_confirmation_number, to_documented_form
from kordless_booking.models import BookingAttempt
from kordless_booking.normalization import normalize_email, to_e164
from kordless_booking.staff.labels import (
    attempt_legend,
    attempt_meaning,
    attempt_outcome,
    refusal_labels,
    service_names,
)
from kordless_booking.staff.person_search import PersonSearchAdmin
from kordless_booking.staff.read_only import (
    AccountFilter,
    KnownValuesFilter,
    Meaning,
    RowAdmin,
    has_app_permission,
    known_accounts,
)
from kordless_booking.upstream.phone_region import cached_phone_region
from kordless_booking.upstream.registry import services_for

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

MAX_FOUND: Final = 100
"""Maximum number of results of a search, the newest first."""


class RejectionFilter(KnownValuesFilter):
    """Filter by the reason for which nothing was booked."""

    parameter_name = "rejection"
    title = pgettext_lazy("label", "Reason")

    def known_values(self) -> Mapping[str, str]:
        # Several exceptions mean the same to staff: the first of them stands for all.
        labels: dict[str, str] = {}
        for name, label in refusal_labels().items():
            if label not in labels.values():
                labels[name] = label
        return {"": pgettext("reason why nothing was booked", "None"), **labels}


class ServiceFilter(KnownValuesFilter):
    """Filter by service: those that are offered now, as far as the cache has them."""

    parameter_name = "service"
    title = pgettext_lazy("label", "Service")

    def known_values(self) -> Mapping[str, str]:
        return service_names(known_accounts().values())


@sensitive_variables()
def find_attempts(search_term: str) -> list[BookingAttempt]:
    """Return the attempts of a booking with this confirmation number, or of this email address or phone number.

    Case and spelling don't matter. They are found by keyed hashes: nothing is decrypted. A phone number without a
    country code is one of the businesses' countries, as far as the settings or the cache know them.
    """
    rows = BookingAttempt.objects.defer("encrypted", "key", "body_hash").filter(is_of_person(search_term))
    return list(rows.order_by("-created_at", "-pk")[:MAX_FOUND])


@sensitive_variables()
def is_of_person(search_term: str) -> Q:
    """Return the condition for rows of this confirmation number, email address or phone number, by their hashes."""
    contacts, numbers = person_hashes(search_term)
    found = Q(email_hash__in=contacts) | Q(phone_hash__in=contacts)
    return found | Q(number_hash__in=numbers) if numbers else found


@sensitive_variables()
def person_hashes(search_term: str) -> tuple[set[str], set[str]]:
    """Return the hashes of what staff search for as a contact, and those as a confirmation number, if it can be one."""
    contacts = {normalize_email(search_term)}
    catalogs = [(account, services_for(account).catalog) for account in known_accounts().values()]
    regions = {cached_phone_region(account, catalog) for account, catalog in catalogs} or {None}
    contacts |= {number for region in regions if (number := to_e164(search_term, region))}
    number = clean_confirmation_number(search_term)
    # Both: a hash of what Kordless answered tells nothing of its form.
    numbers = {number, to_documented_form(number)} if number else set()
    return contact_hashes(contact for contact in contacts if contact), number_hashes(numbers)


def is_perhaps_booked(row: BookingAttempt) -> bool:
    """Return True if a booking may exist though the attempt isn't placed."""
    return row.outcome_unknown and row.state != BookingAttempt.State.PLACED


class AttemptAdmin(PersonSearchAdmin, RowAdmin):
    """Read-only list of attempts. Neither the key nor the encrypted request is ever shown.

    What the site's own page gave as metadata is, to those who may see personal data.
    """

    row_template = "kordless_booking/admin/attempt.html"
    find_template = "kordless_booking/admin/find_attempts.html"
    find_title = gettext_lazy("Find bookings of a person")
    list_display = ("created_at", "outcome", "service", "start", "account")
    list_filter = (AccountFilter, "state", RejectionFilter, ServiceFilter, "created_at")
    ordering = ("-created_at", "-pk")
    # Only what has an index: any other order would sort the whole table for each page.
    sortable_by = ("created_at",)

    def legend(self) -> Sequence[Meaning]:
        return attempt_legend()

    @admin.display(description=pgettext_lazy("label", "Outcome"))
    def outcome(self, row: BookingAttempt) -> SafeString:
        """Return what became of it in words, with a color."""
        text, tone = attempt_outcome(row)
        return format_html('<span class="kb-tone kb-{}">{}</span>', tone, text)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not loaded at all, so that no template, error page or debugger can show them.
        return super().get_queryset(request).defer("encrypted", "key", "body_hash")

    def find_rows(self, search_term: str) -> Sequence[Any]:
        return [(row, *attempt_outcome(row), is_perhaps_booked(row)) for row in find_attempts(search_term)]

    def row_context(self, request: HttpRequest, row: BookingAttempt, *, full: bool) -> dict[str, Any]:
        text, tone = attempt_outcome(row)
        return {
            "title": pgettext("heading", "Booking attempt"),
            "state": Meaning(text, tone, attempt_meaning(row)),
            "may_be_booked": is_perhaps_booked(row),
            "service": service_names(known_accounts().values()).get(row.service, row.service),
            "metadata": _metadata(row) if has_app_permission(request, "view_personal_data") else {},
        }

    @sensitive_variables()
    def row_page(self, request: HttpRequest, row: BookingAttempt, *, full: bool = False) -> HttpResponse:
        response = super().row_page(request, row, full=full)
        response["Cache-Control"] = "no-store, private"
        return response


def _metadata(row: BookingAttempt) -> dict[str, str]:
    """Return the metadata of an attempt as texts, without its request or booking; empty where none can be read."""
    encrypted = BookingAttempt.objects.only("encrypted", "account", "state").get(pk=row.pk)
    purpose = "answer" if encrypted.state == BookingAttempt.State.PLACED else "attempt"
    try:
        found = convert_metadata(decrypt_row(purpose, encrypted, None).get("metadata"))
    except InvalidToken:
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
