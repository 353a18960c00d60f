"""Admin of the proofs of consent: what was agreed to and when, and a search by person. Not whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from kordless_booking.models import ConsentProof
from kordless_booking.staff.attempts import MAX_FOUND, FindForm, ServiceFilter, is_of_person
from kordless_booking.staff.labels import service_names
from kordless_booking.staff.read_only import (
    AccountFilter,
    KnownValuesFilter,
    ListAdmin,
    has_app_permission,
    known_accounts,
    parse_id,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_HASHES = ("number_hash", "email_hash", "phone_hash")


class BoxFilter(KnownValuesFilter):
    """Filter by the box that was ticked: those of the settings."""

    parameter_name = "name"
    title = pgettext_lazy("label", "Box")

    def known_values(self) -> Mapping[str, str]:
        return {box.name: box.name for account in known_accounts().values() for box in account.consent}


@sensitive_variables()
def find_proofs(wanted: str) -> list[ConsentProof]:
    """Return the proofs of a booking with this confirmation number, or of this email address or phone number."""
    rows = ConsentProof.objects.defer(*_HASHES).filter(is_of_person(wanted))
    return list(rows.order_by("-given_at", "-pk")[:MAX_FOUND])


class ConsentAdmin(ListAdmin):
    """Read-only list of proofs. The hashes are never shown."""

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

    def get_urls(self) -> list[URLPattern]:
        # `sensitive_post_parameters` keeps the search out of error reports.
        view = self.admin_site.admin_view(never_cache(sensitive_post_parameters("wanted")(self.find_view)))
        return [path("find/", view, name="kordless_booking_consentproof_find"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one proof."""
        if request.method not in {"GET", "HEAD"} or not self.has_view_permission(request):
            raise PermissionDenied
        # The id is whatever stands in the URL.
        row = self.get_queryset(request).filter(pk=parse_id(object_id)).first()
        if row is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": pgettext("heading", "Proof of consent"),
            "original": row,
            "service": service_names(known_accounts().values()).get(row.service, row.service),
        }
        return render(request, "kordless_booking/admin/consent.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list. Only those who may see personal data can search by person."""
        more = {"find_form": FindForm() if has_app_permission(request, "view_personal_data") else None}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    @sensitive_variables()
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Search proofs by person. POST, so that nothing personal is in a URL or an access log."""
        if not (self.has_view_permission(request) and has_app_permission(request, "view_personal_data")):
            raise PermissionDenied
        form = FindForm(request.POST if request.method == "POST" else None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Find proofs of a person"),
            "deeper": True,
            "form": form,
            "found": find_proofs(form.cleaned_data["wanted"]) if form.is_valid() else None,
        }
        response = render(request, "kordless_booking/admin/find_proofs.html", context)
        response["Cache-Control"] = "no-store, private"
        return response
