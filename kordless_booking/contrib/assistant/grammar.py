"""Grammar of appointments: from "next Tuesday after 3" to days and hours, in the languages of the package.

No model, no network and no library: words from a lexicon (lexicon.py) and the rules below, which are the same for all
languages. `parse` is pure and total: it never raises, never returns a day that has passed, reads at most MAX_LENGTH
characters, and takes time in proportion to them.

    text -> tokens (word, number or sign, each of one or several kinds)
         -> facts (a day, hours, people, a name), by rules that each look at a few tokens
         -> readings (facts that fit together), of which the nearest comes first

A wrong date is worse than a miss. What isn't understood is in `TimeQuery.unparsed`; where it could change the date (a
negation, another number, a word such as "before" without what belongs to it), nothing is understood at all.
"""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kordless_booking.contrib.assistant.lexicon import Kinds, Lexicon, Normalized, get_lexicon, is_letter, normalize

MAX_LENGTH: Final = 200
"""Characters that are read. A text query is one sentence."""
MAX_READINGS: Final = 4
"""Readings of one text that are offered, the first included."""
MAX_DAYS_AHEAD: Final = 2 * 366
"""Days ahead at which a date counts as a slip: nobody's calendar is open that long."""
MAX_PARTY: Final = 99
NAMED: Final = ("service", "host", "team")

_DAY: Final = 24 * 60
_UNKNOWN_OPENING: Final = (0, _DAY)
Minutes = tuple[int, int]


@dataclass(frozen=True)
class Named:
    """Something that can be chosen by name."""

    key: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Offer:
    """Services, hosts and hours that can be booked: names that may be written, and what tells two readings apart."""

    services: tuple[Named, ...] = ()
    hosts: tuple[Named, ...] = ()
    teams: tuple[Named, ...] = ()
    opening: tuple[time, time] | None = None
    """First and last time at which anything is ever offered, if known."""
    window: tuple[date, date] | None = None
    """First and last day that can be booked, if known."""


@dataclass(frozen=True)
class TimeQuery:
    """When somebody wants an appointment. None means any."""

    first: date | None = None
    last: date | None = None
    """First and last day; `last` None is an open end."""
    after: time | None = None
    before: time | None = None
    """Wall-clock times between which it may begin."""
    excluded_weekdays: frozenset[int] = frozenset()
    """Monday is 0."""
    service: str | None = None
    host: str | None = None
    team: str | None = None
    """Keys of the offer."""
    party: int | None = None
    soonest: bool = False
    unparsed: tuple[str, ...] = ()
    """Words that were not understood, as they were typed. Personal: never logged, stored or put in a URL."""
    alternatives: tuple[TimeQuery, ...] = ()
    """Other readings, the nearer first."""

    @property
    def understood(self) -> bool:
        """True where something of the text was understood and nothing of it could change that."""
        return replace(self, unparsed=(), alternatives=()) != TimeQuery()


def is_supported(language: str) -> bool:
    """Return True for a language, such as "de" or "pt-br", whose words are complete."""
    return _find_lexicon(language) is not None


def parse(text: str, offer: Offer, *, language: str, now: datetime) -> TimeQuery:
    """Return what the text says, in days of the zone of `now`. Never raises for any text.

    `unparsed` has what was not understood: all words where nothing was.
    """
    lexicon = _find_lexicon(language)
    if lexicon and language.replace("_", "-").lower() in _DAY_FIRST:
        lexicon = replace(lexicon, month_first=False)
    # Composed first: a letter and its accent may be two characters.
    normalized = normalize(text[:MAX_LENGTH])
    if lexicon is None:
        return TimeQuery(unparsed=tuple(text[:MAX_LENGTH].split()))
    tokens = list(_read_tokens(text[:MAX_LENGTH], normalized, lexicon, _names_of(offer)))
    reader = _Reader(tokens, lexicon, now, offer)
    try:
        readings = reader.read()
    except (_Doubtful, OverflowError, ValueError):
        # The latter two beyond the last year of the calendar.
        readings = []
    if not readings:
        return TimeQuery(unparsed=tuple(token.text for token in tokens if token.is_word))
    unparsed = tuple(reader.unparsed_words())
    first, *others = [replace(reading, unparsed=unparsed) for reading in readings]
    return replace(first, alternatives=tuple(others))


def _find_lexicon(language: str) -> Lexicon | None:
    parts = language.replace("_", "-").split("-")
    # pt-br -> pt_BR, zh-hans -> zh_Hans: as the folders are called.
    tail = [part.upper() if len(part) == 2 else part.capitalize() for part in parts[1:]]
    # pt speaks Brazil's words, en-gb English.
    for name in ("_".join([parts[0].lower(), *tail]), parts[0].lower(), *_STAND_INS.get(parts[0].lower(), ())):
        if name.replace("_", "").isalnum() and (lexicon := get_lexicon(name)):
            return lexicon
    return None


_DAY_FIRST: Final = frozenset({"en-au", "en-gb", "en-ie", "en-in", "en-nz", "en-za"})
"""Variants of English in which 3/12 is December 3."""
_STAND_INS: Final = {"pt": ("pt_BR",), "zh": ("zh_Hans",)}


class _Doubtful(Exception):
    """Something could change the date in a way that isn't understood."""


# Tokens


@dataclass(frozen=True)
class _Token:
    """A word of the lexicon, a number, a sign, or a word that isn't known (without kinds)."""

    kinds: Kinds
    text: str
    """As it was typed."""
    digits: int = 0
    """Number of digits of a number in digits."""
    is_word: bool = True
    touches: bool = False
    """True without a space before it."""


def _read_tokens(
    text: str, normalized: Normalized, lexicon: Lexicon, names: dict[str, list[tuple[str, Kinds]]]
) -> Iterator[_Token]:
    plain, index, unknown = normalized.text, 0, -1

    def typed(start: int, end: int) -> str:
        return text[normalized.origins[start] : normalized.origins[end - 1] + 1]

    while index < len(plain) or unknown >= 0:
        letter = plain[index] if index < len(plain) else " "
        ends = 0
        found: list[tuple[int, Kinds]] = []
        if is_letter(letter):
            found, ends = _find_word(normalized, index, lexicon, names)
        # In languages without spaces, letters that aren't known are one word up to the next that is.
        if unknown >= 0 and (found or not is_letter(letter)):
            yield _Token({}, typed(unknown, index))
            unknown = -1
        touches = index > 0 and plain[index - 1] != " "
        if letter == " ":
            index += 1
        elif letter.isdigit() and (worded := _find_worded(normalized, index, lexicon)):
            yield _Token(worded[1], typed(index, worded[0]), touches=touches)
            index = worded[0]
        elif letter.isdigit():
            end = index
            while end < len(plain) and plain[end].isdigit():
                end += 1
            value = int(plain[index : min(end, index + 9)])
            yield _Token({"number": value}, typed(index, end), digits=end - index, touches=touches)
            index = end
        elif found:
            for end, kinds in found:
                yield _Token(kinds, typed(index, end), touches=touches)
                index, touches = end, True
        elif is_letter(letter) and ends == 0:
            unknown = index if unknown < 0 else unknown
            index += 1
        elif is_letter(letter):
            yield _Token({}, typed(index, ends), touches=touches)
            index = ends
        else:
            # A sign that is also a word: "&".
            words = [kinds for end, kinds in lexicon.find(normalized, index) if end == index + 1]
            kinds = {letter: True, **(words[0] if words else {})}
            yield _Token(kinds, typed(index, index + 1), is_word=False, touches=touches)
            index += 1


def _find_word(
    normalized: Normalized, start: int, lexicon: Lexicon, names: dict[str, list[tuple[str, Kinds]]]
) -> tuple[list[tuple[int, Kinds]], int]:
    """Return the word that begins here, with what is written together with it, and where an unknown one ends.

    That end is 0 where words needn't have a space between them.
    """
    text = normalized.folded
    boundary = start
    while boundary < len(text) and is_letter(text[boundary]):
        boundary += 1
    longest: list[tuple[int, Kinds]] = []
    reach = 0
    for begin, before in _prefixed(normalized, start, lexicon):
        best: list[tuple[int, Kinds]] = []
        for end, kinds in [*lexicon.find(normalized, begin), *_find_name(normalized, begin, names)]:
            if best and end < best[0][0]:
                continue
            together = _read_rest(normalized, end, lexicon)
            is_bent = lexicon.bent_names and bool(kinds.keys() & set(NAMED)) and end - begin > 3 >= boundary - end
            if together is None and is_bent:
                together = [(boundary, {"filler": True})]
            if together is None:
                continue
            also = best[0][1] if best and end == best[0][0] else {}
            best = [(end, {**also, **kinds}), *together]
        # "ביום שני" is the prefix ב and "Monday", rather than "on the day" and "two".
        if best and best[0][0] > reach:
            longest, reach = [*before, *best], best[0][0]
    if longest:
        return longest, 0
    if lexicon.spaced or normalized.folded[start].isascii():
        return [], boundary
    return [], 0


def _find_worded(normalized: Normalized, start: int, lexicon: Lexicon) -> tuple[int, Kinds] | None:
    """Return a word that begins with a digit: "2ª" is Monday in Portuguese."""
    text, found = normalized.text, None
    for end, kinds in lexicon.find(normalized, start):
        if end >= len(text) or not (is_letter(text[end]) or text[end].isdigit()):
            found = end, kinds
    return found


def _prefixed(normalized: Normalized, start: int, lexicon: Lexicon) -> Iterator[tuple[int, list[tuple[int, Kinds]]]]:
    """Yield where a word may begin: here, or after one of the language's prefixes ("ב", "و")."""
    yield start, []
    for prefix in lexicon.prefixes:
        end = start + len(prefix)
        if normalized.text.startswith(prefix, start) and end < len(normalized.text) and is_letter(normalized.text[end]):
            meaning = next((kinds for at, kinds in lexicon.find(normalized, start) if at == end), {"filler": True})
            yield end, [(end, meaning)]


