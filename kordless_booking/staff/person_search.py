"""Search by person, for the admin pages of rows that are about somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from kordless_booking.forms import MAX_EMAIL
from kordless_booking.staff.read_only import ListAdmin, has_app_permission

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import Promise


class FindForm(forms.Form):
    """Form to search by person. POST only: what is searched for is personal and must not be in a URL."""

    def __init__(self, data: Any = None, *, max_length: int) -> None:
        """`max_length` is the longest text, in characters, that can be searched for."""
        super().__init__(data)
        self.fields["search_term"] = forms.CharField(
            label=gettext_lazy("Confirmation number, email or phone"),
            max_length=max_length,
            widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        )


class PersonSearchAdmin(ListAdmin):
    """Read-only ModelAdmin with a list and a search by person, for those who may see personal data."""

    find_template = ""
    find_title: str | Promise = ""
    max_search_length = MAX_EMAIL
    """Characters that can be searched for."""

    def find_rows(self, search_term: str) -> Sequence[Any]:
        """Return what the template shows of each row that belongs to this number, email address or phone number."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        # `sensitive_post_parameters` keeps the search out of error reports.
        view = self.admin_site.admin_view(never_cache(sensitive_post_parameters("search_term")(self.find_view)))
        name = f"{self.opts.app_label}_{self.opts.model_name}_find"
        return [path("find/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list. Only those who may see personal data can search by person."""
        more = {"find_form": self._find_form() if has_app_permission(request, "view_personal_data") else None}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    @sensitive_variables()
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Search rows by person. POST, so that nothing personal is in a URL or an access log."""
        if not (self.has_view_permission(request) and has_app_permission(request, "view_personal_data")):
            raise PermissionDenied
        form = self._find_form(request.POST if request.method == "POST" else None)
        context = {
            "title": self.find_title,
            "deeper": True,
            "form": form,
            "found": self.find_rows(form.cleaned_data["search_term"]) if form.is_valid() else None,
        }
        response = render(request, self.find_template, self.admin_context(request) | context)
        response["Cache-Control"] = "no-store, private"
        return response

    def _find_form(self, data: Any = None) -> FindForm:
        return FindForm(data, max_length=self.max_search_length)
