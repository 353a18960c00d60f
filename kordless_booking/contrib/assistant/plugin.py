"""Hooks of the assistant: the field and the link on the widget's pages, and what they say once words were read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from kordless_booking import conf, hooks
from kordless_booking.contrib.assistant import doctor
from kordless_booking.contrib.assistant.answers import (
    ALTERNATIVE,
    ALTERNATIVE_PATTERN,
    PARTIAL,
    PARTIAL_PATTERN,
    parse_alternative,
)
from kordless_booking.contrib.assistant.grammar import MAX_LENGTH, is_supported
from kordless_booking.contrib.assistant.text_parser import TEXT_PARSER, build_data_notice

if TYPE_CHECKING:
    from kordless_booking.hooks import SlotContext

HIT: Final = "query_hit"
MISS: Final = "query_miss"


def register() -> None:
    """Register all hooks."""
    hooks.template_slots.register("services_before", render_field)
    hooks.template_slots.register("services_after", render_link)
    hooks.template_slots.register("times_before", render_field)
    hooks.template_slots.register("times_after", render_link)
    hooks.template_slots.register("no_times", render_link)
    hooks.url_patterns.register("say", "kordless_booking.contrib.assistant.urls")
    hooks.page_queries.register(PARTIAL, PARTIAL_PATTERN)
    hooks.page_queries.register(ALTERNATIVE, ALTERNATIVE_PATTERN)
    # Translators: counts in the admin. Visitors write when they want to come, in their own words.
    hooks.funnel_stages.register(HIT, pgettext_lazy("funnel", "Times in words, understood"))
    # Translators: counts in the admin. Visitors write when they want to come, in their own words.
    hooks.funnel_stages.register(MISS, pgettext_lazy("funnel", "Times in words, not understood"))
    hooks.setting_rules.register("TEXT_PARSER", _TEXT_PARSER_RULE)
    hooks.doctor_checks.register("times in words", doctor.examine)


_TEXT_PARSER_RULE: Final = hooks.ExtensionSetting(
    is_valid=conf.matching(TEXT_PARSER.pattern),
    hint="The dotted path of a function of text and offer.",
    default="",
)


def field_context(page: Any, account: str, language: str, url: str) -> dict[str, Any]:
    """Return the context of kordless_assistant/field.html. `url` is its action."""
    return {
        "url": url,
        "max_length": MAX_LENGTH,
        "field_id": f"{page.stage_id}-say",
        "data_notice": build_data_notice(conf.get_account(account), language),
    }


def _query_page_url(slot: SlotContext) -> str:
    # New words replace the days and times that were said before. The way back without any leads to these.
    return slot.url("say", choices=slot.choices, service=slot.service, **slot.carried)


def render_field(slot: SlotContext) -> SafeString:
    """Render the field, and above what it has led to: other readings, and that something was not understood."""
    answer = _render_answer(slot)
    if not is_supported(slot.language):
        return answer
    field = slot.render(
        "kordless_assistant/field.html",
        **field_context(slot.page, slot.account, slot.language, _query_page_url(slot)),
        is_inline=True,
    )
    return field + answer


def _render_answer(slot: SlotContext) -> SafeString:
    other = parse_alternative(slot)
    if not other and PARTIAL not in slot.query:
        return SafeString("")
    return slot.render(
        "kordless_assistant/answer.html",
        partly=_("We understood only part of what you wrote.") if PARTIAL in slot.query else "",
        other=other,
    )


def render_link(slot: SlotContext) -> str:
    """Render the link to the page with the field, for phones: there, the first screen is for the times."""
    if not is_supported(slot.language):
        return ""
    return slot.render("kordless_assistant/link.html", url=_query_page_url(slot))
