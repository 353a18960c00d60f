"""Check of BASE_TEMPLATE: the site's template can be rendered around a page. The report repeats no data of the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Node, Template
from django.urls import NoReverseMatch, resolve, reverse

from kordless_booking.checks import check_base_template
from kordless_booking.doctor.finding import Findings, fix, note, ok, printable
from kordless_booking.doctor.middleware_chain import call_through
from kordless_booking.urlconf import namespaces_of
from kordless_booking.views.base_template import MissingBlock, render_sample

if TYPE_CHECKING:
    from types import TracebackType

    from kordless_booking.conf import Account

_TELLING: Final = (TemplateDoesNotExist, TemplateSyntaxError, NoReverseMatch, MissingBlock)
"""Errors whose message names what stands in a template. Any other may repeat data of the site's."""


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
    try:
        path = reverse(f"{names[0]}:services")
    except NoReverseMatch:
        return  # mounted at a path with parameters, which the check of URLs reports
    outcomes: list[Exception | None] = []

    def show(request: HttpRequest) -> HttpResponse:
        # As Django has led it to the widget: a template may ask for that.
        request.resolver_match = resolve(request.path_info)
        outcomes.append(_render(request, account))
        return HttpResponse()

    # The check of embedding reports middleware that raises, or that answers itself.
    with suppress(Exception):
        call_through(settings.MIDDLEWARE, show, path)
    name = printable(account.base_template)
    if not outcomes:
        advice = "open a page of the widget"
        yield note("base_template_not_tried", f"The site's middleware lets no request through to {name}", advice)
    elif error := outcomes[0]:
        advice = "correct it; until then pages come without the site's frame, and fail where DEBUG is on"
        yield fix("base_template_failed", f"BASE_TEMPLATE {name} can't be rendered: {describe(error)}", advice)
    else:
        yield ok("base_template", f"BASE_TEMPLATE {name} can be rendered around a page")


def _render(request: HttpRequest, account: Account) -> Exception | None:
    try:
        render_sample(request, account)
    except Exception as error:  # noqa: BLE001 (tags and context processors of the site's raise anything)
        return error
    return None


def describe(error: Exception) -> str:
    """Return the kind of an error, its place in a template, and its message where that is none of a visitor's data."""
    # Without the arguments of a URL, which are data.
    text = re.split(r" with (?:keyword )?arguments ", str(error))[0] if isinstance(error, _TELLING) else ""
    message = f" ({printable(text)})" if text else ""
    place = next(_places(error), "")
    return f"{type(error).__name__}{message}{place}"


def _places(error: BaseException) -> Iterator[str]:
    """Yield the lines of templates that were rendered or parsed when the error was raised, the innermost first."""
    frames: list[TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    # Django itself notes the place only for an engine with the option "debug".
    for frame in reversed(frames):
        subject = frame.tb_frame.f_locals.get("self")
        token = getattr(subject, "token", None) if isinstance(subject, Node) else getattr(error, "token", None)
        if isinstance(subject, Node | Template) and token is not None and getattr(subject, "origin", None) is not None:
            yield f" in line {token.lineno} of {printable(subject.origin.template_name)}"
    if error.__cause__ is not None:
        # Django raises the error of a missing template anew, outside of the rendering.
        yield from _places(error.__cause__)
