"""Abuse protection of the contact form: honeypot, rate limit, the site's own spam check, and a minimum fill time.

Kordless accepts ten bookings per minute, so spam would keep everybody else waiting. There is no captcha; a site that
wants one names its own check in SPAM_CHECK.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.booking.hashes import address_hash
from kordless_booking.logs import log_event
from kordless_booking.upstream.requester import Requester
from kordless_booking.views.client_address import SITE, UNKNOWN, Bucket, client_buckets
from kordless_booking.views.client_address import client_address as client_address  # noqa: PLC0414 (exported)
from kordless_booking.views.throttle import PermitKeys, take_use

if TYPE_CHECKING:
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
        "view": Rule("view", account.manage_views_per_address, 60),
        # The lookups before and after a change. Apart, so that whoever has looked often can still cancel.
        "view_change": Rule("view_change", account.manage_views_per_address, 60),
    }


def consume(visit: WidgetRequest, scope: str, identity: str | None = None) -> int:
    """Count one use. Return 0 when it is allowed, else the seconds until the next one is.

    `identity` is the client's address by default, which counts in wider buckets as well.
    """
    rule = rules(visit)[scope]
    if not rule.limit:
        return 0
    buckets = (Bucket(identity),) if identity else client_buckets(visit.request, visit.account.trusted_proxies)
    keys = [PermitKeys.build(f"{visit.account.name}\0{rule.scope}", bucket, rule.limit) for bucket in buckets]
    cache = visit.access.cache.throttle_view()
    return take_use(cache, keys, seconds=rule.seconds, now=visit.now.timestamp()).seconds


def queue_address(visit: WidgetRequest) -> str:
    """Return the hash of the client address over which the queue of creations is shared out.

    "" where nobody knows the address, or the site limits no address: then all are equal.
    """
    buckets = client_buckets(visit.request, visit.account.trusted_proxies)
    address = buckets[0].identity
    if address == UNKNOWN or not visit.account.bookings_per_address:
        return ""
    # Not all clients of an unnamed proxy, which may be a whole site's.
    networks = [bucket.identity for bucket in buckets[1:] if bucket.identity != SITE]
    return address_hash(address, networks[-1] if networks else "")


def requester_of(visit: WidgetRequest) -> Requester:
    """Return the requester of a page, by whose address its upstream requests are counted."""

    def buckets() -> tuple[Bucket, ...]:
        return client_buckets(visit.request, visit.account.trusted_proxies)

    def identify() -> str | None:
        address = buckets()[0].identity
        # A connection of this machine, or none: a proxy's that names no client. All its visitors would be one.
        return None if address in {UNKNOWN, "::/64"} or address.startswith("127.") else _requester_hash(address)

    def identify_network() -> str | None:
        # The widest: an IPv6 /48, or all clients of a proxy whose header nobody vouches for.
        widest = buckets()[-1]
        return None if widest.factor == 1 else _requester_hash(widest.identity)

    return Requester(identify, visit.account.fetches_per_address, identify_network)


def _requester_hash(identity: str) -> str:
    return salted_hmac("kordless_booking.requester", identity, algorithm="sha256").hexdigest()[:32]


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


def reject_reason(visit: WidgetRequest, form: ContactForm) -> Rejection | None:
    """Return the reason to reject a valid form, or None."""
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
        return Rejection(_("Please confirm that you’re human, and try again."))
    return None


def hold_until(visit: WidgetRequest, chosen: Draft) -> datetime | None:
    """Return when the form's minimum fill time ends, if it was posted earlier; else None.

    Held instead of rejected: a script gains nothing by being quick, and a quick person gets no error. Nothing sleeps,
    because a script that posts forms early would then occupy every worker.
    """
    minimum = visit.account.minimum_fill_seconds
    remaining = minimum - (visit.now.timestamp() - chosen.issued_at)
    # More than the whole time would be left if another server's clock, which made the draft, were ahead.
    return datetime.fromtimestamp(chosen.issued_at + minimum, UTC) if 0 < remaining <= minimum else None


def rate_limit(visit: WidgetRequest, scope: str, identity: str | None = None) -> Rejection | None:
    """Count one use of `scope`. Return the reason to reject it, or None."""
    seconds = consume(visit, scope, identity)
    return too_often(scope, seconds) if seconds else None


def too_often(scope: str, seconds: int) -> Rejection:
    """Log and return the reason to reject a use of `scope` that is allowed again in `seconds`."""
    log_event(log, logging.WARNING, "throttled", scope=scope, seconds=seconds)
    minutes = -(-seconds // 60)
    text = ngettext(
        "Too many attempts. Please try again in %(minutes)s minute.",
        "Too many attempts. Please try again in %(minutes)s minutes.",
        minutes,
    )
    return Rejection(text % {"minutes": minutes}, seconds)
