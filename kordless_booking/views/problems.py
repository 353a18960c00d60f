"""Error pages of the widget: `call_view` maps every exception to a problem page.

Each page has the right HTTP status, a plain text, and a link that leads on. Each problem is logged once, with the
request id and nothing personal.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import BadRequest as UnreadableRequest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.encoding import escape_uri_path
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kordless_booking import exceptions
from kordless_booking.booking.draft import MAX_TOKEN
from kordless_booking.booking.steps import Step
from kordless_booking.logs import error_location, log_event
from kordless_booking.presentation.safe_links import phone_link
from kordless_booking.questions.question import MOST_ANSWERS, largest_answers
from kordless_booking.upstream.rate_limiter import ADDRESS_LIMIT
from kordless_booking.upstream.registry import services_for
from kordless_booking.views import security
from kordless_booking.views.page import build_page
from kordless_booking.views.questions import configured_questions
from kordless_booking.views.rendering import render
from kordless_booking.views.request import FORM_INPUT_FIELD, WidgetRequest
from kordless_booking.views.retry_after import RETRY_SECONDS, set_retry_after

if TYPE_CHECKING:
    from kordless_booking.exceptions import KordlessError
    from kordless_booking.views.summary import TermsSummary

log = logging.getLogger("kordless_booking.views")


def log_problem(
    visit: WidgetRequest, event: str, *, level: int, status: int, error: KordlessError | None = None
) -> None:
    """Log `event=… status=… account=… req=…`, with operation, reason and upstream status where Kordless caused it.

    The first of each event in a minute is logged at `level`, the others as INFO. Nothing personal is ever logged.
    """
    fields: dict[str, object] = {"status": status, "account": visit.account.name, "req": visit.id}
    if error is not None:
        fields |= {"operation": error.operation, "reason": error.reason, "upstream": error.status or "-"}
    log_event(log, services_for(visit.account).log_throttle.level_for(event, level), event, **fields)


MAX_RELOAD_SECONDS: Final = 30
"""Longest interval, in seconds, at which a busy page loads itself again. It keeps its place on the waiting list by
that."""
JITTER_SECONDS: Final = 3
"""Seconds, at most, by which it does so later: else all who wait for one permit would come in the same second."""
ESTIMATE_IN_MINUTES_FROM_SECONDS: Final = 90
"""Seconds from which the wait is told in minutes."""
LARGEST_FORM: Final = 64 * 1024
"""Bytes of a posted form, without answers to questions. Ours have a few texts of known length, and a token."""


@dataclass(eq=False)
class Problem(Exception):
    """Problem page, as an exception that a view raises."""

    event: str
    """Log event."""
    status: int
    """HTTP status."""
    headline: str
    text: str
    next_action: str = "services"
    """Main link: "services", "manage-find", or "again" for the same URL (of a GET)."""
    retry_after: int | None = None
    """Seconds for Retry-After."""
    tells_wait: bool = False
    """True where `text` says when to try again, so that no second line does."""
    level: int = logging.INFO
    carry_form: dict[str, Any] | None = None
    """Form with hidden fields that leads on, as the template wants it."""
    main_link: tuple[str, str] | None = None
    """URL and label of the main link, in place of `next_action`'s."""
    secondary_link: tuple[str, str] | None = None
    """URL and label of the link beside `main_link`, in place of the list of services."""
    step: Step | None = None
    """Current step, for the progress line."""
    summary: TermsSummary | None = None
    """Context of parts/summary.html: the time that the problem is about."""
    form_input: Mapping[str, str] | None = field(default=None, repr=False)
    """Form input that goes along with the links; None for that of the request."""
    error: exceptions.KordlessError | None = None
    """Cause, for the log."""
    reload_text: str = ""
    """Text in place of `text` where the page loads itself again after `retry_after`; "" for a page that doesn't."""
    again_url: str | None = None
    """URL to load again; None for that of the request, which in a page of the site's around the widget is the site's.
    """


