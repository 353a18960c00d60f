"""End of the front page: the link to the privacy policy, which no other page of this site could have."""

from __future__ import annotations

from django.utils.html import format_html

from kordless_booking import conf
from kordless_booking.hooks import SlotContext
from kordless_booking.views.legal import privacy_sentence


def render_privacy(context: SlotContext) -> str:
    """Return the sentence with its link; "" without PRIVACY_URL, and in frames, where the other site has its own."""
    account = conf.get_account(context.account)
    sentence = "" if context.page.framed else privacy_sentence(account, context.language)
    # A row is a flexbox: without the span, the link would be an item of its own in the middle of the sentence.
    return format_html('<p class="kb-row kb-hint"><span>{}</span></p>', sentence) if sentence else ""
