"""The widget's style sheets in the business's color and the site's theme, as responses that can be cached for good.

Color, theme and version are part of the URL. So a response never changes, and needs no inline style, which a strict
`style-src 'self'` would block.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from kordless_booking.presentation.palette import build_palette
from kordless_booking.presentation.stylesheet import (
    StyleKey,
    build_css,
    build_later_css,
    build_look_css,
    css_version,
)
from kordless_booking.presentation.themes import PLAIN, THEMES
from kordless_booking.urlconf import account_for, cached_reverse
from kordless_booking.views.compression import Compressed, compress, compressed_response
from kordless_booking.views.request import WidgetRequest, make_readable
from kordless_booking.views.skeletons import SharedText

if TYPE_CHECKING:
    from kordless_booking.api.resources import Organization
    from kordless_booking.booking.choices import Choices
    from kordless_booking.conf import Account
    from kordless_booking.urlconf import Mount

_A_YEAR: Final = 365 * 86400
_LATER: Final = "later"
_STYLE_HEADER: Final = "HTTP_KB_STYLE"
"""`KB-Style`, with which our script asks for the style sheet of later steps together with the first of them."""
_LOOK: Final = "look-"
WIDTH: Final = re.compile(r"(?!0)[0-9]{1,4}(?:px|em|rem|ch|vw|%)", re.ASCII)
"""Widths that a widget inside a page may be given: whole numbers, as they stand in a URL and in the name of a class."""


def style_url(mount: Mount, account: Account, choices: Choices, organization: Organization | None) -> str:
    """Return the URL of the style sheet. It changes with the color, the theme and the release."""
    return _sheet_url(mount, account, choices, style_color(account, choices, organization))


def style_color(account: Account, choices: Choices, organization: Organization | None) -> str:
    """Return the color of the style sheet, six hexadecimal digits."""
    chosen = f"#{choices.accent}" if choices.accent else account.color_of(organization)
    return build_palette(chosen).light.accent.lstrip("#")


class Look(NamedTuple):
    """Color and width of one widget on a page, where the page's style sheet has others."""

    class_name: str
    url: str
    """URL of the style sheet with the rules of this class."""


def build_look(mount: Mount, account: Account, choices: Choices, color: str, width: str) -> Look:
    """Return the look of a color, six hexadecimal digits, and a width of `WIDTH`, or ""."""
    url = _sheet_url(mount, account, choices, f"{_LOOK}{color}")
    return Look(_look_class(color, width), f"{url}&width={quote(width)}" if width else url)


def _look_class(color: str, width: str) -> str:
    return f"kb-look-{color}-{width.replace('%', 'percent')}" if width else f"kb-look-{color}"


def later_style_url(mount: Mount, account: Account, choices: Choices) -> str:
    """Return the URL of the style sheet of later steps. It changes with the theme and the release."""
    return _sheet_url(mount, account, choices, _LATER)


class InlineStyle(NamedTuple):
    """Style sheet of all pages, for a page that has it in its head."""

    text: SafeString = SafeString("")
    source: str = ""
    """Source that allows it in the page's Content-Security-Policy: its hash."""


def inline_style(account: Account, choices: Choices, organization: Organization | None) -> InlineStyle:
    """Return what `style_url` says for this page, so that the first visit doesn't wait for another response.

    It is empty where INLINE_STYLE is off, or the site has style sheets of its own: they may be long, and hold anything.
    """
    if not _has_inline_style(account):
        return InlineStyle()
    style_key = _theme_of(account, choices), ()
    color = style_color(account, choices, organization)
    return _inline(css_version(style_key), style_key, color, embedded=bool(choices.embed))


@lru_cache(maxsize=64)
def _inline(_version: str, style_key: StyleKey, color: str, *, embedded: bool) -> InlineStyle:
    """Return the sheet. `_version` only makes the cache build a changed sheet again."""
    # Ours alone, from files of the package: there is no `</style` in it.
    text = SharedText(build_css(style_key, color, embedded=embedded))
    return InlineStyle(text, f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'")


def brought_style(visit: WidgetRequest) -> bytes:
    """Return the style sheet of later steps as what a fragment brings along; b"" for a page that has it already.

    The script asks for it on a page of the widget's own with its style in its head, where it takes the place of the
    linked one. So the press that leads to the first of these steps is one request.
    """
    is_wanted = visit.fragment and not (visit.inline or visit.in_base_template) and _STYLE_HEADER in visit.request.META
    if not is_wanted or not _has_inline_style(visit.account):
        return b""
    style_key = _theme_of(visit.account, visit.choices), ()
    return _brought(css_version(style_key), style_key)


@lru_cache(maxsize=16)
def _brought(_version: str, style_key: StyleKey) -> bytes:
    """Return it as a template, which no browser shows. `_version` only makes the cache build a changed sheet again."""
    # Ours alone, from files of the package: there is no `<` in it.
    return f"<template data-kb-style>{build_later_css(style_key)}</template>".encode()


def _has_inline_style(account: Account) -> bool:
    return account.inline_style and not account.style_sheets


def _theme_of(account: Account, choices: Choices) -> str:
    theme = choices.theme or account.theme
    return "" if theme == PLAIN else theme


def _sheet_url(mount: Mount, account: Account, choices: Choices, name: str) -> str:
    theme = _theme_of(account, choices)
    named = cached_reverse(mount, *(("style-themed", name, theme) if theme else ("style", name)))
    return f"{named}?v={css_version((theme, account.style_sheets))}"


@login_not_required
def style(request: HttpRequest, name: str, theme: str = "") -> HttpResponse:
    """Return the style sheet for a color, six hexadecimal digits; or "later", that of later steps; or a look's.

    A look is "look-" and a color, with a `width` in the query.

    Raises Http404 for an unknown theme.
    """
    if theme and theme not in THEMES:
        raise Http404
    style_key = theme, _own_sheets(request)
    # A URL with another version must not be cached for a year: it is of another release, whose sheet this isn't.
    make_readable(request)
    lasting = request.GET.get("v") in {None, css_version(style_key)} and not settings.DEBUG
    width = request.GET.get("width", "") if name.startswith(_LOOK) else ""
    if width and not WIDTH.fullmatch(width):
        raise Http404
    return compressed_response(
        request,
        _compressed(css_version(style_key), style_key, name, width),
        "text/css; charset=utf-8",
        cache_control=f"public, max-age={_A_YEAR}, immutable" if lasting else "no-cache",
    )


def _own_sheets(request: HttpRequest) -> tuple[str, ...]:
    """Return STYLE_SHEETS of the account; () when the settings are unusable, because errors need a style sheet too."""
    try:
        return account_for(request).style_sheets
    except ImproperlyConfigured:
        return ()


@lru_cache(maxsize=64)
def _compressed(_version: str, style_key: StyleKey, name: str, width: str) -> Compressed:
    """Return the compressed sheet. `_version` only makes the cache build a changed sheet again."""
    if name.startswith(_LOOK):
        color = name.removeprefix(_LOOK)
        return compress(build_look_css(style_key, color, _look_class(color, width), width).encode())
    css = build_later_css(style_key) if name == _LATER else build_css(style_key, name)
    return compress(css.encode())