def call_view(
    visit: WidgetRequest,
    methods: tuple[str, ...],
    any_origin: bool,
    view: Callable[..., HttpResponse],
    *args: Any,
    **kwargs: Any,
) -> HttpResponse:
    """Call the view. Return its response, or the page for the method, the size, the origin or the error.

    With `any_origin`, a POST may come from any page.
    """
    method = visit.request.method or "GET"
    try:
        # HEAD is answered like GET; Django drops the body.
        if ("GET" if method == "HEAD" else method) not in methods:
            return _not_allowed(visit, methods)
        # Before the body is read. Django's own DATA_UPLOAD_MAX_MEMORY_SIZE is a setting of the whole site.
        if method == "POST" and _is_too_large(visit, kwargs.get("service")):
            return problem_page(visit, unreadable(413))
        if not visit.is_readable:
            return problem_page(visit, unreadable(400))
        if method == "POST" and not any_origin and not security.is_same_origin(visit.request):
            return problem_page(visit, cross_origin_post(visit))
        return view(visit, *args, **kwargs)
    except Problem as problem:
        return problem_page(visit, problem)
    except exceptions.KordlessError as error:
        return problem_page(visit, from_api_error(error))
    except Http404:
        return problem_page(visit, not_found())
    except DatabaseError:
        return problem_page(visit, unavailable("database_failed"))
    except RequestDataTooBig:
        return problem_page(visit, unreadable(413))
    except (SuspiciousOperation, UnreadableRequest, MultiPartParserError, UnicodeError):
        return problem_page(visit, unreadable(400))


def _is_too_large(visit: WidgetRequest, service: str | None) -> bool:
    """Return True for a form that is longer than any that the service asks for: 300 KiB with the most questions."""
    excess = _content_length(visit.request) - LARGEST_FORM
    if excess <= 0 or service is None:
        return excess > 0
    # A function of the site's isn't called for a request that may be anybody's, and of any service.
    if callable(visit.account.questions):
        return excess > MOST_ANSWERS
    return excess > largest_answers(configured_questions(visit.account, service))


def _content_length(request: HttpRequest) -> int:
    """Return the length of the body in bytes, as Django reads the header: 0 where it isn't a number."""
    with suppress(ValueError):
        return int(request.META.get("CONTENT_LENGTH") or 0)
    return 0


def from_api_error(error: exceptions.KordlessError) -> Problem:
    """Return the problem for an error of the Kordless client, for a page that has changed nothing."""
    return replace(_kind_of(error), error=error)


def _kind_of(error: exceptions.KordlessError) -> Problem:
    match error:
        case exceptions.KeyRefused():
            return Problem(
                "api_key_rejected",
                503,
                _("Online booking is paused"),
                _("We can’t take bookings online at the moment. Please contact us directly, or try again later."),
                level=logging.CRITICAL,
            )
        case exceptions.NotFound(operation="organization"):
            return Problem(
                "org_not_found",
                404,
                _("This booking page isn’t available"),
                _("There is no longer a booking page at this address."),
                level=logging.ERROR,
            )
        case exceptions.NotFound(operation="service" | "availability" | "create"):
            return Problem(
                "service_not_found",
                404,
                _("This service isn’t available"),
                _("It may have been renamed or removed. Please choose another one."),
            )
        case exceptions.NotFound() | exceptions.ContactRefused():
            return no_booking()
        case exceptions.TooMany():
            seconds, is_own = error.retry_after or RETRY_SECONDS, error.reason == ADDRESS_LIMIT
            return Problem(
                "rate_limited",
                503,
                _("Too many attempts") if is_own else _("Very busy right now"),
                _("Many people are booking at the moment. Please try again in a little while."),
                next_action="again",
                retry_after=seconds,
                level=logging.WARNING,
                reload_text=_reload_text(seconds, is_own=is_own),
            )
        case exceptions.BadRequest() | exceptions.Refused() | exceptions.SlotTaken():
            return Problem(
                "request_rejected",
                422,
                _("That didn’t work"),
                _("The booking system didn’t accept your request. Please go back and choose again."),
                level=logging.WARNING,
            )
    return unavailable(f"upstream_{error.reason or 'unavailable'}", error.retry_after)