def _read_rest(normalized: Normalized, end: int, lexicon: Lexicon) -> list[tuple[int, Kinds]] | None:
    """Return what is written together with the word that ends here, or None where the word can't end here."""
    text = normalized.folded
    if end >= len(text) or not is_letter(text[end]):
        return []
    if not lexicon.spaced:
        # Latin words within are words as everywhere.
        return None if text[end].isascii() and text[end - 1].isascii() else []
    for suffix in lexicon.suffixes:
        after = end + len(suffix)
        if normalized.text.startswith(suffix, end) and (after >= len(text) or not is_letter(text[after])):
            # "altıdan önce": the ending with the word behind it
            found = [each for each in lexicon.find(normalized, end) if _ends_word(text, each[0]) and each[0] >= after]
            return [found[-1] if found else (after, {"filler": True})]
    if lexicon.compounds:
        for after, kinds in lexicon.find(normalized, end):
            if "part" in kinds and (after >= len(text) or not is_letter(text[after])):
                return [(after, {"part": kinds["part"]})]
    return None


def _ends_word(text: str, index: int) -> bool:
    return index >= len(text) or not is_letter(text[index])


def _find_name(
    normalized: Normalized, start: int, names: dict[str, list[tuple[str, Kinds]]]
) -> Iterator[tuple[int, Kinds]]:
    for name, kinds in names.get(normalized.folded[start], ()):
        if normalized.folded.startswith(name, start):
            yield start + len(name), kinds


@lru_cache(maxsize=64)
def _names_of(offer: Offer) -> dict[str, list[tuple[str, Kinds]]]:
    """Return the names that can be written, by first letter. A person's first name will do where only one has it."""
    names: dict[str, Kinds] = {}
    first_names: dict[str, list[Kinds]] = {}
    for kind, group in zip(NAMED, (offer.services, offer.hosts, offer.teams), strict=True):
        for named in group:
            for name in named.names:
                plain = normalize(name).folded.strip()
                if len(plain) > 1:
                    names.setdefault(plain, {}).setdefault(kind, named.key)
                    if kind == "host" and " " in plain and len(first := plain.split()[0]) > 1:
                        first_names.setdefault(first, []).append({kind: named.key})
    for first, meanings in first_names.items():
        if first not in names and all(each == meanings[0] for each in meanings):
            names[first] = meanings[0]
    by_letter: dict[str, list[tuple[str, Kinds]]] = {}
    for name, kinds in names.items():
        by_letter.setdefault(name[0], []).append((name, kinds))
    return by_letter


# Facts


class _Days(NamedTuple):
    """A day or span that was written: resolved, or weekdays of which the week isn't known yet."""

    first: date | None = None
    last: date | None = None
    weekdays: Minutes | None = None
    """From this weekday to that one."""


class _Clock(NamedTuple):
    """A time that was written, which may be before or after noon."""

    minutes: int
    part: Minutes | None = None
    half: str = ""
    """am or pm."""
    written: bool = True
    """False for a bare number, which is a time only after a word such as "at"."""


@dataclass
class _Facts:
    """All that the rules found, in the order of the text."""

    days: list[_Days] = field(default_factory=list)
    bounds: list[tuple[str, _Days]] = field(default_factory=list)
    """after, from, before or until a day."""
    clocks: list[tuple[str, _Clock]] = field(default_factory=list)
    """at, after or before a time."""
    ranges: list[tuple[_Clock, _Clock]] = field(default_factory=list)
    parts: list[Minutes] = field(default_factory=list)
    excluded: set[int] = field(default_factory=set)
    party: list[int] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    soonest: bool = False
    groups: list[int] = field(default_factory=list)
    """Numbers of days that were written when an "or" came."""
    choice: bool = False
    """True where "or" or "and" was written."""


