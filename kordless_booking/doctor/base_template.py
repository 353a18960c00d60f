"""Check of BASE_TEMPLATE: the site's template can be rendered around a page. The report repeats no data of the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.template import TemplateSyntaxError
from django.template.base import Node, Template
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix

from kordless_booking.checks import check_base_template
from kordless_booking.doctor.finding import Findings, fix, note, ok, printable
from kordless_booking.doctor.middleware_chain import call_in_place
from kordless_booking.logs import error_location
from kordless_booking.urlconf import namespaces_of
from kordless_booking.views.base_template import MissingBlock, render_sample

if TYPE_CHECKING:
    from types import TracebackType

    from kordless_booking.conf import Account


def examine(account: Account) -> Findings:
    """Render BASE_TEMPLATE once, as for a visitor who isn't logged in. Finds nothing for an account without it.

    A template that isn't found, or has no block for the widget, is an error of the settings, which is reported there.
    """
    names = namespaces_of(account)
    is_reported = any(
        f"the account {account.name!r}," in each.msg and each.is_serious() for each in check_base_template()
    )
    if not account.base_template or is_reported or not names:
        return
    path = _find_path(names[0])
    if path is None:
        return  # mounted at a path with parameters, which the check of URLs reports
    outcomes: list[Exception | None] = []

    def show(request: HttpRequest) -> HttpResponse:
        outcomes.append(_render(request, account))
        _forget_session(request)
        return HttpResponse()

    call_in_place(show, path, urlsplit(account.site_url).netloc)
    name = printable(account.base_template)
    if not outcomes:
        advice = "open a page of the widget"
        yield note("base_template_not_tried", f"The site's middleware lets no request through to {name}", advice)
    elif error := outcomes[0]:
        advice = "correct it; until then pages come without the site's frame, and fail where DEBUG is on"
        text = f"The base template {name} can't be rendered: {describe(error)}"
        yield fix("base_template_failed", text, advice)
    else:
        yield ok("base_template", f"The base template {name} can be rendered around a page")


def _find_path(namespace: str) -> str | None:
    """Return the path of the services in the URLconf, without the prefix that a server may put before it."""
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        return reverse(f"{namespace}:services")
    except NoReverseMatch:
        return None
    finally:
        set_script_prefix(prefix)


def _forget_session(request: HttpRequest) -> None:
    """Keep the site's middleware from storing a session of nobody's."""
    request.META.pop("CSRF_COOKIE_NEEDS_UPDATE", None)  # a token that may be in the session
    if hasattr(request, "session"):
        request.session = SessionBase()


def _render(request: HttpRequest, account: Account) -> Exception | None:
    try:
        render_sample(request, account)
    except Exception as error:  # noqa: BLE001 (tags and context processors of the site's raise anything)
        return error
    return None


def describe(error: Exception) -> str:
    """Return the kind of an error and its place, with what stands there in the template.

    The message of an error may repeat data of a visitor's. That of an error in the source, found while it was compiled,
    and that of a missing block name only what stands in it.
    """
    place = next(_places(error), None)
    is_in_source = place is None or not place.source
    text = str(error) if isinstance(error, TemplateSyntaxError | MissingBlock) and is_in_source else ""
    message = f" ({printable(text)})" if text else ""
    if place is None:
        return f"{type(error).__name__}{message}" + ("" if text else f" at {error_location(error)['at']}")
    source = f": {printable(place.source)}" if place.source else ""
    return f"{type(error).__name__}{message} in line {place.line} of {printable(place.template)}{source}"


class _Place(NamedTuple):
    """Place in a template; `source` is the tag or variable that was rendered, and empty while one was compiled."""

    line: int
    template: str
    source: str


def _places(error: BaseException) -> Iterator[_Place]:
    """Yield the lines of templates that were rendered or compiled when the error was raised, the innermost first."""
    frames: list[TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    # Django itself notes the place only for an engine with the option "debug".
    for frame in reversed(frames):
        subject = frame.tb_frame.f_locals.get("self")
        # By the type: `isinstance` asks a lazy object for its class, which raises the error of the site's once more.
        is_node = issubclass(type(subject), Node)
        if not (is_node or issubclass(type(subject), Template)):
            continue
        token = getattr(subject if is_node else error, "token", None)
        origin = getattr(subject, "origin", None)
        if token is not None and origin is not None:
            yield _Place(token.lineno, str(origin.template_name), str(token.contents) if is_node else "")
    if error.__cause__ is not None:
        # Django raises the error of a missing template anew, outside of the rendering.
        yield from _places(error.__cause__)
