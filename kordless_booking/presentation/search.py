"""Text search: words in any case, with or without accents, in any script's digits."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

MAX_QUERY: Final = 80
"""Characters of a search."""
# Letters that Unicode doesn't decompose into a base letter and an accent.
_LETTERS: Final = {"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
# Letters that Arabic writers exchange, and those of Persian and Urdu keyboards.
_ARABIC: Final = {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه"}  # noqa: RUF001 (they are no Latin letters)
_FOLDED: Final[Mapping[int, int | str | None]] = {
    **{ord(letter): plain for letter, plain in (_LETTERS | _ARABIC).items()},
    # Variants of one Chinese character: Taiwan writes both 臺北 and 台北.
    ord("臺"): "台",
    # Hiragana to katakana: Japanese keyboards give the former until the typist chooses other characters.
    **{code: code + 0x60 for code in range(0x3041, 0x3097)},
    # Apostrophes, also those of Hebrew and Ukrainian, are typed or left out: "Xi'an", "Xian". They separate no words.
    **dict.fromkeys(map(ord, "'`\u2018\u2019\u02bc\u05f3\u05f4")),
}


def fold_digits(text: str) -> str:
    """Return the text with the decimal digits of all scripts as ASCII: Arabic-Indic, Devanagari, full-width."""
    return text if text.isascii() else "".join([str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text])


def normalize_words(text: str) -> str:
    """Return the words of a text in lower case without accents, separated by one space."""
    # Decomposed twice: folding the case may compose characters anew.
    flat = fold_digits(unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_FOLDED))
    letters = (
        # Spacing marks (Mc) are vowels of Indic scripts, and part of the word; other marks are dropped as accents.
        c if unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "Mc" else " "
        for c in flat
        if unicodedata.category(c) != "Mn"
    )
    return " ".join("".join(letters).split())