def _reload_text(seconds: int, *, is_own: bool) -> str:
    """Return what a page that loads itself again says. `is_own`: this visitor's own address is over its limit."""
    if is_own:
        # Translators: the page asks again after that time, and then most often shows what was wanted.
        text = ngettext(
            "Many pages were opened from your connection within a minute. You don’t need to do anything: this page "
            "goes on by itself in about %(seconds)s second.",
            "Many pages were opened from your connection within a minute. You don’t need to do anything: this page "
            "goes on by itself in about %(seconds)s seconds.",
            seconds,
        )
        return text % {"seconds": seconds}
    if seconds >= ESTIMATE_IN_MINUTES_FROM_SECONDS:
        minutes = ceil(seconds / 60)
        # Translators: the page asks again after that time, and then most often shows what was wanted.
        text = ngettext(
            "Many people are booking at the moment. You don’t need to do anything: this page goes on by itself in "
            "about %(minutes)s minute.",
            "Many people are booking at the moment. You don’t need to do anything: this page goes on by itself in "
            "about %(minutes)s minutes.",
            minutes,
        )
        return text % {"minutes": minutes}
    # Translators: the page asks again after that time, and then most often shows what was wanted.
    text = ngettext(
        "Many people are booking at the moment. You don’t need to do anything: this page goes on by itself in about "
        "%(seconds)s second.",
        "Many people are booking at the moment. You don’t need to do anything: this page goes on by itself in about "
        "%(seconds)s seconds.",
        seconds,
    )
    return text % {"seconds": seconds}


def throttled(text: str, seconds: int, *, main_link: tuple[str, str]) -> Problem:
    """Build the 429 for a limit that lets the visitor on again in `seconds`. `text` says so in minutes."""
    is_short = seconds < ESTIMATE_IN_MINUTES_FROM_SECONDS
    return Problem(
        "throttled",
        429,
        _("Too many attempts"),
        # The page has a line of its own for seconds.
        "" if is_short else text,
        main_link=main_link,
        retry_after=seconds,
        tells_wait=not is_short,
    )


def unavailable(event: str, retry_after: int | None = None) -> Problem:
    """Build the 503 for an outage of Kordless or of our database."""
    return Problem(
        event,
        503,
        pgettext("heading", "Temporarily unavailable"),
        _("We can’t reach the booking system right now. Nothing has been booked or changed. Please try again soon."),
        next_action="again",
        retry_after=retry_after or RETRY_SECONDS,
        level=logging.ERROR,
    )


def not_found() -> Problem:
    return Problem(
        "page_not_found",
        404,
        pgettext("heading", "Page not found"),
        _("There is nothing at this address. Please check it for typos."),
    )


def no_booking() -> Problem:
    """Build the 404 for a booking that Kordless doesn't have, or whose contact it doesn't accept."""
    return Problem(
        "booking_not_found",
        404,
        _("Booking not found"),
        _("We can’t find this booking anymore. Please look it up with its confirmation number."),
        next_action="manage-find",
    )


def broken_link() -> Problem:
    """Build the 404 for a token that is invalid or expired."""
    return Problem(
        "link_rejected",
        404,
        _("This link doesn’t work"),
        _("It may be incomplete or too old. You can look up your booking with its confirmation number."),
        next_action="manage-find",
    )


def unreadable(status: int) -> Problem:
    """Build the problem for a malformed (400) or too large (413) request."""
    return Problem(
        "request_unreadable",
        status,
        _("We couldn’t read your request"),
        _("Something in the request was damaged or too large. Please go back and try again."),
    )


