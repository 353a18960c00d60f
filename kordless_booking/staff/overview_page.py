"""Overview page of the admin: what is well, and what needs attention."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kordless_booking import conf, hooks
from kordless_booking.forwarding import has_untrusted_proxy
from kordless_booking.funnel.counters import today
from kordless_booking.hook_calls import call_hook
from kordless_booking.models import BookingAttempt, OutgoingMail
from kordless_booking.presentation.formatting import month_name
from kordless_booking.staff.labels import format_age, mail_tone, rejection_label, text_language
from kordless_booking.staff.overview import AccountState, account_state
from kordless_booking.staff.read_only import ReadOnlyAdmin, known_accounts

if TYPE_CHECKING:
    from kordless_booking.upstream.catalog import CacheStatus
    from kordless_booking.upstream.circuit_breaker import CircuitState

OPEN_TOO_LONG: Final = timedelta(minutes=10)
"""An attempt that has been open for longer isn't waiting for its turn anymore."""
QUOTA_WARNING_SHARE: Final = 0.8
"""Share of the quota from which its use is mentioned."""


@dataclass(frozen=True)
class StatusCell:
    """Text with a color."""

    text: str
    tone: str
    """`good`, `fair`, `bad`, `idle` or `none`: a CSS class. What nobody has to look at isn't `fair`."""


class OverviewAdmin(ReadOnlyAdmin):
    """Admin whose list page is the overview."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(never_cache(require_safe(self.changelist_view)))
        return [path("", view, name="kordless_booking_overview_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now, accounts = datetime.now(UTC), list(known_accounts().values())
        states = [(account_state(account, now, today()), account) for account in accounts]
        context = {
            **self.admin_site.each_context(request),
            "title": pgettext("heading", "Overview"),
            "opts": self.opts,
            "several": len(states) > 1,
            "accounts": [
                {
                    "state": state,
                    "name": state.business or (state.name if len(states) > 1 else pgettext("label", "This site")),
                    "attention": [*attention(state, now), *_proxy_attention(request, account)],
                    "refusals": [(rejection_label(row.reason), row.today, row.week) for row in state.refusals],
                    "circuits": [(_circuit_name(circuit), _circuit(circuit)) for circuit in state.gate.circuits],
                    "offer": status_cell(state.offer),
                    "services": [
                        (row.name, status_cell(row.details), [status_cell(month) for month in row.months])
                        for row in state.services
                    ],
                    "months": [month_name(month, text_language()) for month in state.months],
                    "attempts": [
                        (
                            row.state,
                            BookingAttempt.State(row.state).label,
                            row.number,
                            format_age((now - row.oldest).total_seconds()),
                        )
                        for row in state.attempts
                    ],
                    "counts_visitors": account.funnel,
                    "mails": _mail_rows(state) if account.keeps_appointments else None,
                    "has_messages": bool(account.messenger),
                    "snippet": _snippet_url(account, alone=len(states) == 1),
                }
                for state, account in states
            ],
            "extension_pages": _extension_pages(request),
            "may_see_deliveries": request.user.has_perm("kordless_booking.view_webhookdelivery"),
            "may_see_attempts": request.user.has_perm("kordless_booking.view_bookingattempt"),
            # Of no use where no account has a box. Older proofs are in the admin's own list of models.
            "may_see_consent": request.user.has_perm("kordless_booking.view_consentproof")
            and any(account.consent for _state, account in states),
            "may_see_mails": request.user.has_perm("kordless_booking.view_outgoingmail"),
            "may_see_funnel": request.user.has_perm("kordless_booking.view_funnelcount"),
        }
        return render(request, "kordless_booking/admin/overview.html", context)


def _extension_pages(request: HttpRequest) -> list[tuple[str, str]]:
    """Return label and URL of the extensions' pages that this user may see."""
    found = [
        (str(page.label), call_hook(hooks.admin_pages, name, reverse, page.url_name)[1])
        for name, page in hooks.admin_pages.items()
        if not page.permission or request.user.has_perm(page.permission)
    ]
    return [(label, url) for label, url in found if url]


