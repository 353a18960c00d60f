"""Lexicon of one language: each word that the grammar knows, and of which kinds it is.

Made once per language from CLDR's words (cldr.json) and the language's own lists (words.py and its catalog).
"""

from __future__ import annotations

import gettext
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from kordless_booking.contrib.assistant.words import (
    BENT_NAMES,
    COMPOUNDS,
    NUMBERED,
    NUMBERED_VALUES,
    SPELLINGS,
    UNSPACED,
    WORDS,
)

FOLDER: Final = Path(__file__).parent
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
FEASTS: Final = {"christmas eve": (12, 24), "christmas": (12, 25), "new year's eve": (12, 31), "new year": (1, 1)}
PERIODS: Final = ("morning1", "morning2", "afternoon1", "afternoon2", "evening1", "evening2", "night1", "night2")
CLOCKS: Final = {"midnight": 0, "noon": 12 * 60}
"""Words for a time, in minutes."""
RELATIVE_DAYS: Final = {"today": 0, "tomorrow": 1, "after tomorrow": 2, "in three days": 3}

_DAYS_WITH_PART: Final = {"tonight": (0, 19 * 60), "tomorrow morning": (1, 9 * 60)}
"""Words for a day and a part of it: days from today, and a time within the part."""

_NUMBERED_KINDS: Final = {
    "numbers": "number",
    "tens": "number",
    "ordinals": "ordinal",
    "hour words": "hour word",
    "days": "counted",
    "weeks": "counted",
    "months": "counted",
    "weekdays of this week": "relative weekday",
    "weekdays of next week": "relative weekday",
    "weekdays of the week after": "relative weekday",
}
_WEEKS: Final = {"weekdays of this week": 0, "weekdays of next week": 1, "weekdays of the week after": 2}
_COUNTED: Final = {"days": "day", "weeks": "week", "months": "month"}
_RELATIVE: Final = {
    "this week": ("relative week", 0),
    "next week": ("relative week", 1),
    "week after next": ("relative week", 2),
    "next weekend": ("relative weekend", 1),
    "this month": ("relative month", 0),
    "next month": ("relative month", 1),
}

_DROPPED: Final = frozenset(
    [
        *map(chr, range(0x064B, 0x0660)),
        "\u0670",
        "\u0640",
        *map(chr, range(0x0591, 0x05C8)),
        "\u0307",
        "\u05f3",
        "\u05f4",
    ]
)
"""Marks that are rarely typed: Arabic and Hebrew vowels, the stretching stroke, the dot of a small Turkish I."""
_FOLDED: Final = str.maketrans(
    {
        "ı": "i",
        "ł": "l",
        "đ": "d",
        "ø": "o",
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ى": "ي",
        "ة": "ه",
        "ؤ": "و",
        "ئ": "ي",
    }
)
_APOSTROPHES: Final = frozenset("'’‘`´ʼ")
_DASHES: Final = frozenset("-‐‑‒–—―−~〜")
_KEPT: Final = frozenset("-:./,&+@")
"""Signs that mean something. Others are as good as a space."""

Kinds: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Normalized:
    """Text in the form in which words are compared, and where each letter was."""

    text: str
    folded: str
    """The same without accents; as long."""
    origins: tuple[int, ...]
    """Index in the original of each letter."""


@dataclass(frozen=True)
class Entry:
    """One word of the lexicon."""

    spelling: str
    kinds: Mapping[str, Any]
    """Kind -> what it stands for: a weekday, a number, hours."""


@dataclass(frozen=True)
class Lexicon:
    """All that the grammar knows of a language."""

    trie: Mapping[str, Any]
    """Letter -> trie; "" -> entries of the word that ends here. Without accents."""
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    spaced: bool
    compounds: bool
    bent_names: bool
    month_first: bool
    """True where 3/12 is March 12."""

    def find(self, normalized: Normalized, start: int) -> Iterator[tuple[int, Kinds]]:
        """Yield the words that begin at `start`, with their ends, the shortest first."""
        node = self.trie
        for index in range(start, len(normalized.folded)):
            # A hyphen in a word is as good as a space; elsewhere it is a sign of its own, as in "Mon-Fri".
            step = node.get(normalized.folded[index].replace("-", " "))
            if step is None:
                return
            node = step
            if entries := node.get(""):
                typed = normalized.text[start : index + 1].replace("-", " ")
                if kinds := _pick(entries, typed):
                    yield index + 1, kinds


_MAX_EXPANSION: Final = 4
"""Letters that one character may stand for, as "㏂" and "½" do. U+FDFA stands for eighteen: no date, and much work."""


