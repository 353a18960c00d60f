"""One thing that was looked at: fine, worth knowing, or to be mended, and then how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Findings", "Level", "fix", "note", "ok", "plain"]

LONGEST_WORD = 80


class Level(StrEnum):
    """`OK` needs nothing, a `NOTE` may be meant to be so, a `FIX` keeps something from working."""

    OK = "ok"
    NOTE = "note"
    FIX = "fix"


@dataclass(frozen=True)
class Finding:
    """`code` is a word that stays the same, for monitors; `text` says what is, `advice` what to do.

    Neither holds a key, a secret or anything personal.
    """

    level: Level
    code: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        said = f"{self.text}: {self.advice}" if self.advice else self.text
        return f"{self.level:<4} {said.rstrip('.')}."


Findings = Iterable[Finding]


def ok(code: str, text: str) -> Finding:
    """All is well with this."""
    return Finding(Level.OK, code, text)


def note(code: str, text: str, advice: str = "") -> Finding:
    """Works, and perhaps otherwise than was meant."""
    return Finding(Level.NOTE, code, text, advice)


def fix(code: str, text: str, advice: str) -> Finding:
    """Does not work; `advice` says what to do."""
    return Finding(Level.FIX, code, text, advice)


def plain(word: object) -> str:
    """What somebody else wrote, fit for a terminal: printable, and not endless."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(word))
    return text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 1]}…"
