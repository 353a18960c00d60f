"""The languages in which a journey measures what is a matter of their words: a few in `make test`, the others later."""

from kordless_booking.presentation.locales import supported_languages
from tests.support.matrix import thinned

_FEW = ("ar", "de", "en", "es", "ja")
"""Right to left, with long words, the default, with long ranges, and without spaces."""

LANGUAGES = thinned(
    {
        "a few languages": _FEW,
        "all others": tuple(lang for lang in supported_languages() if lang not in _FEW),
    }
)
"""Parameters for `parametrize`: each is a tuple of languages, which share one page of the browser."""
