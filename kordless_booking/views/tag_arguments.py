"""Arguments of `{% booking_widget %}`, as a site's template writes them, and the state that several on a page share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from django.urls import NoReverseMatch

from kordless_booking import conf
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.metadata import MAX_BYTES, encrypt_metadata
from kordless_booking.limits import MAX_ID, MAX_PARTY_SIZE
from kordless_booking.presentation.locales import best_supported_language, supported_languages
from kordless_booking.presentation.themes import PLAIN, THEMES
from kordless_booking.presentation.timezones import canonical_timezone
from kordless_booking.urlconf import cached_reverse, current_mount
from kordless_booking.views.next_free import MAX_NEXT_TIMES
from kordless_booking.views.request import QUERY_PREFIX
from kordless_booking.views.stylesheet import WIDTH

if TYPE_CHECKING:
    from django.http import HttpRequest

DEFAULT_NAME: Final = "widget"
"""Name of the first widget on a page. Its query has the prefix alone."""
MAX_NAME: Final = 40
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_MAX_NUMBER_BITS: Final = 256
"""Bits of a number that stands for an id: more than a UUID has."""
_STATE: Final = "_kordless_booking_tags"


class InvalidArgument(Exception):
    """A mistake in an argument of a tag. The message names the argument, and never has its value."""

    def __init__(self, argument: str, allowed: str, tag: str = "booking_widget") -> None:
        super().__init__(f"{{% {tag} %}}: {argument} must be {allowed}.")
        self.argument = argument
        """Name of the argument."""


@dataclass
class PageWidgets:
    """Widgets that a page of the site has so far: they share ids, style sheet and scripts."""

    names: set[str] = field(default_factory=set)
    color: str = ""
    """Color of the page's style sheet, six hexadecimal digits; "" while there is none."""
    look_classes: set[str] = field(default_factory=set)
    """Classes whose style sheets the page has."""

    @classmethod
    def of_request(cls, request: HttpRequest) -> PageWidgets:
        """Return those of the page that answers a request."""
        found: PageWidgets | None = getattr(request, _STATE, None)
        if found is None:
            found = cls()
            setattr(request, _STATE, found)
        return found

    def claim_name(self, base: str) -> str:
        """Return the name `base`, or that with a number where the page has a widget of this name already."""
        number, name = 1, base
        while name in self.names:
            number += 1
            name = f"{base}-{number}"
        self.names.add(name)
        return name


def stage_id(name: str) -> str:
    """Return the DOM id of the stage of the widget of this name.

    Hyphens in the name are doubled, because a single one joins the stage's id to the name of a part: the month of the
    widget `a` is `kb-inline-a-month`, and the widget `a-month` has the stage `kb-inline-a--month`.
    """
    return f"kb-inline-{name.replace('-', '--')}"


def query_prefix(name: str) -> str:
    """Return the begin of the names that the widget of this name reads of the page's query."""
    return QUERY_PREFIX if name == DEFAULT_NAME else f"{QUERY_PREFIX}{name}-"


def parse_name(value: object) -> str:
    """Return the name of a widget, by default that of the first. Raises InvalidArgument."""
    if _is_absent(value):
        return DEFAULT_NAME
    if not isinstance(value, str) or len(value) > MAX_NAME or not _NAME.fullmatch(value):
        raise InvalidArgument("name", f"lower-case letters, digits and single hyphens, {MAX_NAME} at most")
    return str(value)


def parse_service(value: object, tag: str = "booking_widget") -> str:
    """Return the slug of a service, "" for the list of them. Raises InvalidArgument."""
    if _is_absent(value):
        return ""
    # A string of a lazy or a safe kind, too.
    if not isinstance(value, str) or not _is_short(value):
        raise InvalidArgument("service", "the slug of a service, as text", tag)
    return str(value)


def parse_account(value: object, tag: str = "booking_widget") -> str:
    """Return the namespace of an account's pages, "" for the only account. Raises InvalidArgument.

    With a single account, it may be any namespace under which its URLs are mounted.
    """
    if _is_absent(value):
        return ""
    known = conf.accounts()
    # Of several, one may have the name of the URLs' own namespace.
    if isinstance(value, str) and _is_short(value) and (len(known) == 1 or value.rpartition(":")[2] in known):
        with suppress(NoReverseMatch):
            cached_reverse(current_mount(str(value)), "services")
            return str(value)
    names = f"one of {', '.join(sorted(known))}" if len(known) > 1 else "the namespace of the widget's URLs"
    raise InvalidArgument("account", names, tag)


def parse_count(value: object) -> int:
    """Return the number of times of `{% next_free %}`, from 1 to MAX_NEXT_TIMES. Raises InvalidArgument."""
    try:
        # A text, as it comes from a query, too; as `int` reads it.
        number = int(value)  # type: ignore[call-overload]
        return 1 if number < 1 else MAX_NEXT_TIMES if number > MAX_NEXT_TIMES else int(number)
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgument("count", f"a number from 1 to {MAX_NEXT_TIMES}", "next_free") from None


