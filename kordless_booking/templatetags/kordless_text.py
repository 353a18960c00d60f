"""Template filter for texts with dates and times."""

from __future__ import annotations

import re
from typing import Final

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_NO_BREAK = ("\xa0", "\u202f")
_AFTER_DASH: Final = re.compile("(?<=[\xa0\u202f][\u2013\u2014~]) ")
"""Where `formatting.join_range` lets a range with two dates break."""


@register.filter
def whole(text: str) -> SafeString:
    """Put what `presentation.formatting` keeps on one line into elements that move to the next line as a whole.

    Only in one that is wider than the page, where text is twice as large, a line breaks, and then between two words: at
    no-break spaces it would break within one. Those become plain spaces, so that a copied text has them. A range with
    two dates breaks behind its dash before it breaks anywhere else.
    """
    ends = [
        " ".join([_piece(piece) for piece in end.split(" ")])
        for end in _AFTER_DASH.split(conditional_escape(text), maxsplit=1)
    ]
    html = ends[0] if len(ends) == 1 else " ".join([f'<span class="kb-end">{end}</span>' for end in ends])
    return mark_safe(html)  # noqa: S308 (escaped)


def _piece(piece: str) -> str:
    if not any(space in piece for space in _NO_BREAK):
        return piece
    for space in _NO_BREAK:
        piece = piece.replace(space, " ")
    return f'<span class="kb-whole">{piece}</span>'