class _Reader:
    """Applies the rules to the tokens of one text."""

    def __init__(self, tokens: list[_Token], lexicon: Lexicon, now: datetime, offer: Offer) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.now = now
        self.today = now.date()
        self.offer = offer
        self.facts = _Facts()
        self.clocks_at: dict[int, tuple[_Clock, int] | None] = {}
        self.days_at: dict[tuple[int, date], tuple[_Days, int] | None] = {}
        """Readings by token, because several rules ask for the same one."""
        self.unused: list[int] = []
        """Tokens that no rule took."""

    # Reading

    def read(self) -> list[TimeQuery]:
        """Return the readings, the nearest first. Raises _Doubtful where nothing is certain."""
        if readings := self._read_halves():
            return readings
        self._collect()
        return self._readings()

    def _read_halves(self) -> list[TimeQuery]:
        """Read "tomorrow at 4 or Friday at 10", "Monday at 10, Tuesday at 4": two queries, each with day and time."""
        places = [[at for at, token in enumerate(self.tokens) if kind in token.kinds] for kind in ("or", "and", ",")]
        links = next(filter(None, places), [])
        if len(links) != 1:
            return []
        at = links[0]
        halves = [
            _Reader(tokens, self.lexicon, self.now, self.offer) for tokens in (self.tokens[:at], self.tokens[at + 1 :])
        ]
        try:
            for half in halves:
                half._collect()
            is_whole = all(
                half.facts.days and (half.facts.clocks or half.facts.ranges or half.facts.parts) for half in halves
            )
            if not is_whole:
                return []
            # A name, or how many they are, is said once for both.
            one, other = (half.facts for half in halves)
            for each, before in ((one, other), (other, one)):
                each.names = {**before.names, **each.names}
                each.party = each.party or before.party
                each.excluded |= before.excluded
            readings = [reading for half in halves for reading in half._readings()]
        except _Doubtful:
            return []
        # "Tuesday afternoon, the 8th at 3" is one query. "Monday at 3 I dance, so Tuesday at 4": ambiguous.
        days = _intersect([_Days(each.first, each.last) for each in readings])
        if links != places[0] and (days or any(word for half in halves for word in half.unparsed_words())):
            return []
        self.unused = [*halves[0].unused, *(index + at + 1 for index in halves[1].unused)]
        readings.sort(key=lambda query: (query.first or date.max, query.after or time.min))
        return readings[:MAX_READINGS]

    def _collect(self) -> None:
        """Fill the facts. Raises _Doubtful where a word that wasn't understood could change them."""
        index = 0
        rules: tuple[Callable[[int], int | None], ...] = (
            self._soonest,
            self._excluded,
            self._people,
            self._between,
            self._range,
            self._bound,
            self._day,
            self._time,
            self._part,
            self._name,
        )
        while index < len(self.tokens):
            # Each rule returns the index after what it took, or None.
            end = next((end for rule in rules if (end := rule(index)) is not None), None)
            if end is None:
                self.unused.append(index)
                if self._has(index, "or") or self._is_slash(index):
                    self.facts.groups.append(len(self.facts.days))
            index = index + 1 if end is None else end
        for each in self.unused:
            if self._is_slash(each):
                self.facts.choice = True
            else:
                self._check_unused(self.tokens[each])
        # "Monday, Tuesday"; but "Monday I work, so Tuesday" says what only people understand.
        if any(self._has(each, ",") for each in self.unused) and not any(self.unparsed_words()):
            self.facts.choice = True

    def _is_slash(self, index: int) -> bool:
        """Return True for the sign in "Mon/Wed"."""
        around = self.tokens[max(index - 1, 0) : index + 2]
        return self._has(index, "/") and not any(token.digits for token in around)

    def unparsed_words(self) -> Iterator[str]:
        """Yield the words that were not understood."""
        for index in self.unused:
            token = self.tokens[index]
            if token.is_word and not token.kinds.keys() & _HARMLESS:
                yield token.text

    def _check_unused(self, token: _Token) -> None:
        kinds = token.kinds
        if "or" in kinds or "and" in kinds:
            self.facts.choice = True
        if "filler" in kinds and "doubtful" not in kinds and not token.digits:
            return
        if token.digits or kinds.keys() & _DECISIVE:
            raise _Doubtful
        if kinds.get("number", 1) != 1:
            raise _Doubtful

    # Small helpers

    def _has(self, index: int, kind: str) -> bool:
        return index < len(self.tokens) and kind in self.tokens[index].kinds

    def _digits(self, index: int) -> int:
        return self.tokens[index].digits if index < len(self.tokens) else 0

    def _get(self, index: int, kind: str) -> Any:
        return self.tokens[index].kinds.get(kind) if index < len(self.tokens) else None

    def _skip(self, index: int, *kinds: str) -> int:
        """Return the index after the words of these kinds, at most three."""
        for _ in range(3):
            if any(self._has(index, kind) for kind in kinds):
                index += 1
        return index

    def _number(self, index: int) -> tuple[int, int] | None:
        """Read a number in digits or words: "twenty one" too. Return it and the index after it."""
        value = self._get(index, "number")
        if value is None:
            return None
        following = self._get(index + 1, "number")
        both_words = following is not None and not self.tokens[index].digits and not self.tokens[index + 1].digits
        if both_words and value in {20, 30, 40, 50} and 1 <= following <= 9:
            return value + following, index + 2
        return value, index + 1

    # Rules: other than days and times

    def _soonest(self, index: int) -> int | None:
        if not self._has(index, "soonest"):
            return None
        self.facts.soonest = True
        return index + 1

    def _name(self, index: int) -> int | None:
        kinds = self.tokens[index].kinds
        found = [kind for kind in NAMED if kind in kinds]
        if not found:
            return None
        self.facts.names.setdefault(found[0], []).append(kinds[found[0]])
        return index + 1

    def _people(self, index: int) -> int | None:
        """Read "for two", "2 people", "the two of us"."""
        if (count := self._get(index, "together")) is not None:
            self.facts.party.append(count)
            return self._skip(index + 1, "people")
        start = index + 1 if self._has(index, "for") else index
        number = self._number(start)
        if number is None:
            return None
        value, end = number
        if not 1 <= value <= MAX_PARTY:
            return None
        if self._has(end, "people"):
            self.facts.party.append(value)
            return end + 1
        # "pour un haircut": an article.
        if self._has(start, "one") and any(self._has(end, kind) for kind in NAMED):
            return None
        if start == index or any(self._has(end, kind) for kind in _UNITS) or self._starts_range(end):
            return None
        # "for the 3rd", "for 3 December", "for 3 pm": days and times.
        if self._longest(start) > end:
            return None
        self.facts.party.append(value)
        return end

    def _starts_range(self, index: int) -> bool:
        return self._has(index, "-") and self._has(index + 1, "number")

    def _longest(self, index: int) -> int:
        """Return the index after the day or the written time that begins here."""
        day, clock = self._parse_day(index, self.today), self._parse_clock(index)
        return max(day[1] if day else 0, clock[1] if clock and clock[0].written else 0)

    def _excluded(self, index: int) -> int | None:
        """Read "not Monday or Tuesday". "Not before 3" is from 3."""
        if behind := self._excluded_behind(index):
            return behind
        if not self._has(index, "not"):
            return None
        if index and all(
            self._has(at, kind) for at, kind in ((index - 1, "weekday"), (index, "not after"), (index + 1, "weekday"))
        ):
            raise _Doubtful  # one of them is not meant
        start = self._skip(index + 1, "on", "filler", "the")
        # Words such as "before" may also be filler.
        for at in (index + 1, start):
            for kind, other in (("before", "after"), ("after", "before"), ("until", "after")):
                found = self._operand(at + 1) if self._has(at, kind) else None
                if found and isinstance(found[0], _Clock):
                    self.facts.clocks.append((other, found[0]))
                    return found[1]
        end = None
        comma = by_comma = False
        while (weekday := self._get(start, "weekday")) is not None:
            self.facts.excluded.add(weekday)
            end = start + 1
            start, by_comma, comma = end, comma, False
            if any(self._has(start, kind) for kind in ("or", "and", ",")):
                start = self._skip(start, "or", "and", ",", "not", "filler")
                joined = (token for token in self.tokens[end:start] if token.kinds.keys() & {"or", "and", "not"})
                comma = all(token.text in {",", "，", "،"} for token in joined)
        if by_comma:
            raise _Doubtful  # "not Monday, Tuesday is better": without "and" it is hardly a list
        if end is None and self._has(start, "weekend"):
            self.facts.excluded |= {5, 6}
            end = start + 1
        return end

    def _excluded_behind(self, index: int) -> int | None:
        """Read "el lunes no", "月曜以外"."""
        weekdays: list[int] = []
        end = index
        while len(weekdays) < 7 and (weekday := self._get(end, "weekday")) is not None:
            weekdays.append(weekday)
            end += 1
            if any(self._has(end, kind) for kind in ("or", "and", ",", "filler")) and self._has(end + 1, "weekday"):
                end += 1
        end = self._skip(end, "filler") if not self._has(end, "not after") else end
        if not weekdays or not self._has(end, "not after"):
            return None
        # "el lunes no antes de las 3": no word about Monday. "salı değil çarşamba": not Tuesday, but Wednesday.
        if (self._has(end, "not") and self._operand(end + 1)) or any(
            self._has(end + 1, kind) for kind in ("before", "after", "until")
        ):
            return None
        self.facts.excluded |= set(weekdays)
        return end + 1

    # Rules: days and times

    def _between(self, index: int) -> int | None:
        """Read "between Monday and Wednesday", "between 2 and 4"."""
        if not self._has(index, "between"):
            return None
        return self._pair(index + 1, ("and", "to", "-", "until"))

    def _range(self, index: int) -> int | None:
        """Read "from 2 to 4", "Monday to Wednesday", "2-4 pm"."""
        opened = self._has(index, "from")
        # "del 10 al 12", "du 10 au 12": days, unlike "de 10 a 12".
        if opened and self._has(index, "the") and (end := self._pair_of_numbers(index, ("to", "-"))):
            return end
        links = ("to", "-", "until", "and") if opened else ("to", "-")
        if (opened or self._has(index, "after")) and (end := self._pair(index + 1, links)):
            return end
        if end := self._pair(index, ("to", "-"), opened=self._has(index, "at") and not self._has(index, "the")):
            return end
        if any(self._has(at, "between after") for at in range(index + 3, index + 9)):
            return self._pair(index, ("and", "to", "-"))
        return None

    def _pair(self, index: int, links: tuple[str, ...], *, opened: bool = True) -> int | None:
        """Read two days or two times with a link between them. `opened` is False where no word says that they come."""
        starts = (index, self._skip(index, "filler", "at", "the")) if opened else (index,)
        for start in dict.fromkeys(starts):
            if end := self._pair_of_numbers(start, links):
                return end
            for first, end in self._operands(start):
                link = self._find_link(end, links)
                if link is None:
                    continue
                bare = isinstance(first, _Clock) and not first.written
                if pair := self._pair_with(first, link, bare_allowed=opened or not bare or self._fits_bare(end)):
                    return pair
        return None

    def _fits_bare(self, index: int) -> bool:
        """Return True where "2-4" can only be times: a day is said, and its numbers aren't a date."""
        if not self._has(index, "-"):
            # "tomorrow 9 to 5"
            return bool(self.facts.days) and self.tokens[index - 1].digits > 0 < self._digits(index + 1)
        following = self._parse_day(self._skip(index + 2, "filler", "the"), self.today)
        return bool(self.facts.days or self.facts.bounds or (following and self._get(index + 2, "month") is None))

    def _find_link(self, index: int, links: tuple[str, ...]) -> int | None:
        """Return the index after the word that links two ends."""
        for at in (index, self._skip(index, "from after", "filler") if self._has(index, "from after") else index):
            if any(self._has(at, link) for link in links):
                # "2 - until 4", "to the 5th"
                return self._skip(at + 1, "-", "at")
        # "2時から4時": the first end says that it is one.
        if self._has(index, "from after") and self._operand(index + 1):
            return index + 1
        return None

    def _pair_with(self, first: _Days | _Clock, index: int, *, bare_allowed: bool) -> int | None:
        for start in dict.fromkeys((index, self._skip(index, "filler", "the", "at", "around"))):
            if isinstance(first, _Clock):
                clock = self._parse_clock(start)
                if clock is None or not (bare_allowed or clock[0].written or self._has(clock[1], "between after")):
                    continue
                second, end = clock
                if not second.written and self._has(end, "people"):
                    continue  # "at ten, for three people", where one word is "to" and "for"
                # "from 3 to 5 December", "from 3 to the 5th": numbers of days.
                day = self._parse_day(start, self.today)
                if day and day[1] > end:
                    continue
                self.facts.ranges.append((first, second))
                return self._skip(end, "until after", "between after")
            base = first.first or self.today
            clock = self._parse_clock(start)
            day = self._parse_day(start, base)
            # "domingo às dez e quinze": at a quarter past ten, rather than to December
            if day and not (clock and clock[1] > day[1]):
                days, end = day
                self.facts.days.append(self._join_days(first, days))
                return self._skip(end, "until after", "between after")
        return None

    def _join_days(self, first: _Days, last: _Days) -> _Days:
        if first.weekdays and last.weekdays:
            return _Days(weekdays=(first.weekdays[0], last.weekdays[1]))
        begin = self._resolve(first, self.today)
        end = self._resolve(last, begin[0] or self.today)
        if begin[0] is None or end[1] is None or end[1] < begin[0]:
            raise _Doubtful
        return _Days(begin[0], end[1])

    def _pair_of_numbers(self, index: int, links: tuple[str, ...]) -> int | None:
        """Read "3 to 5 December", "December 3-5", "3.-5.", "the 3rd to the 5th" with one month for both."""
        at, month = index, None
        if (value := self._get(at, "month")) is not None and (
            self._get(at + 1, "number") is not None
            or self._get(at + 1, "ordinal") is not None
            or self._has(at + 1, "the")
        ):
            at, month = at + 1, value
        first = self._day_number(at)
        if first is None:
            return None
        link = self._find_link(first[1], links)
        if link is None:
            return None
        last = self._day_number(link)
        if last is None:
            return None
        end = last[1]
        if month is None:
            after = self._skip(end, "of") if self._has(end, "of") else end
            month, after = self._month_at(after)
            if month is not None:
                end = after
        if month is not None:
            begin = self._date(month, first[0], None, self.today)
            until = self._date(month, last[0], None, begin) if begin else None
        elif self._is_written_day(at, first[1]) and self._is_written_day(
            link - 1 if self._has(link - 1, "the") else link, last[1]
        ):
            begin = self._day_of_month(first[0], self.today)
            until = self._day_of_month(last[0], begin) if begin else None
        else:
            return None
        if begin is None or until is None or (until - begin).days > 31:
            raise _Doubtful
        self.facts.days.append(_Days(begin, until))
        return end

    def _is_written_day(self, index: int, end: int) -> bool:
        """Return True where a number has a word or an ending that makes it a day."""
        if self._has(index, "the") or self._has(index, "day before") or self._get(index, "ordinal") is not None:
            return not self._has(end, "hour")
        return self._has(end - 1, "day after") or self._has(end - 1, ".")

    def _bound(self, index: int) -> int | None:
        """Read "after Tuesday", "until 4", "at 10", and the same with the word behind."""
        for op in ("from", "after", "before", "until", "around", "at"):
            if not self._has(index, op):
                continue
            if op in {"before", "after"} and self._has(index, "in") and self._amount(index + 1)[1]:
                return None  # a word that is "after" and "in": "in three days"
            is_article = op == "at" and self._has(index, "the") and not self._touching(index + 1)
            if is_article and self._get(index + 1, "number") not in {None, 1}:
                continue  # "l'undici" is a day, "l'una" an hour
            if end := self._bound_after(index, op):
                return end
        for operand, end in self._operands(index):
            if isinstance(operand, _Clock) and operand.minutes > _DAY:
                continue
            for kind, op in _BEHIND.items():
                if self._has(end, kind) and not self._begins_other(end, op):
                    self._add_bound(op, operand)
                    return self._skip(end + 1, kind)
        return None

    def _bound_after(self, index: int, op: str) -> int | None:
        """Read the day or the time after a word such as "before"."""
        # A word that is also a preposition of another kind must stand right before it.
        weak = self._has(index, "filler")
        skipped = ("at", "the", "-") if weak else ("at", "around", "filler", "the", "of", "-")
        for start in dict.fromkeys((index + 1, self._skip(index + 1, *skipped))):
            if excluded := self._excluded_behind(start):
                return excluded
            # "vor 3 Wochen": neither a time nor certain.
            if op in {"before", "after"} and self._amount(start)[1]:
                raise _Doubtful
            found = self._operand(start)
            if op == "around":
                # "בערך בעשר": a time rather than the 10th
                found = self._parse_clock(self._skip(start, "at", "the")) or found
            if found is None or (weak and self._is_article(start, found)):
                continue
            operand, end = found
            # "el tres del doce": of the twelfth month, or from twelve on?
            if op == "from" and self._has(index, "the") and isinstance(operand, _Clock) and not operand.written:
                day = self._parse_day(index, self.today)
                if day is None or self.facts.days:
                    raise _Doubtful
                operand, end = day  # "la tarde del 15", "dal 15"
            # "around Christmas"; but 约 is also "book"
            if isinstance(operand, _Days) and op == "around" and not weak:
                raise _Doubtful
            behind = next((kind for kind in _BEHIND if self._has(end, kind)), None)
            if behind and op in {"at", "around", "from"}:
                self._add_bound(_BEHIND[behind], operand)
                return end + 1
            # "before Friday noon" is neither whole days nor an hour of each
            if op in {"before", "until"} and isinstance(operand, _Days):
                clock = self._parse_clock(self._skip(end, "at"))
                if clock and (clock[0].written or self._has(end, "at")):
                    raise _Doubtful
            # "до пятницы включительно"
            if op == "before" and isinstance(operand, _Days) and self._has(end, "until after"):
                self._add_bound("until", operand)
                return end + 1
            # "la mañana del sábado": of, rather than from
            is_of = op == "from" and self._has(index, "of") and isinstance(operand, _Days)
            self._add_bound("at" if is_of else op, operand)
            return end
        return None

    def _is_article(self, index: int, found: tuple[_Days | _Clock, int]) -> bool:
        """Return True where a word for one is no time: "de um corte"."""
        operand, end = found
        one = self._has(index, "one") or self._has(index, "filler")
        return isinstance(operand, _Clock) and not operand.written and one and end == index + 1

    def _begins_other(self, index: int, op: str) -> bool:
        """Return True where a word that may stand behind belongs to what comes after it: "Tuesday after 3"."""
        return self._has(index, op) and self._operand(self._skip(index + 1, "filler", "at", "the")) is not None

    def _add_bound(self, op: str, operand: _Days | _Clock) -> None:
        if isinstance(operand, _Days):
            # In Hebrew and Arabic one word is "at" and "on".
            if op in {"at", "around"}:
                self.facts.days.append(operand)
            else:
                self.facts.bounds.append((op, operand))
        else:
            self.facts.clocks.append(({"from": "after", "until": "before", "around": "at"}.get(op, op), operand))

    def _operand(self, index: int) -> tuple[_Days | _Clock, int] | None:
        """Read a day or a time, of which a bare number is one here. The longer wins, a written time before a day."""
        return next(iter(self._operands(index)), None)

    def _operands(self, index: int) -> list[tuple[_Days | _Clock, int]]:
        found: list[tuple[_Days | _Clock, int]] = []
        if clock := self._parse_clock(index):
            found.append(clock)
        if day := self._parse_day(index, self.today):
            found.append(day)
        # The longer; of the same length a day before a bare number.
        return sorted(found, key=lambda each: (-each[1], isinstance(each[0], _Clock) and not each[0].written))

    def _day(self, index: int) -> int | None:
        day = self._parse_day(index, self.today)
        clock = self._parse_clock(index)
        # Hebrew שני is Monday and "two", but no hour: "שני בערב".
        either = self._has(index, "weekday") and self._has(index, "number") and clock and clock[0].part
        if day is None or (clock and clock[0].written and clock[1] >= day[1] and not either):
            return None
        self.facts.days.append(day[0])
        # "tonight" is also a part of the day, unlike "mañana", which is either.
        if day[1] == index + 1 and (self._has(index, "day and part") or not self.lexicon.spaced):
            self.facts.parts += [self._get(index, "part")] if self._has(index, "part") else []
        return day[1]

    def _time(self, index: int) -> int | None:
        clock = self._parse_clock(index)
        if clock is None:
            return None
        if not clock[0].written:
            # "3 or 4 pm"
            other = self._parse_clock(clock[1] + 1) if self._has(clock[1], "or") else None
            if other is None or not other[0].written or self._has(index, "one"):
                return None
            self.facts.clocks.append(("at", clock[0]._replace(half=other[0].half, part=other[0].part)))
            self.facts.choice = True
            return clock[1] + 1
        self.facts.clocks.append(("at", clock[0]))
        return self._skip(clock[1], "around after")

    def _part(self, index: int) -> int | None:
        """Read "in the morning", "this afternoon" (which is today's)."""
        start = index
        today = False
        if self._has(index, "this"):
            start, today = index + 1, True
        part = self._get(start, "part")
        if part is None and not today:
            # "tomorrow PM"
            part = (0, 720) if self._has(start, "am") else (720, _DAY) if self._has(start, "pm") else None
        if part is None:
            return None
        end = start + 1
        if self._has(end, "this after"):
            end, today = end + 1, True
        if today:
            self.facts.days.append(_Days(self.today, self.today))
        self.facts.parts.append(part)
        return end

    # Times

    def _parse_clock(self, index: int) -> tuple[_Clock, int] | None:
        """Read a time. Return it and the index after it."""
        if index not in self.clocks_at:
            self.clocks_at[index] = self._read_clock(index)
        return self.clocks_at[index]

    def _read_clock(self, index: int) -> tuple[_Clock, int] | None:
        if (minutes := self._get(index, "clock")) is not None:
            # "midi et demi"
            offset = next((each for kind, each in _AFTER_HOUR.items() if self._has(index + 1, kind)), 0)
            return _Clock((minutes + offset) % _DAY), index + (2 if offset else 1)
        # 下午3点
        for kind in ("am", "pm", "part"):
            value = self._get(index, kind)
            if value is not None and not self.lexicon.spaced | self._has(index, "relative day"):
                after = self._skip(index + 1, "filler")
                for start in dict.fromkeys((index + 1, after)):
                    if clock := self._parse_hour(start):
                        return self._with_part(clock[0], kind, value), clock[1]
        # am 3, บ่าย 3: before the number in some languages with spaces, too.
        for kind in ("am", "pm"):
            if self._has(index, kind) and self.lexicon.spaced and (clock := self._parse_hour(index + 1)):
                return self._with_part(clock[0], kind, True), clock[1]
        clock = self._parse_hour(index)
        if clock is None:
            return None
        found, end = clock
        if not found.written and self._has(end, "people"):
            return None
        # "12 noon", "las 12 del mediodía"
        if found.minutes % 720 == 0 and (minutes := self._get(end, "clock")) is not None:
            return _Clock(minutes), end + 1
        for kind in ("am", "pm", "part"):
            value = self._get(end, kind)
            if value is not None and (kind != "part" or not self._begins_part(end)):
                return self._with_part(found, kind, value), end + 1
        return found, end

    def _begins_part(self, index: int) -> bool:
        """Return True where a part of the day belongs to what follows: "um 10 morgen"."""
        return self._has(index, "relative day") and not self._has(index, "this")

    def _with_part(self, clock: _Clock, kind: str, value: Any) -> _Clock:
        if kind == "part":
            return clock._replace(part=value, written=True)
        return clock._replace(half=kind, written=True)

    def _parse_hour(self, index: int) -> tuple[_Clock, int] | None:
        """Read hours and minutes, without a part of the day."""
        if found := self._parse_hour_word(index):
            return found
        number = self._number(index)
        if number is None:
            return None
        value, end = number
        if self.tokens[index].digits > 2:
            return self._parse_military(index)
        if minutes := self._parse_minutes_before(index, value, end):
            return minutes
        if value > 24:
            return None
        if self.tokens[index].digits and any(self._has(end, sign) for sign in (":", ".")):
            if found := self._parse_digits(value, end):
                return found
            if self._has(end, ":") or self._has(end + 2, "."):
                return None
        return self._parse_after_hour(value, end)

    def _parse_hour_word(self, index: int) -> tuple[_Clock, int] | None:
        """Read "half past three", "halb vier", "полчетвёртого", "o dziesiątej"."""
        if (hour := self._get(index, "half hours")) is not None:
            return _Clock(hour * 60 + 30), self._skip(index + 1, "hour")
        for kind, offset in _BEFORE_HOUR.items():
            if self._has(index, kind):
                # A number may also be filler: Hindi दो is "two" and "give".
                for start in dict.fromkeys((index + 1, self._skip(index + 1, "at", "filler", "the", "to"))):
                    number = self._hour_number(start)
                    if number is None and kind in {"half to", "quarter into"} and self._has(start, "ordinal"):
                        number = self._get(start, "ordinal"), start + 1  # "четверть десятого"
                    if number and 1 <= number[0] <= 24:
                        return self._clock(number[0], offset, self._skip(number[1], "hour"))
        if (hour := self._get(index, "hour word")) is not None:
            return self._parse_after_hour(hour, index + 1, written=True)
        return None

    def _parse_digits(self, value: int, end: int) -> tuple[_Clock, int] | None:
        """Read the rest of "3:30" and "15.30". "3.12." is a date."""
        minute = self._get(end + 1, "number")
        if minute is None or not (self._touching(end) and self._touching(end + 1)):
            return None
        dotted = self._has(end, ".")
        if self.tokens[end + 1].digits != 2 or minute > 59 or (dotted and self._has(end + 2, ".")):
            return None
        followed = self._has(end + 2, "hour")
        if dotted and minute % 5 and not followed:
            return None  # "17.12" is a date, even where days come second
        if dotted and not followed and not self.lexicon.spaced and self._is_date(value, minute):
            return None  # 12.15 is a date in Chinese, Japanese and Korean
        # In English, where months come first, a date has no dots: "9.30" is said of hours.
        is_date = self._is_date(value, minute) and not (self.lexicon.month_first and minute % 15 == 0)
        written = not dotted or followed or not is_date
        return _Clock(value * 60 + minute, written=written), end + 2 + followed

    def _hour_number(self, index: int) -> tuple[int, int] | None:
        if (hour := self._get(index, "hour word")) is not None:
            return hour, index + 1
        return self._number(index)

    def _parse_after_hour(self, value: int, end: int, *, written: bool = False) -> tuple[_Clock, int]:
        if self._has(end, "hour"):
            written, end = True, end + 1
        for kind, offset in _AFTER_HOUR.items():
            if self._has(end, kind):
                after = self._skip(end + 1, "hour")
                return self._clock(value, offset, after) or (_Clock(value * 60), end)
        for kind, factor in (("and minutes", 1), ("less minutes", -1)):
            minutes = self._number(end + 1) if self._has(end, kind) else None
            if minutes is None or minutes[0] > 59 or minutes[0] % 5 or self._has(minutes[1], "hour"):
                continue
            if written or kind == "less minutes" or minutes[0] > 12:
                clock = self._clock(value, factor * minutes[0], self._skip(minutes[1], "minute"))
                if clock:
                    return clock
        if written and (minutes := self._number(end)) and minutes[0] < 60:
            # 15h30, 3点30分, 14 Uhr 30: not "15 Uhr 3 Personen".
            if self._has(minutes[1], "minute"):
                return _Clock(value * 60 + minutes[0]), minutes[1] + 1
            two_digits = self.tokens[end].digits in {0, 2}
            if two_digits and not any(
                self._has(minutes[1], kind) for kind in ("people", "month", ".", "unit", "hour", ":")
            ):
                return _Clock(value * 60 + minutes[0]), minutes[1]
        return _Clock(value * 60, written=written), end

    def _parse_minutes_before(self, index: int, value: int, end: int) -> tuple[_Clock, int] | None:
        """Read "ten past three", "10 minutes to 3"."""
        if not 1 <= value < 60:
            return None
        after = self._skip(end, "minute")
        for kind, factor in (("minutes past", 1), ("minutes to", -1)):
            if self._has(after, kind) and (after > end or value in {5, 10, 15, 20, 25}):
                start = after + 1
                half = self._parse_hour_word(start)
                if half and half[0].minutes % 60 and not self._has(start, "hour word"):
                    return half[0]._replace(minutes=half[0].minutes + factor * value), half[1]
                number = self._hour_number(start)
                # "10 to 12" may be from ten to twelve.
                if number is None or not 1 <= number[0] <= 24 or (self._has(after, "to") and after == end):
                    continue
                if self.tokens[index].digits and after == end:
                    continue
                return self._clock(number[0], factor * value, self._skip(number[1], "hour"))
        return None

    def _parse_military(self, index: int) -> tuple[_Clock, int] | None:
        """Read "1530" beside a word for the hour: otherwise four digits may be anything."""
        token = self.tokens[index]
        value = token.kinds["number"]
        if token.digits == 4 and value // 100 < 24 and value % 100 < 60:
            if self._has(index + 1, "hour"):
                return _Clock(value // 100 * 60 + value % 100), index + 2
            if self._has(index - 1, "@"):
                return _Clock(value // 100 * 60 + value % 100), index + 1
        return None

    def _clock(self, hour: int, offset: int, end: int) -> tuple[_Clock, int] | None:
        # "half to one" is half past noon.
        minutes = (13 if hour == 1 and offset < 0 else hour) * 60 + offset
        return (_Clock(minutes), end) if 0 <= minutes <= _DAY else None

    def _touching(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].touches

    def _is_date(self, one: int, other: int) -> bool:
        """Return True where "3.12" is a date: then it is a time only by a word that says so."""
        month, day = (one, other) if self.lexicon.month_first else (other, one)
        return 1 <= month <= 12 and 1 <= day <= 31

    # Days

    def _parse_day(self, index: int, base: date) -> tuple[_Days, int] | None:
        """Read a day or a span of days that begins on `base` or later. Return it and the index after it."""
        if (index, base) not in self.days_at:
            self.days_at[index, base] = self._read_day(index, base)
        return self.days_at[index, base]

    def _read_day(self, index: int, base: date) -> tuple[_Days, int] | None:
        if index >= len(self.tokens):
            return None
        for rule in (
            self._of_other_month,
            self._nth_weekday,
            self._relative,
            self._moved,
            self._modified,
            self._dated,
            self._section,
            self._plain_day,
        ):
            if found := rule(index, base):
                return found
        return None

    def _of_other_month(self, index: int, _base: date) -> tuple[_Days, int] | None:
        """Read "the 5th of next month", "来月5日": a number that is said to be a day, on either side."""
        number: tuple[int, int] | None
        if month := self._other_month(index):
            first, at = month
            for start in dict.fromkeys((at, self._skip(at, "of", "filler"))):
                number = self._day_number(start)
                others = ("unit", "weekday", "people", "hour", "month")
                if number and self._is_marked(start, number[1]) and not any(self._has(number[1], k) for k in others):
                    return self._day_in(first, number[0]), number[1]
            return None
        number = self._day_number(index)
        if number and self._is_day_sized(index):
            at = self._skip(number[1], "of", "the")
            if (month := self._other_month(at)) and (at > number[1] or self._is_marked(index, number[1])):
                return self._day_in(month[0], number[0]), month[1]
        return None

    def _day_in(self, first: date, number: int) -> _Days:
        found = self._date(first.month, number, first.year, self.today)
        if found is None:
            raise _Doubtful
        return _Days(found, found)

    def _nth_weekday(self, index: int, base: date) -> tuple[_Days, int] | None:
        """Read "the first Saturday in January"."""
        at = self._skip(index, "the")
        nth = self._get(at, "ordinal") or self._get(at, "hour word")
        weekday, month_at = self._get(at + 1, "weekday"), self._skip(at + 2, "of", "in", "filler")
        month = self._get(month_at, "month")
        if nth is None or weekday is None or month is None:
            return None
        for year in (base.year, base.year + 1):
            first, last = _month_span(year, month)
            day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
            if base <= day <= last:
                return _Days(day, day), month_at + 1
        raise _Doubtful

    def _relative(self, index: int, _base: date) -> tuple[_Days, int] | None:
        """Read CLDR's own words: "tomorrow", "next week", "nächsten Dienstag"."""
        if (offset := self._get(index, "relative day")) is not None:
            if offset < 0:
                raise _Doubtful
            # "heute in 14 Tagen", "morgen in einer Woche"
            day = self.today + timedelta(days=offset)
            if moved := self._moved_from(index + 1, day):
                return moved
            return _Days(day, day), index + 1
        if (offset := self._get(index, "relative week")) is not None:
            return self._future(self._week(offset)), index + 1
        if (offset := self._get(index, "relative weekend")) is not None:
            monday = self._week(offset)[0]
            return _Days(monday + timedelta(days=5), monday + timedelta(days=6)), index + 1
        if (offset := self._get(index, "relative month")) is not None:
            return self._future(self._month(offset)), index + 1
        if (value := self._get(index, "relative weekday")) is not None:
            offset, weekday, strict = value
            if offset < 0:
                raise _Doubtful
            if strict:
                monday = self._week(offset)[0]
                day = monday + timedelta(days=weekday)
                return self._future((day, day)), index + 1
            return self._written_weekday(weekday, this=offset == 0), index + 1
        return None

    def _moved_from(self, index: int, day: date) -> tuple[_Days, int] | None:
        """Read "in two weeks" after a day."""
        if self._has(index, "week later"):
            return _Days(day + timedelta(days=7), day + timedelta(days=7)), index + 1
        if not self._has(index, "in"):
            return None
        number, unit, end = self._amount(index + 1)
        if unit not in {"day", "week"} or self._has(end - 1, "relative day"):
            return None
        moved = day + timedelta(days=number * (7 if unit == "week" else 1))
        return _Days(moved, moved), end

    def _amount(self, index: int) -> tuple[int, str, int]:
        """Read a number of days, weeks or months: "2 weeks", "a week", "fortnight". Without them the unit is empty."""
        if (counted := self._get(index, "counted")) is not None:
            return counted[0], counted[1], index + 1
        value, end = self._number(index) or (0, index)
        if not value and self._has(index, "one"):
            value, end = 1, index + 1
        unit = self._get(end, "unit") if value else None
        return (value, unit, end + 1) if unit else (0, "", index)

    def _moved(self, index: int, _base: date) -> tuple[_Days, int] | None:
        """Read "in two weeks", "two weeks from now", "within three days", "the next three days"."""
        if self._has(index, "within") or self._has(index, "next"):
            start = self._skip(index + 1, "filler") if self._has(index, "within") else index + 1
            for at in dict.fromkeys((index + 1, start)):
                number, unit, end = self._amount(at)
                if unit and (self._has(index, "within") or number > 1):
                    return _Days(self.today, self._add_units(number, unit)[1]), end
        if self._has(index, "in"):
            number, unit, end = self._amount(index + 1)
            if unit:
                first, last = self._add_units(number, unit)
                return _Days(first, last), self._skip(end, "in after")
            is_other = self._has(index, "at") or self._has(index, "after") or not self.lexicon.spaced
            hours = None if is_other else self._number(index + 1)
            if hours and self._has(hours[1], "hour") and not self._touching(hours[1]):
                raise _Doubtful  # "dans 2 heures" is not at two
        if self._has(index, "week later") and not self._has(index, "unit"):
            first, last = self._add_units(1, "week")
            return _Days(first, last), index + 1
        number, unit, end = self._amount(index)
        if unit and self._has(end, "in after"):
            first, last = self._add_units(number, unit)
            # "3日以内": within
            return _Days(self.today if self._has(end, "until after") else first, last), end + 1
        return None

    def _add_units(self, number: int, unit: str) -> tuple[date, date]:
        if number > MAX_DAYS_AHEAD:
            raise _Doubtful
        if unit == "day":
            day = self.today + timedelta(days=number)
            return day, day
        if unit == "week":
            return self._future(self._week(number))[:2]  # type: ignore[return-value]
        return self._future(self._month(number))[:2]  # type: ignore[return-value]

    def _modified(self, index: int, _base: date) -> tuple[_Days, int] | None:
        """Read "this weekend", "next month", "la semaine prochaine"."""
        for kind, offset in (("next", 1), ("this", 0)):
            if self._has(index, kind):
                for start in dict.fromkeys((index + 1, self._skip(index + 1, "filler"))):
                    if found := self._modify(start, offset):
                        return found
            if self._has(index + 1, f"{kind} after") and (found := self._modify(index, offset)):
                # "thứ sáu sau đám cưới": Friday after the wedding
                if self._has(index + 1, "to") and self._parse_day(index + 2, self.today):
                    continue  # "thứ năm tới thứ bảy": to Saturday
                unknown = index + 2 < len(self.tokens) and not self.tokens[index + 2].kinds
                if unknown and self._has(index + 1, "after"):
                    raise _Doubtful
                return found[0], index + 2
        return None

    def _modify(self, index: int, offset: int) -> tuple[_Days, int] | None:
        unit = self._get(index, "unit")
        # In Indonesian one word is Sunday and week.
        if unit != "week" and (weekday := self._get(index, "weekday")) is not None:
            return self._written_weekday(weekday, this=offset == 0), index + 1
        if self._has(index, "weekend"):
            monday = self._week(offset)[0]
            return self._future((monday + timedelta(days=5), monday + timedelta(days=6))), index + 1
        if unit == "week":
            return self._future(self._week(offset)), index + 1
        if unit == "month":
            return self._future(self._month(offset)), index + 1
        if (month := self._get(index, "month")) is not None:
            return self._written_month(month, None), index + 1
        return None

    def _dated(self, index: int, base: date) -> tuple[_Days, int] | None:
        """Read a date: "December 3", "3/12", "the 3rd", "12月3日", "2026-12-03"."""
        token = self.tokens[index] if index < len(self.tokens) else None
        if token is None:
            return None
        for rule in (self._iso, self._with_month, self._in_digits, self._asian, self._of_month):
            if found := rule(index):
                month, day, year, end = found
                dated = self._day_of_month(day, base) if month is None else self._date(month, day, year, base)
                if dated is None:
                    raise _Doubtful
                return _Days(dated, dated), end
        return None

    def _iso(self, index: int) -> tuple[int | None, int, int | None, int] | None:
        tokens = self.tokens[index : index + 5]
        if len(tokens) < 5 or tokens[0].digits != 4 or "-" not in tokens[1].kinds or "-" not in tokens[3].kinds:
            return None
        if tokens[2].digits != 2 or tokens[4].digits != 2:
            return None
        return tokens[2].kinds["number"], tokens[4].kinds["number"], tokens[0].kinds["number"], index + 5

    def _day_number(self, index: int) -> tuple[int, int] | None:
        """Read the number of a day, with the words around it: "the 3rd", "3.", "third"."""
        at = index
        while at < index + 2 and (self._has(at, "the") or self._has(at, "day before")):
            at += 1
        if (ordinal := self._get(at, "ordinal")) is not None:
            return ordinal, at + 1
        number = self._number(at)
        if number is None or not 1 <= number[0] <= 31 or self.tokens[at].digits > 2:
            return None
        end = number[1]
        dotted = self._has(end, ".") and self._touching(end) and not self._has(end + 1, "number")
        # "9º" is written "9o" too, but "9 o 10" is "9 or 10".
        ending = self._has(end, "day after") and (self._touching(end) or not self._has(end, "or"))
        marked = dotted or (ending and not self._begins_other_day(end))
        return number[0], end + marked

    def _begins_other_day(self, index: int) -> bool:
        return not self._touching(index) and self._has(index, "weekday")

    def _with_month(self, index: int) -> tuple[int | None, int, int | None, int] | None:
        """Read a day and the name of its month, in either order."""
        if (number := self._day_number(index)) and self._is_day_sized(index):
            at = self._skip(number[1], "of") if self._has(number[1], "of") else number[1]
            month = self._get(at, "month")
            if month is not None:
                year, end = self._year(at + 1)
                return month, number[0], year, end
            if (month := self._shared_month(index, number[1])) is not None:
                return month, number[0], None, number[1]
        month = self._get(index, "month")
        if month is not None and self._has(index, "weekday") and not self.lexicon.month_first:
            return None  # "mar 8" is Tuesday the 8th, "8 mar" is in March
        if month is not None:
            # "December 2027" is no day, "December 3 pm" is no date.
            at = self._skip(index + 1, "of") if self._has(index + 1, "of") else index + 1
            number = self._day_number(at)
            if number and not self._is_hour(at, number[1]):
                year, end = self._year(number[1])
                return month, number[0], year, end
        return None

    def _is_marked(self, start: int, end: int) -> bool:
        return end > start + 1 or self._get(start, "ordinal") is not None

    def _other_month(self, index: int) -> tuple[date, int] | None:
        """Read "next month", "this month". Return its first day and the index after it."""
        if (offset := self._get(index, "relative month")) is not None and offset >= 0:
            return self._month(offset)[0], index + 1
        for offset, before, behind in ((1, "next", "next after"), (0, "this", "this after")):
            if (self._has(index, before) and self._get(index + 1, "unit") == "month") or (
                self._get(index, "unit") == "month" and self._has(index + 1, behind)
            ):
                return self._month(offset)[0], index + 2
        return None

    def _shared_month(self, index: int, end: int) -> int | None:
        """Return the month of both days in "the 8th or 9th of January"."""
        is_hour = self._has(index - 1, "at") and end == index + 1
        if is_hour or not (self._has(end, "or") or self._has(end, "and")):
            return None
        second = self._day_number(self._skip(end + 1, "filler"))
        return self._get(self._skip(second[1], "of"), "month") if second else None

    def _is_day_sized(self, index: int) -> bool:
        at = index
        while at < index + 2 and (self._has(at, "the") or self._has(at, "day before")):
            at += 1
        return at < len(self.tokens) and self.tokens[at].digits <= 2

    def _is_hour(self, start: int, end: int) -> bool:
        clock = self._parse_clock(start)
        return clock is not None and clock[0].written and clock[1] >= end

    def _year(self, index: int) -> tuple[int | None, int]:
        at = self._skip(index, "of", ",") if any(self._has(index, kind) for kind in ("of", ",")) else index
        if at < len(self.tokens) and self.tokens[at].digits == 4:
            year = self.tokens[at].kinds["number"]
            if not self._has(at + 1, "hour"):
                return year, self._skip(at + 1, "year after")
        return None, index

    def _in_digits(self, index: int) -> tuple[int | None, int, int | None, int] | None:
        """Read "3/12", "3.12.", "3/12/2026"."""
        index += self._has(index, "the") or self._has(index, "day before")
        if index >= len(self.tokens) or not 1 <= (first := self.tokens[index]).digits <= 2:
            return None
        for sign in ("/", ".", "-"):
            if not (self._has(index + 1, sign) and self._touching(index + 1) and self._touching(index + 2)):
                continue
            second = self.tokens[index + 2]
            if not 1 <= second.digits <= 2:
                continue
            end, year = index + 3, None
            if self._has(end, sign) and self._touching(end):
                if end + 1 < len(self.tokens) and self._touching(end + 1) and self.tokens[end + 1].digits in {2, 4}:
                    year = self.tokens[end + 1].kinds["number"]
                    year, end = (year + 2000 if year < 100 else year), end + 2
                elif sign == ".":
                    end += 1
                else:
                    continue
            elif sign == "-" and not (first.kinds["number"] > 12 >= second.kinds["number"] or first.text[0] == "0"):
                continue  # "3-12" is a range, "18-12" is a date
            elif sign == "." and self._has(end, "hour"):
                return None
            one, other = first.kinds["number"], second.kinds["number"]
            month, day = (one, other) if self.lexicon.month_first else (other, one)
            if month > 12 and day <= 12:
                month, day = day, month
            if sign == "." and month > 12:
                return None  # "16.30" is a time
            return month, day, year, end
        return None

    def _asian(self, index: int) -> tuple[int | None, int, int | None, int] | None:
        """Read "12月3日", "2026年12月3日" and "ngày 3 tháng 12"."""
        at, year = index, None
        if self.tokens[at].digits == 4 and self._has(at + 1, "year after"):
            year, at = self.tokens[at].kinds["number"], at + 2
        number = self._number(at)
        if number and self._has(number[1], "month after") and 1 <= number[0] <= 12:
            day = self._day_number(self._skip(number[1] + 1, "filler") if self.lexicon.spaced else number[1] + 1)
            if day:
                return number[0], day[0], year, day[1]
        day = self._day_number(index)
        if day and self._has(day[1], "month before"):
            month = self._number(day[1] + 1)
            if month and 1 <= month[0] <= 12:
                year, end = self._year(month[1])
                return month[0], day[0], year, end
        return None

    def _of_month(self, index: int) -> tuple[int | None, int, int | None, int] | None:
        """Read a day without its month: "the 20th", "the 20", "20日"."""
        number = self._day_number(index)
        if number is None:
            return None
        value, end = number
        said = 0
        while said < 2 and (self._has(index + said, "the") or self._has(index + said, "day before")):
            said += 1
        marked = end - index > said + 1
        ordinal = self._get(index + said, "ordinal") is not None
        if not (said or marked or ordinal) or (self._has(index, "at") and self._has(index + said, "one")):
            return None  # "l'una" is an hour
        # Not "the 3 pm"; but "le 5 au matin" is the 5th, in the morning.
        hours = ("hour", "am", "pm", *_AFTER_HOUR)
        if not self._is_day_sized(index) or (not marked and any(self._has(end, kind) for kind in hours)):
            return None
        # "3日後" is in three days, "15号以后" is from the 15th.
        counted = self._has(end, "in after") and not (marked and not self._has(end - 1, "unit"))
        if (counted or any(self._has(end, kind) for kind in ("people", "unit", "hour"))) and not self._has(
            end, "day after"
        ):
            return None
        if self._has(end, ":") or (self._has(end, "-") and not marked and not ordinal):
            return None
        return None, value, None, end

    def _section(self, index: int, _base: date) -> tuple[_Days, int] | None:
        """Read "at the beginning of January", "the end of next week"."""
        for kind in ("beginning", "middle", "end"):
            if not self._has(index, kind):
                continue
            for at in dict.fromkeys((index + 1, self._skip(index + 1, "-", "of", "the", "filler"))):
                span = self._parse_span(at)
                if span is None:
                    # "end of the month"
                    unit = self._get(at, "unit")
                    if unit in {"week", "month"}:
                        span = (self._whole(unit), at + 1)
                if span and span[0][0].day == 1:
                    first, last = span[0]
                    first, last = {
                        "beginning": (first, first + timedelta(days=9)),
                        "middle": (first + timedelta(days=10), first + timedelta(days=19)),
                        "end": (first + timedelta(days=20), last),
                    }[kind]
                    return self._future((first, last)), span[1]
        return None

    def _whole(self, unit: str) -> tuple[date, date]:
        return self._week(0) if unit == "week" else self._month(0)

    def _parse_span(self, index: int) -> tuple[tuple[date, date], int] | None:
        """Read a whole month, which may have begun."""
        for kind, offset in (("next", 1), ("this", 0)):
            if self._has(index, kind) and self._get(index + 1, "unit") == "month":
                return self._month(offset), index + 2
        if (offset := self._get(index, "relative month")) is not None and offset >= 0:
            return self._month(offset), index + 1
        if (month := self._get(index, "month")) is not None:
            days = self._written_month(month, None)
            if days.first and days.last:
                return (days.first.replace(day=1), days.last), index + 1
        return None

    def _plain_day(self, index: int, base: date) -> tuple[_Days, int] | None:
        """Read "Tuesday", "the weekend", "January", "Christmas"."""
        if (weekday := self._get(index, "weekday")) is not None:
            return self._with_weekday(index, weekday)
        if self._has(index, "weekend"):
            saturday = self._week(0)[0] + timedelta(days=5)
            return self._future((saturday, saturday + timedelta(days=1))), index + 1
        if (feast := self._get(index, "feast")) is not None:
            dated = self._date(feast[0], feast[1], None, base)
            return (_Days(dated, dated), index + 1) if dated else None
        # "週2回" is twice a week.
        is_week = self._get(index, "unit") == "week" and self.lexicon.spaced
        if is_week and (week := self._numbered_week(index, base)):
            return week
        month, at = self._month_at(index)
        if month is not None:
            year, end = self._year(at)
            end = end + 1 if self._get(end, "unit") == "month" else end
            return self._written_month(month, year), end
        return None

    def _with_weekday(self, index: int, weekday: int) -> tuple[_Days, int]:
        """Read what may stand behind a weekday: "Tuesday in two weeks", "Tuesday week", "Tuesday 8"."""
        coming = self._coming(weekday, self.today)
        if self._has(index + 1, "week later"):
            later = coming + timedelta(days=7)
            return _Days(later, later), index + 2
        if (moved := self._moved_from(index + 1, coming)) and moved[0].first:
            weeks, days = divmod((moved[0].first - coming).days, 7)
            # In that week, as "in two weeks" is counted by weeks.
            day = moved[0].first if days else self._week(weeks)[0] + timedelta(days=weekday)
            return _Days(day, day), moved[1]
        number = self._number(index + 1)
        if number and self.tokens[index + 1].digits in {1, 2} and 1 <= number[0] <= 31:
            dated = self._day_of_month(number[0], self.today)
            others = (*_UNITS, *_AFTER_HOUR, *_BEHIND, "-", ".", "people", "to")
            # "mercredi 9 à 17h", "venerdì 11 ore 17"
            begins_time = self._has(number[1], "at") and self._parse_clock(number[1] + 1)
            plain = begins_time or not any(self._has(number[1], kind) for kind in others)
            # "Tuesday 8" is a date when the 8th is a Tuesday.
            if plain and dated and dated.weekday() == weekday:
                return _Days(dated, dated), number[1]
        return _Days(weekdays=(weekday, weekday)), index + 1

    def _numbered_week(self, index: int, base: date) -> tuple[_Days, int] | None:
        """Read "week of December 14", "week 51"."""
        if self._has(index + 1, "of") or self._has(index + 1, "from") or self._has(index + 1, "the"):
            for at in dict.fromkeys((index + 2, index + 1)):
                found = self._dated(at, base)
                if found and found[0].first:
                    monday = found[0].first - timedelta(days=found[0].first.weekday())
                    return self._future((monday, monday + timedelta(days=6))), found[1]
        number = self._number(index + 1)
        if (
            number
            and self.tokens[index + 1].digits
            and 1 <= number[0] <= 53
            and not self._is_hour(index + 1, number[1])
        ):
            for year in (self.today.year, self.today.year + 1):
                monday = date(year, 1, 4) + timedelta(days=7 * (number[0] - 1) - date(year, 1, 4).weekday())
                if monday + timedelta(days=6) >= self.today:
                    return self._future((monday, monday + timedelta(days=6))), number[1]
        return None

    def _month_at(self, index: int) -> tuple[int | None, int]:
        if (month := self._get(index, "month")) is not None:
            return month, index + 1
        if self._get(index, "unit") == "month":
            at = self._skip(index + 1, "of")
            if (month := self._get(at, "month")) is not None:
                return month, at + 1
        if self._has(index, "month before") and (number := self._number(index + 1)) and 1 <= number[0] <= 12:
            return number[0], number[1]
        number = self._number(index)
        if number and 1 <= number[0] <= 12 and self._has(number[1], "month after"):
            return number[0], number[1] + 1
        return None, index

    # The calendar

    def _week(self, offset: int) -> tuple[date, date]:
        monday = self.today + timedelta(days=7 * offset - self.today.weekday())
        return monday, monday + timedelta(days=6)

    def _month(self, offset: int) -> tuple[date, date]:
        months = self.today.year * 12 + self.today.month - 1 + offset
        return _month_span(months // 12, months % 12 + 1)

    def _written_month(self, month: int, year: int | None) -> _Days:
        if year is None:
            year = self.today.year + (month < self.today.month)
        if not 1 < year < 9999:
            raise _Doubtful
        return self._future(_month_span(year, month))

    def _future(self, span: tuple[date, date]) -> _Days:
        """Return the part of a span that hasn't passed."""
        first, last = span
        if last < self.today or (first - self.today).days > MAX_DAYS_AHEAD:
            raise _Doubtful
        return _Days(max(first, self.today), last)

    def _date(self, month: int, day: int, year: int | None, base: date) -> date | None:
        """Return the date in that year, or the next one on `base` or later, or None where it has passed."""
        for each in [year] if year is not None else range(base.year, base.year + 3):
            if not 1 <= month <= 12 or not 1 < each < 9999 or not 1 <= day <= calendar.monthrange(each, month)[1]:
                continue
            found = date(each, month, day)
            if found >= base:
                if (found - self.today).days > MAX_DAYS_AHEAD:
                    raise _Doubtful
                return found
        return None

    def _day_of_month(self, day: int, base: date) -> date | None:
        for offset in range(13):
            months = base.year * 12 + base.month - 1 + offset
            first, last = _month_span(months // 12, months % 12 + 1)
            if day <= last.day and first.replace(day=day) >= base:
                return first.replace(day=day)
        return None

    def _coming(self, weekday: int, base: date) -> date:
        """Return the next such weekday: in a week, when it is today's."""
        return base + timedelta(days=(weekday - base.weekday() - 1) % 7 + 1)

    def _written_weekday(self, weekday: int, *, this: bool) -> _Days:
        """Return "this Tuesday" or "next Tuesday": the coming one both, but that today may be this one."""
        day = self.today if this and weekday == self.today.weekday() else self._coming(weekday, self.today)
        return _Days(day, day)

    def _resolve(self, days: _Days, base: date) -> tuple[date | None, date | None]:
        """Return first and last day, of weekdays the coming ones."""
        if days.weekdays is None:
            return days.first, days.last
        begin, end = days.weekdays
        first = base if base > self.today and base.weekday() == begin else self._coming(begin, base)
        return first, first + timedelta(days=(end - begin) % 7)

    # Readings

    def _readings(self) -> list[TimeQuery]:
        """Combine the facts. Return each way to do so that makes sense, the nearest first."""
        facts = self.facts
        queries = [
            TimeQuery(
                first=first,
                last=last,
                after=_as_time(after),
                before=_as_time(before),
                excluded_weekdays=frozenset(facts.excluded | excluded),
                party=self._one(facts.party),
                soonest=facts.soonest,
                service=names.get("service"),
                host=names.get("host"),
                team=names.get("team"),
            )
            for first, last, excluded in sorted(self._combine_days(), key=_nearest)[:MAX_READINGS]
            for after, before in self._combine_times()[:MAX_READINGS]
            for names in self._combine_names()[:MAX_READINGS]
        ]
        queries = [query for query in dict.fromkeys(queries) if query.understood and not self._is_over(query)]
        far = date.max
        queries.sort(key=lambda query: (query.first or far, query.after or time.min))
        return queries[:MAX_READINGS]

    def _is_over(self, query: TimeQuery) -> bool:
        """Return True for a part of today that has passed."""
        return query.last == self.today and query.before is not None and query.before <= self.now.time()

    def _one(self, values: list[int]) -> int | None:
        if len(set(values)) > 1:
            raise _Doubtful
        return values[0] if values else None

    def _combine_names(self) -> list[dict[str, str]]:
        combined: list[dict[str, str]] = [{}]
        for kind, keys in self.facts.names.items():
            known = list(dict.fromkeys(keys))
            if len(known) > 1 and not self.facts.choice:
                raise _Doubtful
            combined = [{**each, kind: key} for each in combined for key in known[:MAX_READINGS]]
        return combined

    def _combine_days(self) -> list[tuple[date | None, date | None, set[int]]]:
        """Return spans of days, each with the weekdays that are not meant."""
        if self._are_choices():
            resolved = [self._resolve(days, self.today) for days in self.facts.days]
            return self._apply_bounds([(first, last, set()) for first, last in resolved if first])
        spans = [days for days in self.facts.days if days.weekdays is None]
        weekdays = [days.weekdays for days in self.facts.days if days.weekdays is not None]
        if any(begin == end and begin in self.facts.excluded for begin, end in weekdays):
            raise _Doubtful  # "terça sim, terça não": every other Tuesday
        found: list[tuple[date, date | None, set[int]]] = []
        common = _intersect(spans)
        if common is None:
            if not self.facts.choice or (weekdays and len(spans) > 1):
                raise _Doubtful
            found = [(days.first, days.last, set()) for days in spans if days.first]
        elif spans and not weekdays:
            found = [(common[0], common[1], set())]
        elif len(set(weekdays)) > 1 and not self.facts.choice:
            raise _Doubtful
        elif spans:
            found = [self._within(common, pair) for pair in dict.fromkeys(weekdays)]
        else:
            for pair in dict.fromkeys(weekdays):
                first, last = self._resolve(_Days(weekdays=pair), self.today)
                if first:
                    found.append((first, last, set()))
        return self._apply_bounds(found)

    def _are_choices(self) -> bool:
        """Return True for "Friday or next week", unlike "Friday or Monday of next week"."""
        days, cuts = self.facts.days, [0, *self.facts.groups, len(self.facts.days)]
        groups = [{each.weekdays is not None for each in days[begin:end]} for begin, end in itertools.pairwise(cuts)]
        return {True} in groups and {False} in groups and {True, False} not in groups

    def _within(self, span: tuple[date, date], weekdays: Minutes) -> tuple[date, date | None, set[int]]:
        """Return the weekday of a span: of a week a day, of a longer one all such days."""
        begin, end = weekdays
        first, last = span
        if (last - first).days > 6:
            meant = {(begin + offset) % 7 for offset in range((end - begin) % 7 + 1)}
            return first, last, set(range(7)) - meant
        day = first + timedelta(days=(begin - first.weekday()) % 7)
        until = day + timedelta(days=(end - begin) % 7)
        if day > last or (first == last and begin != end):
            # "Tuesday, December 3", when that is no Tuesday.
            raise _Doubtful
        return day, until, set()

    def _apply_bounds(
        self, found: list[tuple[date, date | None, set[int]]]
    ) -> list[tuple[date | None, date | None, set[int]]]:
        first: date | None = None
        last: date | None = None
        for op, days in self.facts.bounds:
            span = self._bound_span(days, found, first)
            if op in {"from", "after"}:
                first = span[0] if op == "from" else (span[1] + timedelta(days=1) if span[1] else None)
            else:
                last = span[1] if op == "until" else (span[0] - timedelta(days=1) if span[0] else None)
        if first is None and last is None:
            return list(found) or [(None, None, set())]
        if last is not None and last < (first or self.today):
            raise _Doubtful
        if not found:
            return [(first or self.today, last, set())]
        bounded: list[tuple[date | None, date | None, set[int]]] = []
        for begin, end, excluded in found:
            earliest = max(begin, first or begin)
            latest = min(end, last) if end and last else end or last
            if latest is not None and latest < earliest:
                raise _Doubtful
            bounded.append((earliest, latest, excluded))
        return bounded

    def _bound_span(
        self, days: _Days, found: list[tuple[date, date | None, set[int]]], first: date | None
    ) -> tuple[date | None, date | None]:
        if days.weekdays and len(found) == 1 and found[0][1] and (found[0][1] - found[0][0]).days in range(1, 7):
            day, until, _excluded = self._within((found[0][0], found[0][1]), days.weekdays)
            return day, until
        return self._resolve(days, first or self.today)

    # Hours

    def _combine_times(self) -> list[Minutes | tuple[int | None, int | None]]:
        """Return spans of minutes, of which an open end is None."""
        parts = self._combine_parts()
        found: list[tuple[int | None, int | None]] = []
        for part in parts:
            found += self._times_within(part)
        return list(dict.fromkeys(found))

    def _combine_parts(self) -> list[Minutes | None]:
        parts = sorted(dict.fromkeys(self.facts.parts))
        if not parts:
            return [None]
        joined = [parts[0]]
        for begin, end in parts[1:]:
            if begin <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((begin, end))
        if len(joined) > 1 and not self.facts.choice:
            raise _Doubtful
        return list(joined)

    def _times_within(self, part: Minutes | None) -> list[tuple[int | None, int | None]]:
        facts = self.facts
        if facts.ranges:
            if len(facts.ranges) > 1 or facts.clocks:
                raise _Doubtful
            return self._range_times(*facts.ranges[0], part)
        at = [clock for op, clock in facts.clocks if op == "at"]
        after = [clock for op, clock in facts.clocks if op == "after"]
        before = [clock for op, clock in facts.clocks if op == "before"]
        if (at and (after or before)) or len(after) > 1 or len(before) > 1 or (len(at) > 1 and not facts.choice):
            raise _Doubtful
        if at:
            # The part of the day says which half of it is meant.
            return [(minutes, None) for clock in at for minutes in self._times(clock, part)]
        begin, end = part or (None, None)
        if after and before:
            return self._range_times(after[0], before[0], part)
        if after:
            return [(minutes, end if end and end > minutes else None) for minutes in self._times(after[0], part)]
        if before:
            return [(begin if begin and begin < minutes else None, minutes) for minutes in self._times(before[0], part)]
        # A night ends on the next day.
        return [(begin, end if begin is None or end is None or end > begin else None)]

    def _range_times(self, first: _Clock, last: _Clock, part: Minutes | None) -> list[tuple[int | None, int | None]]:
        # "from 2 to 4 pm"
        if last.half and not first.half and first.part is None and first.minutes < last.minutes % 720:
            first = first._replace(half=last.half)
        if last.part and not first.half and first.part is None and first.minutes < 13 * 60:
            first = first._replace(part=last.part) if first.minutes < last.minutes else first
        elif first.part and last.part is None and not last.half and first.minutes < last.minutes < 13 * 60:
            last = last._replace(part=first.part)
        elif first.half and not last.half and last.part is None and first.minutes < last.minutes <= 12 * 60:
            last = last._replace(half=first.half if last.minutes < 12 * 60 else "")
        found: list[tuple[int | None, int | None]] = []
        for begin in self._times(first, part):
            ends = [minutes for minutes in self._times(last, part) if minutes > begin]
            if not ends and last.minutes <= 12 * 60 and last.minutes + 720 > begin:
                ends = [last.minutes + 720]
            if ends:
                found.append((begin, ends[0]))
        if not found:
            raise _Doubtful
        return found

    def _times(self, clock: _Clock, part: Minutes | None) -> list[int]:
        """Return the minutes of the day that a time may mean: one, or two where nothing tells them apart."""
        minutes = clock.minutes
        if minutes > _DAY:
            raise _Doubtful
        if clock.half:
            if minutes >= 13 * 60 and clock.half == "am":
                raise _Doubtful
            return [minutes % 720 + (720 if clock.half == "pm" else 0) if minutes < 13 * 60 else minutes]
        if minutes < 60 or minutes >= 13 * 60:
            return [minutes % _DAY]
        both = [minutes, minutes + 720] if minutes < 720 else [minutes, minutes - 720]
        if (wanted := clock.part or part) is not None:
            return [min(both, key=lambda each: (_distance(each, wanted), each != minutes))]
        if minutes >= 720:
            return [minutes]  # twelve is noon
        opening = self._opening()
        inside = [each for each in both if opening[0] <= each <= opening[1]]
        return inside or [min(both, key=lambda each: (_distance(each, opening), -each))]

    def _opening(self) -> Minutes:
        if self.offer.opening is None:
            return _UNKNOWN_OPENING
        first, last = (each.hour * 60 + each.minute for each in self.offer.opening)
        return (first, last) if last > first else _UNKNOWN_OPENING


_UNITS: Final = ("unit", "hour", "minute", "month", ":", "/", "am", "pm", "day after", "month after")
_BEHIND: Final = {
    "from after": "from", "after after": "after", "before after": "before", "until after": "until",
    "around after": "around",
}  # fmt: skip
"""Words behind a day or a time, and the words before it that mean the same."""
_BEFORE_HOUR: Final = {"half past": 30, "half to": -30, "quarter past": 15, "quarter to": -15, "quarter into": -45}
_AFTER_HOUR: Final = {"half": 30, "three quarters": 45, "quarter": 15, "quarter less": -15}
_HARMLESS: Final = frozenset(
    [
        "filler", "the", "of", "at", "around", "or", "and", "for", "in", "people", "one", "day after", "from", "to",
        "hour",
    ]
)  # fmt: skip
"""Kinds of words that are no loss."""
_DECISIVE: Final = frozenset(
    [
        "after", "before", "until", "between", "not", "not after", "next", "within", "doubtful", "weekday", "month",
        "unit", "ordinal", "weekend", "half past", "half to", "quarter past", "quarter to",
        "quarter into", "feast", "half hours", "from after",
        "after after", "before after", "until after", "next after", "beginning", "middle", "end", "soonest",
        "relative day", "relative week", "relative month", "relative weekday", "clock", "am", "pm", "month before",
        "month after", "in after", "in", "from", "to", "/", ":", "counted", "relative weekend", "hour word",
        "three quarters",
    ]
)  # fmt: skip
"""Kinds of words that would change the date, had they been understood, unless they are also filler."""


def _nearest(days: tuple[date | None, date | None, set[int]]) -> date:
    return days[0] or date.max


def _month_span(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _intersect(spans: list[_Days]) -> tuple[date, date] | None:
    """Return the days that all spans share, or None where there are none. Any day without a span."""
    first = max((days.first for days in spans if days.first), default=date.min)
    last = min((days.last for days in spans if days.last), default=date.max)
    return (first, last) if first <= last else None


def _distance(minutes: int, span: Minutes) -> int:
    """Return how far a time is from a part of the day, which may go over midnight."""
    begin, end = span
    if begin < end:
        return max(begin - minutes, minutes - end, 0)
    return 0 if minutes >= begin or minutes <= end else min(begin - minutes, minutes - end)


def _as_time(minutes: int | None) -> time | None:
    """Return a time of the day. Its two ends are open ends."""
    return None if minutes is None or not 0 < minutes < _DAY else time(minutes // 60, minutes % 60)