def attention(state: AccountState, now: datetime) -> list[str]:
    """Return what needs attention, the most urgent first."""
    texts = []
    if state.offer.state == "refused":
        texts.append(
            _("Kordless refuses the API key, so nothing can be booked. Check the key in Kordless and in the settings.")
        )
    if any(circuit.state != "closed" for circuit in state.gate.circuits):
        texts.append(
            _("Kordless isn’t working at the moment. Visitors see what was last fetched; it is retried automatically.")
        )
    if not state.cache_up:
        texts.append(_("The cache can’t be reached, so each process remembers and counts for itself."))
    usage = state.gate.usage
    if (
        usage.blocked_seconds
        or usage.requests >= QUOTA_WARNING_SHARE * usage.of_requests
        or usage.creations >= QUOTA_WARNING_SHARE * usage.of_creations
    ):
        texts.append(_("The allowance of the API key is nearly used up for this minute. Bookings wait for their turn."))
    managing = state.gate.contact_usage
    if managing.blocked_seconds or managing.requests >= QUOTA_WARNING_SHARE * managing.of_requests:
        texts.append(_("Customers can hardly look up or change bookings at the moment. New bookings are not affected."))
    if old := sum(row.number for row in state.attempts if now - row.oldest > OPEN_TOO_LONG):
        text = ngettext(
            "%(number)s booking has been open for a long time: the visitor left before Kordless said yes or no.",
            "Up to %(number)s bookings have been open for a long time: the visitors left before Kordless said yes "
            "or no.",
            old,
        )
        texts.append(text % {"number": old})
    if failed := state.mails.get(OutgoingMail.State.FAILED, 0):
        text = ngettext(
            "%(number)s mail was given up in the last 24 hours: the mail server didn’t accept it.",
            "%(number)s mails were given up in the last 24 hours: the mail server didn’t accept them.",
            failed,
        )
        texts.append(text % {"number": failed})
    if withheld := state.mails.get(OutgoingMail.State.WITHHELD, 0):
        text = ngettext(
            "%(number)s mail was withheld in the last 24 hours: its recipient had reached MAILS_PER_RECIPIENT.",
            "%(number)s mails were withheld in the last 24 hours: their recipients had reached MAILS_PER_RECIPIENT.",
            withheld,
        )
        texts.append(text % {"number": withheld})
    if failed := state.messages.get(OutgoingMail.State.FAILED, 0):
        text = ngettext(
            "%(number)s message to a phone was given up in the last 24 hours: it couldn’t be sent.",
            "%(number)s messages to phones were given up in the last 24 hours: they couldn’t be sent.",
            failed,
        )
        texts.append(text % {"number": failed})
    if withheld := state.messages.get(OutgoingMail.State.WITHHELD, 0):
        text = ngettext(
            "%(number)s message to a phone was withheld in the last 24 hours: its recipient had reached "
            "MAILS_PER_RECIPIENT.",
            "%(number)s messages to phones were withheld in the last 24 hours: their recipients had reached "
            "MAILS_PER_RECIPIENT.",
            withheld,
        )
        texts.append(text % {"number": withheld})
    if not state.webhook:
        # Not both: without a secret every delivery is rejected, and this text explains that.
        texts.append(_("No webhook is set up, so changes made in Kordless are seen only when times are fetched anew."))
    elif refused := sum(row.today for row in state.refusals):
        text = ngettext(
            "%(number)s delivery of the webhook was refused today; see the reasons below.",
            "%(number)s deliveries of the webhook were refused today; see the reasons below.",
            refused,
        )
        texts.append(text % {"number": refused})
    return texts


def _mail_rows(state: AccountState) -> list[tuple[str, str, str, int]]:
    """Return state, label, tone and number of the mails and messages that are counted, those that wait always."""
    states, counts = OutgoingMail.State, Counter(state.mails)
    counts.update(state.messages)
    shown = (states.QUEUED, states.FAILED, states.WITHHELD, states.OUTCOME_UNKNOWN)
    return [
        (each.value, str(each.label), mail_tone(each), counts[each])
        for each in shown
        if each is states.QUEUED or counts[each]
    ]


def _proxy_attention(request: HttpRequest, account: conf.Account) -> list[str]:
    """Return what needs attention about proxies: staff come through the same ones as visitors."""
    if not has_untrusted_proxy(request, account.trusted_proxies):
        return []
    return [
        _(
            "A proxy is in front of this site, but TRUSTED_PROXIES is 0. Visitors are told apart by addresses that may "
            "be forged. Set it to the number of proxies."
        )
    ]


def status_cell(status: CacheStatus) -> StatusCell:
    """Describe the age of a cached value, and whether that is as it should be."""
    age = format_age(status.age) if status.age is not None else ""
    match status.state:
        case "fresh":
            return StatusCell(age, "good")
        case "stale":
            return StatusCell(_("%(age)s, due") % {"age": age}, "idle")
        case "invalidated":
            return StatusCell(_("fetched anew next time"), "idle")
        case "degraded":
            return StatusCell(_("%(age)s, can’t be renewed") % {"age": age}, "bad")
        case "failed":
            return StatusCell(_("can’t be fetched"), "bad")
        case "refused":
            return StatusCell(pgettext("status", "key refused"), "bad")
    return StatusCell("\N{EN DASH}", "none")


def _circuit_name(circuit: CircuitState) -> str:
    return {
        "browse": pgettext("kind of request", "Browsing"),
        "booking": pgettext("kind of request", "Booking"),
        "contact": pgettext("kind of request", "Managing bookings"),
    }.get(circuit.name, circuit.name)


def _circuit(circuit: CircuitState) -> StatusCell:
    # Matches the states of `CircuitState`; "closed" is what remains at the end.
    if circuit.state == "open":
        return StatusCell(_("stopped, tried again in %(seconds)s s") % {"seconds": circuit.seconds}, "bad")
    if circuit.state == "half open":
        return StatusCell(_("the next request tries again"), "fair")
    if circuit.failures:
        text = ngettext("works, %(number)s failure", "works, %(number)s failures in a row", circuit.failures)
        return StatusCell(text % {"number": circuit.failures}, "fair")
    return StatusCell(pgettext("status", "works"), "good")


def _snippet_url(account: conf.Account, *, alone: bool) -> str:
    try:
        # A site with one account may use the default namespace.
        return reverse("kordless_booking:snippet") if alone else reverse(f"{account.name}:snippet")
    except NoReverseMatch:
        # The account is in the settings but not in the URLconf.
        return ""
