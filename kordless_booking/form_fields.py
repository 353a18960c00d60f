"""Base class and labels of the fields in all visitors' forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext

from kordless_booking.normalization import has_visible_text, visible_text


class VisitorTextField(forms.CharField):
    """Text that a visitor types: of several lines in a textarea, else of one."""

    max_length: int
    """Characters. Longer input is refused."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        # The validators refuse both, and the second one without reading it all.
        if "\0" in text or len(text) > 4 * self.max_length:
            return text
        return self.normalize(text)

    def normalize(self, text: str) -> str:
        """Return the text as it is validated and sent; "" when nothing of it shows."""
        # Line breaks are the same whether the browser sends the form (CRLF) or htmx does (LF): it must be the same
        # request.
        shown = visible_text(text, multiline=isinstance(self.widget, forms.Textarea)).strip()
        return shown if has_visible_text(shown) else ""


def active_language() -> str:
    """Return the language of the page: the site's own where none is active."""
    return get_language() or settings.LANGUAGE_CODE


def build_label(text: str, *, required: bool) -> SafeString:
    """Return a label in the site's own words as HTML. Isolated, because its direction may not be the page's."""
    label = format_html("<bdi>{}</bdi>", text)
    if required:
        return label
    # Translators: label of a field that may be left empty, such as "Allergies (optional)"
    return mark_safe(escape(pgettext("label", "%(label)s (optional)")) % {"label": label})  # noqa: S308 (escaped)
