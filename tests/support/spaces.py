"""Spaces of formatted texts as people type them."""

_TYPED = str.maketrans({"\xa0": " ", "\u202f": " "})


def plain_spaces(text: str) -> str:
    """Replace no-break spaces, with which dates and times are kept on one line, with plain ones."""
    return text.translate(_TYPED)
