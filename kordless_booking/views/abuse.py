"""Abuse protection of the contact form: honeypot, rate limit, the site's own spam check, and a minimum fill time.

Kordless accepts ten bookings per minute, so spam would keep everybody else waiting. There is no captcha; a site that
wants one names its own check in SPAM_CHECK.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.logs import log_event
from kordless_booking.upstream.permits import first_free_at, take_permit
from kordless_booking.upstream.requester import Requester

if TYPE_CHECKING:
    from django.http import HttpRequest

    from kordless_booking.booking.draft import Draft
    from kordless_booking.forms import ContactForm
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")


@dataclass(frozen=True)
class Rule:
    """Limit of `limit` uses in any `seconds`."""

    scope: str
    """Rules of different scopes are counted separately."""
    limit: int
    """0 means no limit."""
    seconds: int = 600


def rules(visit: WidgetRequest) -> dict[str, Rule]:
    """Return the rules of the account, by scope."""
    account = visit.account
    return {
        "book": Rule("book", account.bookings_per_address),
        "find": Rule("find", account.lookups_per_address),
        "change": Rule("change", account.changes_per_address),
        "number": Rule("number", account.lookups_per_number, 3600),
    }


def consume(visit: WidgetRequest, scope: str, identity: str | None = None) -> int:
    """Count one use. Return 0 when it is allowed, else the seconds until the next one is.

    `identity` is the client's address by default.
    """
    rule = rules(visit)[scope]
    if not rule.limit:
        return 0
    identity = identity or client_address(visit.request, visit.account.trusted_proxies)
    keys = [_key(visit.account.name, rule.scope, identity, number) for number in range(rule.limit)]
    cache, now = visit.access.cache, visit.now.timestamp()
    found, free_at = cache.get_many(keys), now + rule.seconds
    if take_permit(cache, keys, found, free_at=free_at, timeout=rule.seconds):
        return 0
    return min(max(1, ceil(first_free_at(keys, found, free_at) - now)), rule.seconds)


def client_address(request: HttpRequest, trusted_proxies: int) -> str:
    """Return the address that the outermost trusted proxy saw, or "unknown".

    An IPv6 address is reduced to its /64, which is a single household.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if trusted_proxies:
        # Entries further left were written by the client, who can put anything there.
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def requester_of(visit: WidgetRequest) -> Requester:
    """Return the requester of a page, by whose address its upstream requests are counted."""

    def identify() -> str | None:
        address = client_address(visit.request, visit.account.trusted_proxies)
        # A connection of this machine, or none: a proxy's that names no client. All its visitors would be one.
        if address in {"unknown", "::/64"} or address.startswith("127."):
            return None
        return salted_hmac("kordless_booking.requester", address, algorithm="sha256").hexdigest()[:32]

    return Requester(identify, visit.account.fetches_per_address)


def _key(account: str, scope: str, identity: str, number: int) -> str:
    digest = salted_hmac("kordless_booking.throttle", f"{account}\0{scope}\0{identity}", algorithm="sha256").hexdigest()
    return f"kb:throttle:{digest[:40]}:{number}"


HONEYPOT: Final = "kb_hp"
"""Name of a hidden field that neither people nor browsers fill in. Browsers and password managers go by words such as
"url", "email" or "name", in the name and in the label, and not by `autocomplete="off"`."""


class Rejection(str):
    """Reason why a form is rejected, as a text for the visitor."""

    seconds: int
    """Seconds after which to try again; 0 when waiting doesn't help."""

    def __new__(cls, text: str, seconds: int = 0) -> Rejection:
        rejection = super().__new__(cls, text)
        rejection.seconds = seconds
        return rejection


def reject_reason(visit: WidgetRequest, chosen: Draft, form: ContactForm) -> Rejection | None:
    """Return the reason to reject a valid form, or None.

    Sleeps until the form's minimum fill time has passed, if it was posted earlier.
    """
    if visit.request.POST.get(HONEYPOT):
        log_event(log, logging.INFO, "honeypot_filled")
        # The form that comes back has no such field: whose browser fills it in nevertheless must not be kept out.
        return Rejection(
            _(
                "A field that nobody sees was filled in, perhaps by your browser. Nothing has been booked yet. "
                "Please check your details and send the form again."
            )
        )
    if too_many := rate_limit(visit, "book"):
        return too_many
    check = visit.account.spam_check
    if check and not import_string(check)(visit.request, form):
        log_event(log, logging.INFO, "spam_check_failed")
        return Rejection(_("Please confirm that you are a person, and try again."))
    # Waits instead of rejecting: a script gains nothing by being quick, and a quick person gets no error. Last, so that
    # a rejected form occupies no worker.
    remaining = visit.account.minimum_fill_seconds - (visit.now.timestamp() - chosen.issued_at)
    # More than the whole time would be left if another server's clock, which made the draft, were ahead.
    if 0 < remaining <= visit.account.minimum_fill_seconds:
        time.sleep(remaining)
    return None


def rate_limit(visit: WidgetRequest, scope: str, identity: str | None = None) -> Rejection | None:
    """Count one use of `scope`. Return the reason to reject it, or None."""
    seconds = consume(visit, scope, identity)
    if not seconds:
        return None
    log_event(log, logging.WARNING, "throttled", scope=scope, seconds=seconds)
    minutes = -(-seconds // 60)
    text = ngettext(
        "That was a little too often. Please try again in %(minutes)s minute.",
        "That was a little too often. Please try again in %(minutes)s minutes.",
        minutes,
    )
    return Rejection(text % {"minutes": minutes}, seconds)