def cross_origin_post(visit: WidgetRequest) -> Problem:
    """Build the problem for a cross-origin POST. Its page opens the same URL in a new tab.

    A visitor can cause this: in a sandboxed frame, the browser sends no origin of ours. So draft and form input of the
    contact form are carried along: the first signed, in the URL, and the second encrypted, in the body of a POST that
    only renders.
    """
    request, match = visit.request, visit.request.resolver_match
    hidden = {name: text[:MAX_TOKEN] for name, text in request.GET.items() if name != "embed"}
    # Encoded, as in a link of ours: the path is a visitor's, and "?" or two slashes in it would lead elsewhere.
    method, action = "get", escape_leading_slashes(escape_uri_path(request.path))
    if match and (match.url_name or "").startswith("contact"):
        hidden["draft"] = request.POST.get("draft", "")[:MAX_TOKEN]
        if visit.form_input:
            method, action = "post", f"{action}?{urlencode({name: text for name, text in hidden.items() if text})}"
            hidden = {FORM_INPUT_FIELD: visit.form_input_token}
    return Problem(
        "cross_origin_post_rejected",
        403,
        _("Please continue on our booking page"),
        _("Your browser couldn’t confirm that this came from our form. Open the booking page in a new tab to go on."),
        level=logging.WARNING,
        carry_form={
            "method": method,
            "action": action,
            "hidden": [(name, text) for name, text in hidden.items() if text],
            "label": _("Continue in a new tab"),
            "new_tab": True,
        },
    )


def problem_page(visit: WidgetRequest, problem: Problem) -> HttpResponse:
    """Log a problem, and return its page."""
    log_problem(visit, problem.event, level=problem.level, status=problem.status, error=problem.error)
    return _page(visit, problem)


def _form_input_token(visit: WidgetRequest, problem: Problem) -> str:
    """Return the encrypted form input that goes along with the links of the problem's page, or ""."""
    if problem.form_input is not None:
        return visit.with_form_input(problem.form_input).form_input_token
    match = visit.request.resolver_match
    # Other forms may have a field of the same name, and their visitors go on elsewhere.
    if match is None or (match.url_name or "").removesuffix("-named") not in {"services", "slots", "zone", "contact"}:
        return ""
    # The form may be what is wrong with the request, and then there is nothing to carry.
    with suppress(Exception):
        return visit.form_input_token
    return ""


