"""Finding of the doctor: something is fine, worth knowing, or to be repaired, and then how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARACTERS = 80
"""Maximum length of a text from outside."""


class Level(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    """Needs nothing."""
    NOTE = "note"
    """May be intended."""
    FIX = "fix"
    """Keeps something from working."""


@dataclass(frozen=True)
class Finding:
    """Finding. Its texts contain no key, no secret and nothing personal."""

    level: Level
    code: str
    """Stable identifier for monitors, listed in docs/operating.md."""
    text: str
    """The observation, without a full stop."""
    advice: str = ""
    """Remedy; empty where none is needed."""

    def __str__(self) -> str:
        line = f"{self.text}: {self.advice}" if self.advice else self.text
        return f"{self.level:<4} {line if line.endswith('?') else line.rstrip('.') + '.'}"


Findings = Iterable[Finding]


def ok(code: str, text: str) -> Finding:
    """Build a finding that all is well."""
    return Finding(Level.OK, code, text)


def note(code: str, text: str, advice: str = "") -> Finding:
    """Build a finding that something works, but perhaps not as intended."""
    return Finding(Level.NOTE, code, text, advice)


def fix(code: str, text: str, advice: str) -> Finding:
    """Build a finding that something doesn't work; `advice` says what to do."""
    return Finding(Level.FIX, code, text, advice)


def printable(word: object) -> str:
    """Return a text from outside in a form that is safe on a terminal: printable (no escape sequences) and short."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(word))
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"
