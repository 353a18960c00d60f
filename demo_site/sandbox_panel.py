"""Control page of the embedded sandbox at /sandbox/: does what a salon's staff would do in Kordless.

It books by phone, cancels, moves and confirms bookings, and injects faults, to see how the widget reacts. It exists
only while the demo runs on the sandbox, and only for this machine or for staff, because it shows and cancels visitors'
bookings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods

from demo_site.local import demo_tool
from demo_site.navigation import navigation
from kordless_booking import conf
from kordless_booking.sandbox import SANDBOX_ORG, Sandbox
from kordless_booking.sandbox.model import Business
from kordless_booking.sandbox.response import ApiError
from kordless_booking.sandbox.webhook_sender import Endpoint
from kordless_booking.upstream.registry import embedded_sandbox, sandbox_path

AHEAD: Final = timedelta(days=21)
"""Time ahead within which free times are offered."""
MOST_TIMES: Final = 60
"""Free times on the page, at most."""
MOST_BOOKINGS: Final = 12
"""Bookings on the page, at most."""
TROUBLES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "slow": ("Kordless takes three seconds for everything", {"kind": "slow", "seconds": 3}),
    "down": ("Kordless is down", {"kind": "status", "status": 503}),
    "lost": ("The answer to the next booking is lost", {"kind": "reset", "operation": "create", "times": 1}),
    "taken": ("The next booking comes too late", {"kind": "status", "operation": "create", "times": 1, "status": 409}),
    "key": ("The API key is revoked", {"kind": "key_revoked"}),
    "contact": ("Kordless books only with both email and phone", {"kind": "contact_required"}),
    "number": (
        "The next confirmation number is unusual",
        {"kind": "unusual_numbers", "operation": "create", "times": 1},
    ),
    "status": ("The next booking comes without a status", {"kind": "no_status", "operation": "create", "times": 1}),
    "fraction": (
        "The next booking's times have a fraction of a second",
        {"kind": "fractional_times", "operation": "create", "times": 1},
    ),
    "limits": ("Kordless answers, and says that nothing is allowed", {"kind": "rate_limit_contradiction"}),
}
# As above, for the webhook sender of the sandbox.
POST_TROUBLES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "twice": ("Each webhook comes three times", {"duplicate": 2}),
    "order": ("Two webhooks wait, then come in the wrong order", {"reorder": 2}),
    "forged": ("The next webhook is tampered with on its way", {"tamper": "body", "times": 1}),
    "late": ("Webhooks come twenty seconds late", {"late": 20}),
}


@demo_tool
@require_http_methods(["GET", "HEAD", "POST"])
def sandbox_panel(request: HttpRequest) -> HttpResponse:
    """Render the page. A POST performs the action named in `do` and redirects back."""
    sandbox = _sandbox()
    if request.method != "POST":
        return render(request, "demo_site/counter.html", {**navigation(request), **_context(request, sandbox)})
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise Http404
    try:
        messages.success(request, act(sandbox, request))
    except (ValueError, LookupError) as error:
        messages.error(request, f"That didn’t work: {error}.")
    except ApiError as refusal:
        messages.error(request, f"That didn’t work: {refusal.detail}.")
    return HttpResponseRedirect(request.get_full_path())


def deliver_webhooks(url: str) -> None:
    """Make the embedded sandbox deliver webhooks to `url`, signed with the salon's first secret.

    Those of the second business go to its own endpoint on the same site. Raises Http404 where the demo has a real
    account. Does nothing without a secret.
    """
    salon, *others = conf.accounts().values()
    if not salon.webhook_secrets:
        return
    endpoints = [Endpoint(url, str(salon.webhook_secrets[0]), (salon.org_slug or SANDBOX_ORG) if others else None)]
    endpoints += [
        Endpoint(urljoin(url, reverse(f"{other.name}:webhook")), str(other.webhook_secrets[0]), other.org_slug)
        for other in others
    ]
    _sandbox().webhook_sender.endpoints = tuple(endpoints)


def _salon() -> conf.Account:
    """Return the account of the business at /book/."""
    return conf.get_account("kordless_booking")


def _sandbox() -> Sandbox:
    """Return the embedded sandbox. Raises Http404 if the demo has a real account."""
    account = _salon()
    if not account.sandbox:
        raise Http404
    sandbox: Sandbox = embedded_sandbox(sandbox_path(account))
    return sandbox


def _business(sandbox: Sandbox) -> Business:
    """Return the business that the widget books at."""
    slug = _salon().org_slug or SANDBOX_ORG
    return next(each for each in sandbox.businesses if each.slug == slug)


def _context(request: HttpRequest, sandbox: Sandbox) -> dict[str, Any]:
    business = _business(sandbox)
    services = [service for service in business.services if service.public]
    # None of a business without services.
    chosen = business.service(request.GET.get("service", "")) or next(iter(services), None)
    now = sandbox.clock.now()
    times = sandbox.free(chosen.slug, now, now + AHEAD, org_slug=business.slug)[:MOST_TIMES] if chosen else []
    coming = sorted((row for row in sandbox.bookings() if row["ends"] > now.timestamp()), key=lambda row: row["starts"])
    return {
        "services": services,
        "chosen": chosen,
        "times": [(time.isoformat(), _local(time, business.zone)) for time in times],
        "bookings": [_shown(row, sandbox) for row in coming[:MOST_BOOKINGS]],
        "more": max(0, len(coming) - MOST_BOOKINGS),
        "troubles": {name: title for name, (title, _) in TROUBLES.items()},
        "post_troubles": {name: title for name, (title, _) in POST_TROUBLES.items()},
        "in_force": [*(_said(rule) for rule in sandbox.faults.rules()), *_post_in_force(sandbox)],
        "endpoints": sandbox.webhook_sender.endpoints,
        "deliveries": sandbox.webhook_sender.deliveries()[:8],
        "zone": business.zone.key,
        "stage": _stage(chosen.slug if chosen else ""),
    }


def _stage(slug: str) -> str:
    """Return the URL of the widget at this service, or at all services if its slug can't be in a URL."""
    try:
        return reverse("kordless_booking:slots", args=[slug])
    except NoReverseMatch:
        return reverse("kordless_booking:services")