def parse_width(value: object) -> str:
    """Return a width, "" for that of the style sheet. Raises InvalidArgument."""
    if _is_absent(value):
        return ""
    if not isinstance(value, str) or not WIDTH.fullmatch(value):
        raise InvalidArgument("width", 'a whole number with a unit, such as "480px" or "40rem"')
    return value


def parse_metadata(account: str, value: object) -> str:
    """Return the encrypted token of the metadata; "" for none. Raises InvalidArgument."""
    if _is_absent(value) or value == {}:
        return ""
    allowed = f"a dictionary of texts and numbers with {MAX_BYTES} bytes of JSON at most"
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidArgument("metadata", allowed)
    try:
        return encrypt_metadata(account, dict(value))
    except ValueError:
        raise InvalidArgument("metadata", allowed) from None


def parse_flag(name: str, value: object) -> bool:
    """Return True or False; False for nothing. Raises InvalidArgument."""
    if _is_absent(value):
        return False
    if not isinstance(value, bool):
        raise InvalidArgument(name, "True or False, without quotation marks")
    return value


def parse_choice(name: str, value: object) -> dict[str, Any]:
    """Return the fields of `Choices` that an argument sets: none for nothing, such as a variable that is missing.

    `name` is one of ARGUMENTS. Raises InvalidArgument.
    """
    if _is_absent(value):
        return {}
    parse, allowed = _PARSERS[name]
    found = parse(value)
    if found is None:
        raise InvalidArgument(name, allowed)
    return dict(found)


def _is_absent(value: object) -> bool:
    return value is None or value == ""


def _is_short(text: str) -> bool:
    """Return whether an address can have this name: it isn't too long, and has no half of a surrogate pair."""
    return len(text) <= MAX_ID and not any("\ud800" <= character <= "\udfff" for character in text)


def _text_of(value: object) -> str:
    """Return a text or a whole number as text; "" for anything else, and for numbers that no id has."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    # Python refuses to write numbers of thousands of digits.
    return "" if isinstance(value, int) and value.bit_length() > _MAX_NUMBER_BITS else str(value)


def _parse_id(field_name: str) -> Callable[[object], Mapping[str, Any] | None]:
    def parse(value: object) -> Mapping[str, Any] | None:
        text = _text_of(value)
        return {field_name: text} if 0 < len(text) <= MAX_ID else None

    return parse


def _parse_party(value: object) -> Mapping[str, Any] | None:
    text = _text_of(value)
    is_size = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PARTY_SIZE))
    return {"party_size": int(text)} if is_size and 1 <= int(text) <= MAX_PARTY_SIZE else None


def _parse_timezone(value: object) -> Mapping[str, Any] | None:
    # A ZoneInfo, as `get_current_timezone` returns it, says its name.
    name = canonical_timezone(str(value)[:MAX_ID]) if isinstance(value, str | tzinfo) else None
    return {"timezone": name} if name else None


def _parse_language(value: object) -> Mapping[str, Any] | None:
    language = best_supported_language(value, supported_languages()) if isinstance(value, str) else None
    return {"lang": language} if language else None


def _parse_scheme(value: object) -> Mapping[str, Any] | None:
    return {"scheme": value} if isinstance(value, str) and value in {"light", "dark", "light dark"} else None


def _parse_accent(value: object) -> Mapping[str, Any] | None:
    accent = Choices.from_query({"accent": value}, ()).accent if isinstance(value, str) else None
    return {"accent": accent} if accent else None


def _parse_theme(value: object) -> Mapping[str, Any] | None:
    return {"theme": str(value)} if isinstance(value, str) and value in {PLAIN, *THEMES} else None


_PARSERS: Final[dict[str, tuple[Callable[[object], Mapping[str, Any] | None], str]]] = {
    "host": (_parse_id("host_id"), "the id of a host, as text"),
    "team": (_parse_id("team_id"), "the id of a team, as text"),
    "party": (_parse_party, f"a number of people from 1 to {MAX_PARTY_SIZE}"),
    "tz": (_parse_timezone, 'the name of a time zone, such as "Europe/Kyiv"'),
    "lang": (_parse_language, 'the code of a language that is offered, such as "de"'),
    "scheme": (_parse_scheme, '"light", "dark" or "light dark"'),
    "accent": (_parse_accent, 'a color of six hexadecimal digits, such as "#1f6f5c"'),
    "theme": (_parse_theme, f"one of {', '.join([PLAIN, *THEMES])}"),
}
ARGUMENTS: Final = tuple(_PARSERS)
"""Arguments that set the choices with which the widget begins, by the names of the foreign site's link."""
