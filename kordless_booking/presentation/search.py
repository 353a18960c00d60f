"""Text search: words in any case, with or without accents."""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_QUERY: Final = 80
"""Characters of a search."""
# Letters that Unicode doesn't decompose into a base letter and an accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})


def normalize_words(text: str) -> str:
    """Return the words of a text in lower case without accents, separated by one space."""
    # Decomposed twice: folding the case may compose characters anew.
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    letters = (
        # Spacing marks (Mc) are vowels of Indic scripts, and part of the word; other marks are dropped as accents.
        c if unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "Mc" else " "
        for c in flat
        if unicodedata.category(c) != "Mn"
    )
    return " ".join("".join(letters).split())
