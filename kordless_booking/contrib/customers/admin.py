"""Admin of customers: who comes again and who cancels late, masked, and a page for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.db.models import F, Q
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import get_language_info, gettext_lazy, pgettext, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.contrib.customers.details import CustomerDetails
from kordless_booking.contrib.customers.models import CANCELED, Customer, CustomerBooking
from kordless_booking.presentation.texts import mask_contact
from kordless_booking.staff.attempts import MAX_FOUND, person_hashes
from kordless_booking.staff.labels import service_names, source_label
from kordless_booking.staff.person_search import PersonSearchAdmin
from kordless_booking.staff.read_only import (
    NOTHING,
    AccountFilter,
    MaskedRowAdmin,
    has_app_permission,
    known_accounts,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

ABSENT_DAYS: Final = 90
"""Days without a visit after which somebody may be written to: a season."""
_HASHES: Final = ("identity_hash", "phone_hash")


class ConditionFilter(admin.SimpleListFilter):
    """Filter by one of a few conditions. A value that isn't known filters nothing."""

    labels: ClassVar[dict[str, Any]] = {}
    """Label of each value."""

    def condition(self, value: str) -> Q:
        """Return the condition of a value that has a label."""
        raise NotImplementedError

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.labels.items())

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        value = self.value()
        return queryset.filter(self.condition(value)) if value in self.labels else queryset


class VisitsFilter(ConditionFilter):
    """Filter by whether a customer has come again."""

    parameter_name = "visits"
    title = pgettext_lazy("label", "Visits")
    labels: ClassVar = {
        "new": pgettext_lazy("kind of customer", "New"),
        "returning": pgettext_lazy("kind of customer", "Returning"),
    }

    def condition(self, value: str) -> Q:
        returning = Q(booked__gt=F("canceled") + 1)
        return returning if value == "returning" else ~returning


class LatestFilter(ConditionFilter):
    """Filter by the time of the latest appointment."""

    parameter_name = "latest"
    title = pgettext_lazy("label", "Latest appointment")
    labels: ClassVar = {
        "recent": gettext_lazy("In the last 90 days, or ahead"),
        "absent": gettext_lazy("More than 90 days ago, or none"),
    }

    def condition(self, value: str) -> Q:
        recent = Q(last_visit_at__gte=datetime.now(UTC) - timedelta(days=ABSENT_DAYS))
        # Not `~recent`, for which null is neither.
        return recent if value == "recent" else Q(last_visit_at=None) | ~recent


class LateFilter(ConditionFilter):
    """Filter by cancellations within the notice period."""

    parameter_name = "late"
    title = pgettext_lazy("label", "Canceled late")
    labels: ClassVar = {
        "some": pgettext_lazy("number of cancellations", "At least once"),
        "none": pgettext_lazy("number of cancellations", "Never"),
    }

    def condition(self, value: str) -> Q:
        return Q(canceled_late__gt=0) if value == "some" else Q(canceled_late=0)


@sensitive_variables()
def find_customers(search_term: str) -> list[Customer]:
    """Return the customers with this email address or phone number, or with a booking of this confirmation number."""
    contacts, numbers = person_hashes(search_term)
    keys = set(CustomerBooking.objects.filter(number_hash__in=numbers).values_list("customer_id", flat=True))
    theirs = Q(identity_hash__in=contacts) | Q(phone_hash__in=contacts)
    rows = Customer.objects.defer(*_HASHES).filter(theirs | Q(pk__in=keys) if keys else theirs)
    return list(rows.order_by("-last_seen_at", "-pk")[:MAX_FOUND])