def _shown(row: Mapping[str, Any], sandbox: Sandbox) -> dict[str, Any]:
    business = next(each for each in sandbox.businesses if each.slug == row["org"])
    service = business.service(row["service"])
    return {
        "number": row["number"],
        "service": service.name if service else row["service"],
        "when": _local(datetime.fromtimestamp(row["starts"], UTC), business.zone),
        "name": row["name"],
        "status": row["status"],
        # Where staff read the answers to questions, and the guests.
        "notes": row["notes"] or "",
    }


def _local(time: datetime, zone: ZoneInfo) -> str:
    there = time.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b}, {there.hour % 12 or 12}:{there:%M %p}"


def _said(rule: Mapping[str, Any]) -> str:
    for title, trouble in TROUBLES.values():
        if trouble["kind"] == rule["kind"] and trouble.get("operation", "*") == rule["operation"]:
            return title
    return f"{rule['kind']} on {rule['operation']}"


def _post_in_force(sandbox: Sandbox) -> list[str]:
    rules = sandbox.webhook_sender.rules()
    return [title for title, trouble in POST_TROUBLES.values() if rules and rules.keys() <= trouble.keys()]


def _by_phone(sandbox: Sandbox, request: HttpRequest) -> str:
    start, business = datetime.fromisoformat(request.POST["start"]), _business(sandbox)
    number = sandbox.book_by_phone(request.POST["service"], start, org_slug=business.slug)
    return f"{number} is booked by phone."


def _cancel(sandbox: Sandbox, request: HttpRequest) -> str:
    sandbox.set_status(request.POST["number"], "canceled")
    return f"{request.POST['number']} is canceled."


def _confirm(sandbox: Sandbox, request: HttpRequest) -> str:
    sandbox.set_status(request.POST["number"], "confirmed")
    return f"{request.POST['number']} is confirmed."


def _move(sandbox: Sandbox, request: HttpRequest) -> str:
    """Move a booking to the next free slot of the same host. Raises LookupError if there is none."""
    row = {row["number"]: row for row in sandbox.bookings()}[request.POST["number"]]
    start = datetime.fromtimestamp(row["starts"], UTC)
    # A second later, so that the booking's own slot doesn't count.
    after = max(start, sandbox.clock.now()) + timedelta(seconds=1)
    free = sandbox.free(row["service"], after, after + AHEAD, row["host_id"], row["org"])
    if not free:
        raise LookupError("there is no later time")
    sandbox.move(row["number"], free[0])
    zone = next(each.zone for each in sandbox.businesses if each.slug == row["org"])
    return f"{row['number']} is rescheduled to {_local(free[0], zone)}."


def _break(sandbox: Sandbox, request: HttpRequest) -> str:
    title, trouble = TROUBLES[request.POST["trouble"]]
    sandbox.faults.add(**trouble)
    return f"{title}."


def _break_post(sandbox: Sandbox, request: HttpRequest) -> str:
    title, trouble = POST_TROUBLES[request.POST["trouble"]]
    sandbox.webhook_sender.set_faults(**trouble)
    return f"{title}."


def _behave(sandbox: Sandbox, request: HttpRequest) -> str:
    sandbox.faults.clear()
    sandbox.webhook_sender.set_faults()
    return "Everything works again."


def _webhooks(sandbox: Sandbox, request: HttpRequest) -> str:
    if sandbox.webhook_sender.endpoints:
        sandbox.webhook_sender.endpoints = ()
        return "No webhooks are delivered anymore."
    deliver_webhooks(request.build_absolute_uri(reverse("kordless_booking:webhook")))
    return "Webhooks are delivered to this site."


def _afresh(sandbox: Sandbox, request: HttpRequest) -> str:
    # The reset removes the endpoints too.
    endpoints = sandbox.webhook_sender.endpoints
    sandbox.reset()
    sandbox.webhook_sender.endpoints = endpoints
    return "All bookings are deleted."


# Value of the form field "do" to the function, which returns the message for the page.
_ACTS: Final[Mapping[str, Callable[[Sandbox, HttpRequest], str]]] = {
    "phone": _by_phone,
    "cancel": _cancel,
    "confirm": _confirm,
    "move": _move,
    "break": _break,
    "break_post": _break_post,
    "behave": _behave,
    "webhooks": _webhooks,
    "afresh": _afresh,
}