def _reload(visit: WidgetRequest, problem: Problem, actions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the context of parts/reload.html, for a page that loads itself again; None for any other."""
    again = next((action for action in actions if action.get("again")), None)
    if not problem.reload_text or again is None or not problem.retry_after:
        return None
    # At the latest after as long as any waiting page, because the order may have changed. Not all in one second.
    seconds = min(problem.retry_after, MAX_RELOAD_SECONDS) + random.randint(1, JITTER_SECONDS)  # noqa: S311
    # The others need JavaScript, and so promise nothing: a form isn't sent again by itself, and the page around the
    # widget is the site's.
    by_itself = visit.fragment or (visit.request.method in {"GET", "HEAD"} and not visit.embedded)
    return {"url": again["url"], "seconds": seconds, "by_itself": by_itself, "text": problem.reload_text}


def _page(visit: WidgetRequest, problem: Problem) -> HttpResponse:
    token = _form_input_token(visit, problem)
    actions = _actions(visit, problem, token)
    reload = _reload(visit, problem, actions)
    retry_after = problem.retry_after
    if reload and retry_after:
        retry_after = min(retry_after, MAX_RELOAD_SECONDS)
    by_itself = reload is not None and reload["by_itself"]
    context = {
        "headline": problem.headline,
        "text": "" if by_itself else problem.text,
        "reload": reload,
        "actions": actions,
        "support": support_contacts(visit),
        "reference": visit.id,
        "retry_after": None if by_itself or problem.tells_wait else retry_after,
        "carry": problem.carry_form,
        "summary": problem.summary,
    }
    response = render(
        visit,
        "kordless_booking/problems/problem.html",
        build_page(
            visit,
            problem.headline,
            step=problem.step,
            form_input_token=token,
            refresh=reload["seconds"] if reload and by_itself else None,
        ),
        context,
        problem.status,
        no_store=True,
    )
    return set_retry_after(response, retry_after) if retry_after else response


def server_error(visit: WidgetRequest, error: Exception) -> HttpResponse:
    """Return the page for an unexpected exception: a bug of ours, or of the site's template or function.

    Replaces Django's handling, which would log the path (with the token of a manage link) and the error's message
    (which may contain form input).
    """
    # The developer wants to see Django's error page.
    if settings.DEBUG:
        raise error
    # As Django does, so that error trackers get the exception.
    got_request_exception.send(sender=None, request=visit.request)
    log_event(
        log, logging.ERROR, "unhandled_exception", status=500, account=visit.account.name, **error_location(error)
    )
    problem = Problem(
        "unhandled_exception",
        500,
        _("Something went wrong"),
        _("That was our mistake. If you were booking, please look for your booking before you try again."),
        next_action="manage-find",
    )
    try:
        return _page(visit, problem)
    except Exception:  # noqa: BLE001 (a template that every page is made of may be what is broken)
        return HttpResponse(f"{problem.headline}. {problem.text}", status=500, content_type="text/plain; charset=utf-8")


def not_configured(request: HttpRequest) -> HttpResponse:
    """Return a 503 in plain text: without usable settings there is no account, whose page this could be."""
    response = HttpResponse(_("Online booking isn’t set up yet."), status=503, content_type="text/plain; charset=utf-8")
    # We have logged it. Django's line would contain the path, and with it the token of a manage link.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _actions(visit: WidgetRequest, problem: Problem, token: str) -> list[dict[str, Any]]:
    """Return the links of a problem page, the main one first. `plain` ones are links even with form input (`token`)."""
    match = visit.request.resolver_match
    is_services = match is not None and match.url_name == "services" and not visit.embedded
    services: dict[str, Any] = {
        "url": visit.links.url("services"),
        # No link of another name leads to the page that it stands on.
        "label": pgettext("button", "Try again") if is_services else _("See all services"),
        "primary": problem.next_action == "services" and problem.main_link is None,
    }
    if problem.main_link is not None:
        beside = (
            {"url": problem.secondary_link[0], "label": problem.secondary_link[1], "plain": True}
            if problem.secondary_link
            else services
        )
        return [{"url": problem.main_link[0], "label": problem.main_link[1], "primary": True}, beside]
    match problem.next_action:
        # The URL of a POST can't be opened by a link. With form input, those that only render can be posted again.
        case "again" if visit.request.method in {"GET", "HEAD"} or (token and not _is_booking(visit.request)):
            plain = visit.request.method != "POST"
            # Two slashes at its start would lead to another site.
            url = problem.again_url or escape_leading_slashes(visit.request.get_full_path())
            return [
                {"url": url, "label": pgettext("button", "Try again"), "primary": True, "plain": plain, "again": True}
            ]
        case "manage-find":
            return [
                {"url": visit.links.url("manage-find"), "label": _("Find a booking"), "primary": True, "plain": True},
                services,
            ]
    return [services]


def _is_booking(request: HttpRequest) -> bool:
    """Return True for a contact form that was sent. The free times, which its Back button posts it to, only render."""
    name = request.resolver_match.url_name if request.resolver_match else None
    return "draft" in request.POST and (name or "").removesuffix("-named") not in {"slots", "services", "zone"}


def support_contacts(visit: WidgetRequest) -> dict[str, str] | None:
    """Return the context of parts/support.html: the business's phone and email, or None when it has set neither."""
    phone, email = visit.account.support_phone, visit.account.support_email
    if not phone and not email:
        return None
    return {"phone": phone, "phone_url": phone_link(phone) or "", "email": email}


def _not_allowed(visit: WidgetRequest, methods: tuple[str, ...]) -> HttpResponse:
    # OPTIONS comes here as well, because no view lists it.
    allowed = ", ".join(dict.fromkeys((*methods, "HEAD", "OPTIONS")))
    if visit.request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": allowed})
    response = problem_page(
        visit,
        Problem(
            "method_not_allowed",
            405,
            _("That can’t be done here"),
            _("Please go back and use the form or the link."),
        ),
    )
    response["Allow"] = allowed
    return response