def normalize(text: str) -> Normalized:
    """Bring text into the form in which words are compared: small letters, ASCII digits, one kind of space and dash.

    Abbreviations lose their dots, and apostrophes part words, as "o’clock" and "l’après-midi" are typed in many ways.
    """
    letters: list[str] = []
    origins: list[int] = []
    for index, original in enumerate(text):
        plain_letters = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", original).casefold())
        if len(plain_letters) > _MAX_EXPANSION:
            plain_letters = " "
        for letter in plain_letters:
            if letter in _DROPPED:
                continue
            letters.append(_plain(letter))
            origins.append(index)
    kept: list[str] = []
    places: list[int] = []
    for index, letter in enumerate(letters):
        before = letters[index - 1] if index else " "
        after = letters[index + 1] if index + 1 < len(letters) else " "
        plain = letter
        if letter == '"' and is_letter(before) and is_letter(after):
            continue  # Hebrew abbreviations
        if letter == "." and is_letter(before):
            if not (index > 1 and is_letter(letters[index - 2])):
                continue  # a.m.
            plain = " "
        elif letter == "-" and before.isdigit() and is_letter(after):
            plain = " "  # "3-го"
        elif not (is_letter(letter) or letter.isdigit() or letter in _KEPT):
            plain = " "
        if plain == " " and (not kept or kept[-1] == " "):
            continue
        kept.append(plain)
        places.append(origins[index])
    normalized = "".join(kept)
    return Normalized(normalized, "".join(map(_fold, kept)), tuple(places))


def is_letter(letter: str) -> bool:
    """Return True for letters and for the marks that belong to them, such as vowels in Hindi."""
    return letter.isalpha() or unicodedata.category(letter)[0] == "M"


@cache
def get_lexicon(name: str) -> Lexicon | None:
    """Return the lexicon of a language, named as its folder in locale/, or None where its words are incomplete."""
    calendar = _calendars().get(name)
    words = _read_words(name)
    if calendar is None or words is None:
        return None
    found = _Builder(SPELLINGS.get(name, {}))
    found.add_calendar(calendar)
    found.add_words(words, calendar["hours"])
    return Lexicon(
        trie=found.build(),
        prefixes=tuple(sorted(map(_plain_word, words["before word"]), key=len, reverse=True)),
        suffixes=tuple(sorted(map(_plain_word, words["after word"]), key=len, reverse=True)),
        spaced=name not in UNSPACED,
        compounds=name in COMPOUNDS,
        bent_names=name in BENT_NAMES,
        month_first=calendar["order"] == "md",
    )


def _plain(letter: str) -> str:
    if letter in _APOSTROPHES:
        return " "
    if letter in _DASHES:
        return "-"
    if letter == "、":
        return ","
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    return letter


def _plain_word(word: str) -> str:
    """Return a word of the lexicon as it is compared."""
    return " ".join(normalize(word).text.replace("-", " ").split())


def _fold(letter: str) -> str:
    """Return a letter without its accent: always one letter."""
    bare = "".join(each for each in unicodedata.normalize("NFD", letter) if not "\u0300" <= each <= "\u036f")
    folded = unicodedata.normalize("NFC", bare).translate(_FOLDED)
    return folded if len(folded) == 1 else letter


def _pick(entries: Iterable[Entry], typed: str) -> Kinds:
    """Return the kinds of the word that was typed: of the very word, or of those whose accents were left off."""
    entries = list(entries)
    if exact := [entry for entry in entries if entry.spelling == typed]:
        return _merge(exact)
    return _merge(
        entry
        for entry in entries
        if all(one in (other, _fold(other)) for one, other in zip(typed, entry.spelling, strict=True))
    )


def _merge(entries: Iterable[Entry]) -> Kinds:
    kinds: Kinds = {}
    for entry in entries:
        for kind, value in entry.kinds.items():
            kinds.setdefault(kind, value)
    return kinds


@cache
def _calendars() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "cldr.json").read_text(encoding="utf-8"))
    return found


def _read_words(name: str) -> dict[str, list[str]] | None:
    """Return the lists of a language, or None unless it has all of them."""
    lists: dict[str, list[str]] = {}
    if name == "en":
        catalog: gettext.NullTranslations | None = None
    else:
        try:
            catalog = gettext.translation("django", localedir=FOLDER / "locale", languages=[name])
        except OSError:
            return None
    for kind, (text, english) in (WORDS | NUMBERED).items():
        said = english if catalog is None else catalog.pgettext("grammar", text)
        if catalog is not None and said in {"", text}:
            return None
        lists[kind] = [] if said.strip() == "-" else [word.strip() for word in said.split("|")]
        if kind in NUMBERED and lists[kind] and len(lists[kind]) != len(NUMBERED_VALUES[kind]):
            return None
    return lists


