"""A visitor's choices before a slot is taken, parsed from the query string and written back to it.

The query can be bookmarked and is never trusted: unknown and absurd values are dropped without an error. What is left
is safe to show, to link and to send to Kordless.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, time
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, quote_plus

import msgspec

from kordless_booking.limits import MAX_ID, MAX_PARTY_SIZE
from kordless_booking.presentation.locales import best_supported_language
from kordless_booking.presentation.safe_links import parse_done_url
from kordless_booking.presentation.themes import PLAIN, THEMES
from kordless_booking.presentation.timezones import canonical_timezone

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
# Ids that a query carries as they are: 40 characters at most (a UUID has 36), of which none is escaped. Each of the
# hundred links on a page of times repeats them, and escaped they would be three times as long.
_PLAIN_ID = re.compile(r"[A-Za-z0-9._~:/-]{1,40}")
_HOST_PREFIX, _TEAM_PREFIX = "host:", "team:"
_ACCENT = re.compile(r"#?([0-9A-Fa-f]{6})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)
_PARTY = re.compile(r"[0-9]{1,2}")
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})")
PAGE_SCHEME: Final = "page "
"""Prefix of a color scheme that nobody has chosen: the one of the page around a frame, as its browser computes it."""
QUERY_NAMES: Final = frozenset(
    {
        *("tz", "month", "day", "after", "before", "host", "team", "with", "party"),
        *("clock", "hours", "lang", "scheme", "accent", "theme", "embed", "thanks", "meta"),
    }
)
"""Names that `Choices.from_query` reads."""


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Choices in the query string, where some have shorter names: `tz`, `host`, `team`, `party`. None means not
    chosen."""

    timezone: str | None = None
    """IANA name, in its canonical spelling."""
    month: date | None = None
    """A day with whose week the calendar begins: the first of a month in links from outside, any in our own."""
    day: date | None = None
    after: time | None = None
    """Earliest start, by the clock of the times that are shown. A quarter of an hour, so that there are few of them."""
    before: time | None = None
    """Start from which times are too late. Before `after`, it is on the next morning: the times of a night."""
    host_id: str | None = None
    """As `query_id` writes it, like `team_id`: an id with other characters, or a long one, as a digest."""
    team_id: str | None = None
    party_size: int = 1
    """Party size; 1 means not chosen."""
    clock: Literal["visitor", "business"] | None = None
    """Whose clock the times are by; None means the one that counts, see `presentation.clocks`."""
    hours: Literal["12", "24"] | None = None
    lang: str | None = None
    """Language code, one of the supported ones: the one that serves the requested code best."""
    scheme: Literal["light", "dark", "light dark"] | None = None
    """Color scheme, set by the snippet on the host page, like the three that follow. "light dark" is the visitor's own.
    `WidgetRequest.from_http` drops it where the site has the same, and one with PAGE_SCHEME where it has any."""
    accent: str | None = None
    """Six lower-case hexadecimal digits."""
    theme: str | None = None
    """One of `THEMES`, or `PLAIN`."""
    embed: Literal["1", "left", "right"] | None = None
    """Shown in a frame; "left" or "right": in a dialog, whose close button stands over that upper corner."""
    done_url: str | None = None
    """Thank-you page that the snippet names (`thanks`). Whether the account allows its origin is the request's to say:
    `WidgetRequest.from_http` drops any other."""
    metadata: str | None = None
    """Encrypted metadata of the page around the widget (`booking/metadata.py`), until the draft has it.
    `WidgetRequest.from_http` drops a token that isn't this account's."""

    def __post_init__(self) -> None:
        # Here and not at each caller: an id that a link can't carry would be lost there, and anyone be booked.
        if self.host_id is not None:
            msgspec.structs.force_setattr(self, "host_id", query_id(self.host_id))
        if self.team_id is not None:
            msgspec.structs.force_setattr(self, "team_id", query_id(self.team_id))

    @classmethod
    def from_query(cls, query: Mapping[str, str], languages: Collection[str]) -> Choices:
        """Parse a query, given by its last value for each name. `languages` are the codes that the site supports."""
        clock, hours = query.get("clock"), query.get("hours")
        host, team = _providers(query)
        theme = query.get("theme")
        after, before = parse_quarter(query.get("after", "")), parse_quarter(query.get("before", ""), round_up=True)
        return cls(
            timezone=canonical_timezone(query.get("tz")),
            month=_month(query.get("month", "")),
            day=parse_day(query.get("day", "")),
            after=after,
            before=before if before != after else None,
            host_id=host or None,
            team_id=team or None,
            party_size=_party(query.get("party", "")),
            clock="visitor" if clock == "visitor" else "business" if clock == "business" else None,
            hours="12" if hours == "12" else "24" if hours == "24" else None,
            lang=best_supported_language(query.get("lang", ""), languages),
            scheme=_scheme(query.get("scheme")),
            accent=_accent(query.get("accent", "")),
            theme=theme if theme in {PLAIN, *THEMES} else None,
            embed=_embed(query.get("embed")),
            done_url=parse_done_url(query.get("thanks")),
            metadata=_token(query.get("meta", "")),
        )

    def replace(self, **changes: Any) -> Choices:
        """Return a copy with these fields replaced."""
        return msgspec.structs.replace(self, **changes)

    def requested_date(self) -> date | None:
        """Return the date at which the visitor wants to look, of the chosen month or day; else None."""
        return self.month or self.day

    def appearance(self) -> Choices:
        """Return only the choices that every page keeps: language, clock, hours and appearance."""
        return Choices(
            clock=self.clock,
            hours=self.hours,
            lang=self.lang,
            scheme=self.scheme,
            accent=self.accent,
            theme=self.theme,
            embed=self.embed,
            done_url=self.done_url,
        )

    def query(self) -> str:
        """Return `?tz=…&day=…` in a fixed order, without what was not chosen; "" when nothing was chosen."""
        items: list[str] = []
        # One by one, not as a list that is filtered: a page has twenty links, each with these. What is no free text is
        # plain already, and so are the ids of `query_id`.
        if self.timezone:
            items.append(_query_item("tz", self.timezone))
        if self.month:
            items.append(f"month={_month_text(self.month)}")
        if self.day:
            items.append(f"day={self.day.isoformat()}")
        if self.after:
            items.append(f"after={self.after:%H:%M}")
        if self.before:
            items.append(f"before={self.before:%H:%M}")
        if self.host_id:
            items.append(f"host={self.host_id}")
        if self.team_id:
            items.append(f"team={self.team_id}")
        if self.party_size != 1:
            items.append(f"party={self.party_size}")
        self._add_appearance(items)
        if self.metadata:
            items.append(_query_item("meta", self.metadata))
        return f"?{'&'.join(items)}" if items else ""

    def _add_appearance(self, items: list[str]) -> None:
        if self.clock:
            items.append(f"clock={self.clock}")
        if self.hours:
            items.append(f"hours={self.hours}")
        if self.lang:
            items.append(_query_item("lang", self.lang))
        if self.scheme:
            items.append(_query_item("scheme", self.scheme))
        if self.accent:
            items.append(_query_item("accent", self.accent))
        if self.theme:
            items.append(_query_item("theme", self.theme))
        if self.embed:
            items.append(f"embed={self.embed}")
        if self.done_url:
            items.append(_query_item("thanks", self.done_url))

    def query_items(self) -> list[tuple[str, str]]:
        """Return names and values of `query`, for hidden fields."""
        return parse_qsl(self.query()[1:])


