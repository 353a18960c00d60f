"""Base classes for admin pages that show rows and never change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_variables

from kordless_booking import conf

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


NOTHING: Final = "\N{EN DASH}"
"""Text in place of a value that there isn't."""


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


class Meaning(NamedTuple):
    """Entry of a list's legend."""

    label: str
    tone: str
    """`good`, `fair`, `bad` or `idle`: a CSS class."""
    text: str


class ListAdmin(ReadOnlyAdmin):
    """Read-only ModelAdmin with a list, whose legend says what the states in it mean.

    Where the settings have a single account, its name is neither a column nor a filter.
    """

    change_list_template = "kordless_booking/admin/list.html"
    list_per_page = 50
    # Counts beside each filter: for each of them, the whole table once more.
    show_facets = admin.ShowFacets.NEVER

    def legend(self) -> Sequence[Meaning]:
        """Return the meanings of the states, in the order in which they are shown."""
        raise NotImplementedError

    def admin_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the context that every page of the admin needs."""
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def get_list_display(self, request: HttpRequest) -> Any:
        # Not in `list_display` itself: the number of accounts isn't known when a module is imported.
        return [name for name in self.list_display if name != "account" or has_several_accounts()]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [each for each in self.list_filter if each is not AccountFilter or has_several_accounts()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list."""
        more = {
            "title": capfirst(self.opts.verbose_name_plural),
            "legend": self.legend(),
            "may_see_overview": has_app_permission(request, "view_overview"),
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})


class RowAdmin(ListAdmin):
    """Read-only ModelAdmin with a list, and a page for each row."""

    row_template = ""

    def row_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with all that their page needs."""
        rows: QuerySet[Any] = self.get_queryset(request)
        return rows

    def row_context(self, request: HttpRequest, row: Any, *, full: bool) -> dict[str, Any]:
        """Return the context of a row's page; with `full`, nothing is masked."""
        raise NotImplementedError

    @sensitive_variables()
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one row, with everything personal masked or left out."""
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        return self.row_page(request, self.find_row(request, object_id))

    def find_row(self, request: HttpRequest, number: str | int) -> Any:
        """Return the row with this primary key. Raises PermissionDenied and Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        # From `change_view` the id is whatever stands in the URL.
        row = self.row_queryset(request).filter(pk=parse_id(str(number))).first()
        if row is None:
            raise Http404
        return row

    @sensitive_variables()
    def row_page(self, request: HttpRequest, row: Any, *, full: bool = False) -> HttpResponse:
        """Return the page of a row; with `full`, nothing is masked."""
        context = self.admin_context(request) | {"original": row, "full": full}
        return render(request, self.row_template, context | self.row_context(request, row, full=full))


class MaskedRowAdmin(RowAdmin):
    """Read-only ModelAdmin with a page for each row. What is personal is masked there.

    Those who may see personal data can ask for it, which the admin's history records.
    """

    personal_view_record = ""
    """Text of the history's entry."""

    def row_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    @sensitive_variables()
    def personal_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show one row in full, and record the access in the admin's history.

        For POST alone, because it writes to the history: a prefetched link must not.
        """
        row = self.find_row(request, number)
        if not has_app_permission(request, "view_personal_data"):
            raise PermissionDenied
        self.log_change(request, row, self.personal_view_record)
        return self.row_page(request, row, full=True)

    @sensitive_variables()
    def row_page(self, request: HttpRequest, row: Any, *, full: bool = False) -> HttpResponse:
        response = super().row_page(request, row, full=full)
        response["Cache-Control"] = "no-store, private"
        return response


class KnownValuesFilter(admin.SimpleListFilter):
    """Filter by the values of a column that are known without the database.

    Django's own filter reads the whole table to find them. A value that isn't known can still be in the URL.
    """

    lookup = ""
    """Column, or a lookup of one, that the value is compared with; by default the one of the parameter's name."""

    def known_values(self) -> Mapping[str, str]:
        """Return the label of each value."""
        raise NotImplementedError

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        values, chosen = dict(self.known_values()), self.value()
        if chosen and chosen not in values:
            values[chosen] = chosen
        return list(values.items())

    def queryset(self, _request: HttpRequest, queryset: Any) -> Any:
        chosen, lookup = self.value(), self.lookup or str(self.parameter_name)
        # PostgreSQL raises for NUL in a text.
        return queryset if chosen is None else queryset.filter(**{lookup: chosen.replace("\0", "")})


class AccountFilter(KnownValuesFilter):
    """Filter by account: those of the settings."""

    parameter_name = "account"
    title = pgettext_lazy("label", "Account")

    def known_values(self) -> Mapping[str, str]:
        return {name: name for name in known_accounts()}


def has_app_permission(request: HttpRequest, permission: str) -> bool:
    """Return whether the member of staff has a permission of this app."""
    return request.user.has_perm(f"kordless_booking.{permission}")


def parse_id(text: str) -> int:
    """Return the primary key in a URL of the admin, where anything may stand; 0, which no row has, for what is none."""
    # 19 digits are the most of a BIGINT. Python refuses to read thousands of them, with a ValueError.
    return int(text) if text.isdecimal() and len(text) <= 19 else 0


def known_accounts() -> Mapping[str, conf.Account]:
    """Return all accounts by name, or none while the settings are unusable."""
    try:
        return conf.accounts()
    except ImproperlyConfigured:
        return {}


def has_several_accounts() -> bool:
    """Return whether pages must say which account something belongs to."""
    return len(known_accounts()) > 1
