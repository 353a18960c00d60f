"""The site's own template around the widget's pages: BASE_TEMPLATE.

A page is made in two pieces, what belongs into its head and the widget itself. That is what the response cache stores.
The site's template is rendered around them for each request, with the site's context processors: it may show who is
logged in, and whatever it reads or sets, such as the session, is the site's own affair.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.safestring import mark_safe

from kordless_booking.logs import error_location, log_event
from kordless_booking.upstream.registry import services_for
from kordless_booking.views.csp_nonce import add_nonce, find_nonce
from kordless_booking.views.tag_arguments import PageWidgets

if TYPE_CHECKING:
    from kordless_booking.conf import Account

log = logging.getLogger("kordless_booking.views")

SITE_LAYOUT: Final = "kordless_booking/layouts/site.html"
"""Layout of a page in two pieces."""
BASE_LAYOUT: Final = "kordless_booking/layouts/base.html"
"""Template that extends the site's and fills its blocks with the pieces."""
# Everything else in a page is escaped, or written by a template.
_SEPARATOR: Final = "<!-- kordless_content -->"
_SAMPLE_COLOR: Final = "000000"
_TITLE: Final = re.compile(r"<title\b[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE)
_HEAD_END: Final = re.compile(r"</head\s*>|<body\b", re.IGNORECASE)


@dataclass(frozen=True)
class BaseTemplate:
    """The site's template, with what it needs to know of a page."""

    account: Account
    title: str
    """Title of the document."""
    color: str
    """Color of the page's style sheet, six hexadecimal digits."""


def render_base(request: HttpRequest, response: HttpResponse, base: BaseTemplate) -> None:
    """Put the site's template around the two pieces that are the response's content.

    Where that fails, or has no place for the widget, the visitor gets the widget without the site's frame: a POST that
    has booked can't be asked again. The error is logged, and sent to error trackers as Django's are.
    """
    head, separator, content = response.content.decode().partition(_SEPARATOR)
    if not separator:
        # A layout of the site's own in the place of ours: the widget with all that it needs.
        head, content = "", head
    # A template tag in the site's template brings a widget more, but neither style sheet nor scripts again.
    PageWidgets.of_request(request).color = base.color
    try:
        # An extension's block in the content may bring a style sheet.
        head, content = (add_nonce(piece, find_nonce(request)) for piece in (head, content))
        html = _render(request, base, head, content)
    except Exception as error:
        if settings.DEBUG:
            raise
        got_request_exception.send(sender=None, request=request)
        level = services_for(base.account).log_throttle.level_for("base_template_failed", logging.ERROR)
        log_event(log, level, "base_template_failed", account=base.account.name, **error_location(error))
        html = _render_bare(base, head, content)
    response.content = html
    # Django's sessions add it for themselves; a site may read a cookie in any other way.
    patch_vary_headers(response, ["Cookie"])


def render_sample(request: HttpRequest, account: Account) -> None:
    """Render an account's template around a made-up page. Raises what the template raises, and MissingBlock."""
    base = BaseTemplate(account, title="kordless_doctor", color=_SAMPLE_COLOR)
    PageWidgets.of_request(request).color = base.color
    _render(request, base, '<meta name="kordless-doctor">', '<div id="kordless-doctor"></div>')


class MissingBlock(Exception):
    """The site's template has no block for the widget."""


def _render(request: HttpRequest, base: BaseTemplate, head: str, content: str) -> str:
    pieces: dict[str, Any] = {
        "base_template": base.account.base_template,
        "head": mark_safe(head),  # noqa: S308 (both rendered by escaping templates)
        "content": mark_safe(content),  # noqa: S308
    }
    # With the request: the site's context processors run.
    html: str = render_to_string(BASE_LAYOUT, {"kordless": pieces}, request)
    if content not in html:
        raise MissingBlock(f"{base.account.base_template} has no block kordless_content")
    if head not in html:
        # All of them work in the body too. `manage.py check` reports the missing block.
        html = html.replace(content, head + content, 1)
    # In the place of the template's own: of two, the first counts. A step that htmx swaps in brings the same title.
    title = escape(base.title)
    # Not behind the head: a drawing in the header may have a title of its own.
    end = _HEAD_END.search(html)
    found = _TITLE.search(html, 0, end.start() if end else len(html))
    if found is None:
        place = end.start() if end else html.find(head)
        return f"{html[:place]}<title>{title}</title>{html[place:]}"
    return f"{html[: found.start(1)]}{title}{html[found.end(1) :]}"


def _render_bare(base: BaseTemplate, head: str, content: str) -> str:
    return (
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(base.title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{head}</head>\n<body>{content}</body>\n</html>\n"
    )
