"""Admin of outgoing mails: what was sent, what waits, what was given up or withheld, and sending that once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.mail.outbox import can_requeue, requeue
from kordless_booking.models import OutgoingMail
from kordless_booking.presentation.texts import mask_contact
from kordless_booking.staff.labels import mail_legend, mail_meaning, mail_tone
from kordless_booking.staff.read_only import (
    NOTHING,
    AccountFilter,
    MaskedRowAdmin,
    Meaning,
    has_app_permission,
    known_accounts,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.safestring import SafeString


class MailAccountFilter(AccountFilter):
    """Filter by the account of the mail's appointment."""

    lookup = "appointment__account"


class MailAdmin(MaskedRowAdmin):
    """Read-only list of mails, whose addresses are masked. A mail has no text: it is built when it is sent."""

    row_template = "kordless_booking/admin/mail.html"
    personal_view_record = "Looked at the address."
    list_display = ("queued_at", "mail_state", "kind", "channel", "recipient", "service", "start", "account")
    list_filter = (MailAccountFilter, "state", "kind", "channel", "queued_at")
    ordering = ("-queued_at", "-pk")
    # Only what has an index: any other order would sort the whole table for each page.
    sortable_by = ("queued_at",)
    list_select_related = ("appointment",)

    def legend(self) -> Sequence[Meaning]:
        return mail_legend(has_messages=_has_messages())

    def get_list_display(self, request: HttpRequest) -> Any:
        return [name for name in super().get_list_display(request) if name != "channel" or _has_channels()]

    def get_list_filter(self, request: HttpRequest) -> Any:
        shown = [each for each in super().get_list_filter(request) if each != "channel" or _has_channels()]
        return [each for each in shown if each is not MailAccountFilter or "account" in self.get_list_display(request)]

    def get_urls(self) -> list[URLPattern]:
        # `admin_view` checks for staff alone. Each view checks its own permissions.
        def guarded(view: Any) -> Any:
            return self.admin_site.admin_view(never_cache(require_POST(view)))

        name = "kordless_booking_outgoingmail"
        return [
            path("<int:number>/address/", guarded(self.personal_view), name=f"{name}_address"),
            path("<int:number>/resend/", guarded(self.resend_view), name=f"{name}_resend"),
            *super().get_urls(),
        ]

    @admin.display(description=pgettext_lazy("label", "Recipient"))
    def recipient(self, row: OutgoingMail) -> str:
        """Return the masked address or phone number; a dash where it can't be decrypted anymore."""
        # Staff's addresses are the site's own settings, and nobody's secret.
        return _staff_addresses(row) or mask_contact(_address(row)) or NOTHING

    @admin.display(description=pgettext_lazy("label", "Service"))
    def service(self, row: OutgoingMail) -> str:
        """Return the name of the service; a dash where it isn't known."""
        data = _data(row)
        return (data.booking.service_name if data else "") or NOTHING

    @admin.display(description=pgettext_lazy("label", "Appointment"))
    def start(self, row: OutgoingMail) -> datetime:
        """Return the start of the appointment."""
        return row.appointment.start

    @admin.display(description=pgettext_lazy("label", "Account"))
    def account(self, row: OutgoingMail) -> str:
        """Return the account of the appointment."""
        return row.appointment.account

    @admin.display(description=pgettext_lazy("label", "State"))
    def mail_state(self, row: OutgoingMail) -> SafeString:
        """Return the state in words, with a color."""
        return format_html('<span class="kb-tone kb-{}">{}</span>', mail_tone(row.state), row.get_state_display())

    def resend_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Queue a mail once more that was certainly not sent."""
        row: OutgoingMail = self.find_row(request, number)
        if not has_app_permission(request, "resend_outgoingmail"):
            raise PermissionDenied
        if requeue(row, datetime.now(UTC)):
            self.log_change(request, row, "Queued once more.")
            messages.success(
                request,
                _("The message is queued, and is sent within a minute.")
                if _is_message(row)
                else _("The mail is queued, and is sent within a minute."),
            )
        else:
            messages.error(
                request,
                _("The message can’t be sent anymore. Its state has changed, or the booking has.")
                if _is_message(row)
                else _("The mail can’t be sent anymore. Its state has changed, or the booking has."),
            )
        return HttpResponseRedirect(
            reverse(f"{self.admin_site.name}:kordless_booking_outgoingmail_change", args=[row.pk])
        )

    def row_queryset(self, request: HttpRequest) -> QuerySet[OutgoingMail]:
        return OutgoingMail.objects.select_related("appointment")

    @sensitive_variables()
    def row_context(self, request: HttpRequest, row: OutgoingMail, *, full: bool) -> dict[str, Any]:
        address = _address(row)
        tone, label = mail_tone(row.state), str(row.get_state_display())
        return {
            "title": row.get_kind_display(),
            "state": Meaning(label, tone, mail_meaning(row.state, row.channel)),
            "is_message": _is_message(row),
            "says_channel": row.channel != OutgoingMail.Channel.EMAIL,
            "recipient": _staff_addresses(row) or (address if full else mask_contact(address)) or NOTHING,
            "service": self.service(row),
            "may_see": bool(address) and not full and has_app_permission(request, "view_personal_data"),
            "can_resend": can_requeue(row, datetime.now(UTC)) and has_app_permission(request, "resend_outgoingmail"),
        }


def _address(row: OutgoingMail) -> str:
    data = _data(row)
    if data is None or row.channel == OutgoingMail.Channel.STAFF:
        return ""
    return data.contact.phone or "" if _is_message(row) else data.email


def _staff_addresses(row: OutgoingMail) -> str:
    """Return the addresses that a mail to staff goes to, as the settings have them now; "" for any other mail."""
    account = known_accounts().get(row.appointment.account)
    if account is None or row.channel != OutgoingMail.Channel.STAFF:
        return ""
    return ", ".join(account.staff_email)


def _is_message(row: OutgoingMail) -> bool:
    """Return True for a message to a phone."""
    return row.channel == OutgoingMail.Channel.PHONE


def _has_channels() -> bool:
    """Return True if pages must say which channel something was sent by: there is more than mail to customers."""
    return any(account.messenger or account.staff_email for account in known_accounts().values())


def _has_messages() -> bool:
    """Return True if an account of the settings has messages to phones."""
    return any(account.messenger for account in known_accounts().values())


def _data(row: OutgoingMail) -> AppointmentData | None:
    """Return what the mail's appointment holds; None when it can't be decrypted."""
    # On the row, because a list asks for it in several columns.
    values: dict[str, Any] = row.__dict__
    if "_appointment_data" not in values:
        try:
            values["_appointment_data"] = AppointmentData.from_row(row.appointment)
        except InvalidToken:
            values["_appointment_data"] = None
    data: AppointmentData | None = values["_appointment_data"]
    return data
