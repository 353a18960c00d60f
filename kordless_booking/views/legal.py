"""Sentence at the button that books, with links to the business's terms and privacy policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kordless_booking.presentation.site_texts import text_in

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.views.request import WidgetRequest


def legal_sentence(visit: WidgetRequest) -> SafeString:
    """Return the sentence as HTML; "" for an account with neither TERMS_URL nor PRIVACY_URL."""
    account, language = visit.account, visit.language
    terms, privacy = text_in(account.terms_url, language), text_in(account.privacy_url, language)
    if terms and privacy:
        # Translators: beside the button that books. The placeholders stand before and after the text of a link
        text = _(
            "By booking, you agree to our %(terms_link)sterms%(link_end)s. Our %(privacy_link)sprivacy "
            "policy%(link_end)s explains how we use your details."
        )
    elif terms:
        text = _("By booking, you agree to our %(terms_link)sterms%(link_end)s.")
    else:
        return privacy_sentence(account, language)
    return _with_links(text, terms, privacy)


def privacy_sentence(account: Account, language: str) -> SafeString:
    """Return the sentence about the privacy policy alone, as HTML; "" for an account without PRIVACY_URL."""
    privacy = text_in(account.privacy_url, language)
    if not privacy:
        return SafeString("")
    text = _("Our %(privacy_link)sprivacy policy%(link_end)s explains how we use your details.")
    return _with_links(text, "", privacy)


def _with_links(text: str, terms: str, privacy: str) -> SafeString:
    # Not only in a frame, where the page might refuse to be shown: what was typed must not be lost.
    link = '<a href="{}" target="_blank" rel="noopener noreferrer">'
    parts = {
        "terms_link": format_html(link, terms),
        "privacy_link": format_html(link, privacy),
        "link_end": format_html('<span class="kb-sr"> {}</span></a>', _("(opens in a new tab)")),
    }
    return mark_safe(escape(text) % parts)  # noqa: S308 (escaped, part by part)