@admin.register(Customer)
class CustomerAdmin(PersonSearchAdmin, MaskedRowAdmin):
    """Read-only list of customers. Names and contacts are masked, and the hashes are never shown."""

    row_template = "kordless_customers/admin/customer.html"
    find_template = "kordless_customers/admin/find_customers.html"
    find_title = gettext_lazy("Find a customer")
    personal_view_record = "Looked at the personal data."
    list_display = (
        "masked_name",
        "masked_contact",
        "visits",
        "latest",
        "cancellations",
        "last_change",
        "account",
    )
    list_filter = (AccountFilter, VisitsFilter, LatestFilter, LateFilter)
    ordering = ("-last_seen_at", "-pk")
    # Only what has an index: any other order would sort the whole table for each page.
    sortable_by = ("last_change",)

    def legend(self) -> tuple[()]:
        return ()

    def get_urls(self) -> list[URLPattern]:
        # `admin_view` checks for staff alone. The view checks its own permissions.
        view = self.admin_site.admin_view(never_cache(require_POST(self.personal_view)))
        return [
            path("<int:number>/personal/", view, name="kordless_customers_customer_personal"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not loaded at all, so that no template, error page or debugger can show them.
        return super().get_queryset(request).defer(*_HASHES)

    def row_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().row_queryset(request).defer(*_HASHES)

    @admin.display(description=pgettext_lazy("label", "Customer"))
    def masked_name(self, row: Customer) -> str:
        """Return the initials; a dash where the name isn't known, or can't be decrypted anymore."""
        return format_html("<bdi>{}</bdi>", mask_name(_details(row).name))

    @admin.display(description=pgettext_lazy("label", "Contact"))
    def masked_contact(self, row: Customer) -> str:
        """Return the masked email address, else the masked phone number."""
        details = _details(row)
        return format_html("<bdi>{}</bdi>", mask_contact(details.email or details.phone) or NOTHING)

    @admin.display(description=pgettext_lazy("label", "Visits"))
    def visits(self, row: Customer) -> int:
        """Return how many bookings stand."""
        return row.visits

    @admin.display(description=pgettext_lazy("label", "Latest appointment"))
    def latest(self, row: Customer) -> str:
        """Return the day of the latest appointment: with the time, a row would have two lines."""
        return _day(row.last_visit_at)

    @admin.display(description=pgettext_lazy("label", "Canceled"))
    def cancellations(self, row: Customer) -> str:
        """Return how many bookings were canceled, and how many of them late; a dash for none."""
        if not row.canceled_late:
            return str(row.canceled or NOTHING)
        # Translators: a number of canceled bookings, and how many of them were canceled too late
        return _("%(canceled)s, %(late)s late") % {"canceled": row.canceled, "late": row.canceled_late}

    @admin.display(description=pgettext_lazy("label", "Last change"), ordering="last_seen_at")
    def last_change(self, row: Customer) -> str:
        """Return the day of the newest change."""
        return _day(row.last_seen_at)

    @sensitive_variables()
    def find_rows(self, search_term: str) -> Sequence[tuple[Customer, str, str]]:
        return [(row, self.masked_name(row), self.masked_contact(row)) for row in find_customers(search_term)]

    @sensitive_variables()
    def row_context(self, request: HttpRequest, row: Customer, *, full: bool) -> dict[str, Any]:
        details, services = _details(row), service_names(known_accounts().values())
        return {
            "title": pgettext("heading", "Customer"),
            "name": (details.name or NOTHING) if full else mask_name(details.name),
            "email": (details.email if full else mask_contact(details.email)) or NOTHING,
            "phone": (details.phone if full else mask_contact(details.phone)) or NOTHING,
            "language": _language_name(details.language) or NOTHING,
            "bookings": [
                (each, services.get(each.service, each.service), *_state(each), source_label(each.source))
                for each in row.bookings.order_by("-start", "-pk")[:MAX_FOUND]
            ],
            "may_see": details != CustomerDetails() and not full and has_app_permission(request, "view_personal_data"),
        }


def mask_name(name: str) -> str:
    """Return the initials of a name, and a dash for none."""
    return " ".join(f"{word[:1]}…" for word in name.split()[:4]) or NOTHING


def _day(moment: datetime | None) -> str:
    return date_format(localtime(moment)) if moment else NOTHING


def _state(booking: CustomerBooking) -> tuple[str, str]:
    """Return in words what became of a booking, and its tone."""
    if booking.status == CANCELED:
        late = booking.canceled_late
        return (pgettext("status", "Canceled late"), "fair") if late else (pgettext("status", "Canceled"), "idle")
    if booking.status == "pending":
        return pgettext("status", "To be confirmed"), "idle"
    return pgettext("status", "Booked"), "good"


def _language_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"]) if code else ""
    except KeyError:
        return code


def _details(row: Customer) -> CustomerDetails:
    """Return what is encrypted in a row; nothing when it can't be decrypted."""
    # On the row, because a list asks for it in several columns.
    values: dict[str, Any] = row.__dict__
    if "_details" not in values:
        try:
            values["_details"] = CustomerDetails.from_row(row)
        except InvalidToken:
            values["_details"] = CustomerDetails()
    details: CustomerDetails = values["_details"]
    return details
