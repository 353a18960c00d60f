"""Admin of the proofs of consent: what was agreed to and when, and a search by person. Not whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.debug import sensitive_variables

from kordless_booking.models import ConsentProof
from kordless_booking.staff.attempts import MAX_FOUND, ServiceFilter, is_of_person
from kordless_booking.staff.labels import service_names
from kordless_booking.staff.person_search import PersonSearchAdmin
from kordless_booking.staff.read_only import (
    AccountFilter,
    KnownValuesFilter,
    RowAdmin,
    known_accounts,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

_HASHES = ("number_hash", "email_hash", "phone_hash")


class BoxFilter(KnownValuesFilter):
    """Filter by the box that was ticked: those of the settings."""

    parameter_name = "name"
    title = pgettext_lazy("label", "Box")

    def known_values(self) -> Mapping[str, str]:
        return {box.name: box.name for account in known_accounts().values() for box in account.consent}


@sensitive_variables()
def find_proofs(search_term: str) -> list[ConsentProof]:
    """Return the proofs of a booking with this confirmation number, or of this email address or phone number."""
    rows = ConsentProof.objects.defer(*_HASHES).filter(is_of_person(search_term))
    return list(rows.order_by("-given_at", "-pk")[:MAX_FOUND])


class ConsentAdmin(PersonSearchAdmin, RowAdmin):
    """Read-only list of proofs. The hashes are never shown."""

    row_template = "kordless_booking/admin/consent.html"
    find_template = "kordless_booking/admin/find_proofs.html"
    find_title = gettext_lazy("Find proofs of a person")
    list_display = ("given_at", "name", "version", "shown_text", "service", "account")
    list_filter = (AccountFilter, BoxFilter, ServiceFilter, "given_at")
    ordering = ("-given_at", "-pk")
    # Only what has an index: any other order would sort the whole table for each page.
    sortable_by = ("given_at",)

    def legend(self) -> tuple[()]:
        return ()

    @admin.display(description=pgettext_lazy("label", "Text"))
    def shown_text(self, row: ConsentProof) -> str:
        """Return the beginning of the text."""
        return Truncator(row.text).chars(60)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not loaded at all, so that no template, error page or debugger can show them.
        return super().get_queryset(request).defer(*_HASHES)

    def find_rows(self, search_term: str) -> Sequence[ConsentProof]:
        return find_proofs(search_term)

    def row_context(self, request: HttpRequest, row: ConsentProof, *, full: bool) -> dict[str, Any]:
        return {
            "title": pgettext("heading", "Proof of consent"),
            "service": service_names(known_accounts().values()).get(row.service, row.service),
        }
