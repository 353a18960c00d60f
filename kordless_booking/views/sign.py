"""Printable sign with a QR code: the address of the booking page on paper, for a shop window or a counter.

The code is made by segno, which a site installs as `kordless-booking[qr]`. Without it there is no sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils import translation
from django.utils.encoding import uri_to_iri
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.normalization import visible_text

QUIET_MODULES: Final = 4
"""Modules of white around the code. ISO 18004 demands four, so that cameras find it on any ground."""
DOWNLOAD_SCALE: Final = 10
"""Pixels of a module in the file to download: 300 for the smallest code, sharp at any size as it is SVG."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """Context of snippet/sign.html. Texts are in the language of the sign."""

    business: str
    """Name of the business, or "" where Kordless can't be asked."""
    service: str
    """Name of the service; "" for all of them."""
    title: str
    instruction: str
    address: str
    """The address as people type it: without https://, and in the letters of its language if all of them show."""
    code: str
    """`src` of the picture: the code as an SVG data URL."""
    download: str
    """`href` of the file to download, as `code`, larger."""
    language: str
    direction: str


def build_sign(url: str, *, business: str, service: str, language: str) -> Sign | None:
    """Return the sign for a URL; None without segno, and for a URL that is longer than a code can hold."""
    try:
        import segno  # noqa: PLC0415 (an extra of the package)
    except ImportError:
        return None
    try:
        # 15 % of the code may be dirty or torn, and more where it makes no larger one.
        code: Any = segno.make(url, error="m", micro=False)
    except ValueError:
        return None
    with translation.override(language):
        return Sign(
            business=business,
            service=service,
            title=pgettext("heading", "Book online"),
            # Translators: on a printed sign, between a QR code above and the address of a website below.
            instruction=_("Scan the code with your phone’s camera, or enter this address:"),
            address=_typed_address(url),
            code=str(code.svg_data_uri(border=QUIET_MODULES, light="#fff", omitsize=True)),
            download=str(code.svg_data_uri(border=QUIET_MODULES, light="#fff", scale=DOWNLOAD_SCALE)),
            language=language,
            direction="rtl" if translation.get_language_bidi() else "ltr",
        )


def _typed_address(url: str) -> str:
    encoded = url.partition("://")[2].rstrip("/")
    address = uri_to_iri(encoded)
    # A slug may be anything. Nobody can type what doesn't show, and a mark of direction turns the rest around.
    return address if " ".join(visible_text(address).split()) == address else encoded