def query_id(id_: str) -> str:
    """Return the id of a host or team as links carry it: the id itself when it is plain, else a digest of it.

    Compared with `query_id` of the ids that the slots have, a digest finds its host again. It has 96 bits, so a match
    is no chance. `query_id` of a result is the same result.
    """
    return _query_id(id_[:MAX_ID])  # cut before the cache, whose keys may come from a query


@lru_cache(maxsize=4096)
def _query_id(id_: str) -> str:
    if _PLAIN_ID.fullmatch(id_):
        return id_
    return f"~{blake2b(id_.encode(errors='replace'), digest_size=12).hexdigest()}"


def provider_value(*, host_id: str | None = None, team_id: str | None = None) -> str:
    """Return the value of the query's `with` that stands for a host, a team or, without either, anyone.

    A form can choose between hosts and teams with one field only.
    """
    if host_id is not None:
        return f"{_HOST_PREFIX}{query_id(host_id)}"
    return f"{_TEAM_PREFIX}{query_id(team_id)}" if team_id is not None else ""


def _providers(query: Mapping[str, str]) -> tuple[str, str]:
    """Return the ids of host and team in a query, "" for none: those of `with`, else those of `host` and `team`."""
    chosen = query.get("with")
    if chosen == "":
        return "", ""
    if chosen is not None and chosen.startswith(_HOST_PREFIX):
        return chosen.removeprefix(_HOST_PREFIX), ""
    if chosen is not None and chosen.startswith(_TEAM_PREFIX):
        return "", chosen.removeprefix(_TEAM_PREFIX)
    # Any other value isn't ours: a page of the site around an inline widget may have a `with` of its own.
    return query.get("host", ""), query.get("team", "")