class _Builder:
    """Collects words, then makes the trie of them."""

    def __init__(self, spellings: Mapping[str, str]) -> None:
        self.spellings = spellings
        self.words: dict[str, Kinds] = {}

    def add(self, word: str, kind: str, value: Any = True) -> None:
        for spelling in {word, *self._other_spellings(word)}:
            if plain := _plain_word(spelling):
                self.words.setdefault(plain, {})[kind] = value

    def _other_spellings(self, word: str) -> Iterator[str]:
        other = word.casefold()
        for letter, spelling in self.spellings.items():
            other = other.replace(letter, spelling)
        yield other

    def add_calendar(self, calendar: Mapping[str, Any]) -> None:
        """Add CLDR's words."""
        for day, names in enumerate(calendar["weekdays"]):
            for name in names:
                self.add(name, "weekday", day)
        for month, names in enumerate(calendar["months"], 1):
            for name in names:
                self.add(name, "month", month)
        for key, names in calendar["periods"].items():
            for name in names:
                self._add_period(key, name, calendar["hours"])
        relative = calendar["relative"]
        weeks = {offset: [_plain_word(word) for word in words] for offset, words in relative.get("week", {}).items()}
        for unit, offsets in relative.items():
            for offset, names in offsets.items():
                for name in names:
                    if unit in {"day", "week", "month"}:
                        self._add_relative(f"relative {unit}", name, int(offset))
                        continue
                    # In Hebrew "this Tuesday" is "Tuesday".
                    if "weekday" in self.words.get(_plain_word(name), {}):
                        continue
                    # "来週の火曜日" and "下周二" are in next week; "next Tuesday" is the coming one.
                    strict = any(week in _plain_word(name) for week in weeks.get(offset, ()))
                    weekday = next(index for index, each in enumerate(WEEKDAYS) if each.startswith(unit))
                    self._add_relative("relative weekday", name, (int(offset), weekday, strict))

    def _add_relative(self, kind: str, name: str, value: Any) -> None:
        # In Hindi one word is yesterday and tomorrow. Nobody books for yesterday.
        plain = _plain_word(name)
        known = self.words.get(plain, {}).get(kind)
        self.add(name, kind, value if known is None else max(known, value))

    def _add_period(self, key: str, name: str, hours: Mapping[str, list[int]]) -> None:
        if key in {"am", "pm"}:
            self.add(name, key)
        elif key in CLOCKS:
            self.add(name, "clock", CLOCKS[key])
        elif key in hours:
            self.add(name, "part", tuple(hours[key]))

    def add_words(self, words: Mapping[str, list[str]], hours: Mapping[str, list[int]]) -> None:
        """Add the language's own lists."""
        for kind, names in words.items():
            for place, name in enumerate(names):
                if name.startswith("!"):
                    self.remove(name[1:], _meaning(kind, hours)[0])
                    continue
                if kind in NUMBERED:
                    name_kind = _NUMBERED_KINDS.get(kind, kind)
                    for each in name.split("/"):
                        if each.strip() != "-":
                            value: Any = NUMBERED_VALUES[kind][place]
                            if kind in _WEEKS:
                                value = (_WEEKS[kind], value, True)
                            elif kind in _COUNTED:
                                value = (value, _COUNTED[kind])
                            self.add(each, name_kind, value)
                elif kind in _DAYS_WITH_PART:
                    offset, hour = _DAYS_WITH_PART[kind]
                    self.add(name, "relative day", offset)
                    self.add(name, "part", _period_at(hour, hours))
                    self.add(name, "day and part")
                else:
                    self.add(name, *_meaning(kind, hours))

    def remove(self, word: str, kind: str) -> None:
        for spelling in (word, word + "."):
            self.words.get(_plain_word(spelling), {}).pop(kind, None)

    def build(self) -> dict[str, Any]:
        trie: dict[str, Any] = {}
        for word, kinds in self.words.items():
            if not kinds:
                continue
            node = trie
            for letter in map(_fold, word):
                node = node.setdefault(letter, {})
            node.setdefault("", []).append(Entry(word, kinds))
        return trie


def _period_at(minutes: int, hours: Mapping[str, list[int]]) -> tuple[int, ...]:
    """Return the hours of the part of the day that a time is in."""
    return next(tuple(span) for span in hours.values() if span[0] <= minutes < span[1])


def _meaning(kind: str, hours: Mapping[str, list[int]]) -> tuple[str, Any]:
    """Return the kind of token for a list of words, and its value."""
    if kind in WEEKDAYS:
        return "weekday", WEEKDAYS.index(kind)
    if kind in MONTHS:
        return "month", MONTHS.index(kind) + 1
    if kind in FEASTS:
        return "feast", FEASTS[kind]
    if kind in CLOCKS:
        return "clock", CLOCKS[kind]
    if kind in RELATIVE_DAYS:
        return "relative day", RELATIVE_DAYS[kind]
    if kind in _RELATIVE:
        return _RELATIVE[kind]
    if kind in PERIODS:
        return ("part", tuple(hours[kind])) if kind in hours else ("filler", True)
    if kind in {"day", "week", "month"}:
        return "unit", kind
    return kind, True