@lru_cache(maxsize=2048)
def _query_item(name: str, value: str) -> str:
    # "/" is allowed in a query, and keeps time zones such as Europe/Paris readable.
    return f"{name}={quote_plus(value, safe='/:')}"


def _scheme(text: str | None) -> Literal["light", "dark", "light dark"] | None:
    match (text or "").removeprefix(PAGE_SCHEME).removesuffix(" only"):
        case "light" | "dark" | "light dark" as scheme:
            return scheme
        case _:
            return None


def _embed(text: str | None) -> Literal["1", "left", "right"] | None:
    return "1" if text == "1" else "left" if text == "left" else "right" if text == "right" else None


def _accent(text: str) -> str | None:
    match = _ACCENT.fullmatch(text)
    return match[1].lower() if match else None


def _token(text: str) -> str | None:
    return text if _TOKEN.fullmatch(text) else None


def _month(text: str) -> date | None:
    match = _MONTH.fullmatch(text)
    return _date(int(match[1]), int(match[2]), int(match[3] or 1)) if match else None


def _month_text(month: date) -> str:
    return month.isoformat()[:7] if month.day == 1 else month.isoformat()


def parse_day(text: str) -> date | None:
    """Parse a date such as "2026-12-08"; None for anything else."""
    match = _DAY.fullmatch(text)
    return _date(int(match[1]), int(match[2]), int(match[3])) if match else None


def parse_quarter(text: str, *, round_up: bool = False) -> time | None:
    """Parse a time of day such as "15:00", to the quarter of an hour below or above it; None for midnight, no limit."""
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    return to_quarter(time(int(match[1]), int(match[2])), round_up=round_up)


def to_quarter(moment: time, *, round_up: bool = False) -> time | None:
    """Return the quarter of an hour below or above a time of day; None for midnight, which is no limit."""
    minutes = moment.hour * 60 + moment.minute
    minutes = (-(-minutes // 15) if round_up else minutes // 15) * 15 % (24 * 60)
    return time(*divmod(minutes, 60)) if minutes else None


def _date(year: int, month: int, day: int) -> date | None:
    """Return the date, or None if there is none.

    Years near the ends of the calendar overflow in later date arithmetic.
    """
    if not 1970 <= year <= 9000:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _party(text: str) -> int:
    return min(max(int(text), 1), MAX_PARTY_SIZE) if _PARTY.fullmatch(text) and text.isascii() else 1
