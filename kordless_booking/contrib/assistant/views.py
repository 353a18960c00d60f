"""Page on which a visitor says when, in their own words. It only leads on: it never books, and never fills the form.

People write names and ailments into such a field. So the words come by POST, are stored and logged nowhere, and are
shown again only to who has written them, on a page that nothing caches; counted is whether they were understood.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.booking.choices import Choices
from kordless_booking.booking.requested_days import RequestedDays
from kordless_booking.booking.steps import Step
from kordless_booking.contrib.assistant import plugin
from kordless_booking.contrib.assistant.answers import build_answer_url
from kordless_booking.contrib.assistant.grammar import MAX_LENGTH, TimeQuery, parse
from kordless_booking.contrib.assistant.offers import Situation, find_service, read_situation
from kordless_booking.contrib.assistant.text_parser import parse_with_model
from kordless_booking.exceptions import KordlessError
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.views.decorators import widget_view
from kordless_booking.views.links import SeeOther
from kordless_booking.views.page import build_page
from kordless_booking.views.rendering import render
from kordless_booking.views.slot_page import carried_query
from kordless_booking.views.steps import services_page, slots_page

if TYPE_CHECKING:
    from kordless_booking.views.request import WidgetRequest


_SLUG: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")


@widget_view("GET", "POST", no_store=True)
def say(visit: WidgetRequest) -> HttpResponse:
    """Show the field; answer words with the times that they ask for, or with the field and the words in it."""
    post, slug = visit.request.POST, visit.request.GET.get("service", "")
    # Form input comes by POST too, with a link to this page.
    if visit.request.method != "POST" or "words" not in post:
        return _show_form(visit, find_service(visit, slug))
    words = post["words"][:MAX_LENGTH]
    try:
        service = find_service(visit, slug)
        situation = read_situation(visit, service)
    except KordlessError:
        # Its own page would lose the words.
        problem = _(
            "We can’t reach the booking system right now. Nothing has been booked or changed. Please try again soon."
        )
        return _show_form(visit, slug if _SLUG.fullmatch(slug) else "", words=words, problem=problem, status=503)
    query = understand(visit, words, situation)
    if query is None:
        visit.record_stage(plugin.MISS, service)
        problem = (
            _("We couldn’t read a day or a time from that. Please try other words, such as those below.")
            if words.strip()
            else _("Write when you would like to come.")
        )
        return _show_form(visit, service, words=words, problem=problem, status=422)
    visit.record_stage(plugin.HIT, service)
    url = build_answer_url(visit, query, situation.offer, service)
    return _show(visit, url, query.service or service) if visit.form_input else SeeOther(url)


def understand(visit: WidgetRequest, words: str, situation: Situation) -> TimeQuery | None:
    """Return what the grammar reads from the words, else what the site's model does; None where neither reads any."""
    found = parse(words, situation.offer, language=visit.language, now=situation.now)
    return found if found.understood else parse_with_model(visit, words, situation.offer)


def _show(visit: WidgetRequest, url: str, service: str) -> HttpResponse:
    """Return the page at a URL of ours at once: a redirect would lose the form input that came along."""
    # As if the URL had been requested: its marks are read from there.
    visit.request.GET = QueryDict(urlsplit(url).query)
    choices = Choices.from_query(visit.request.GET, supported_languages())
    visit = visit.with_choices(choices.replace(done_url=visit.choices.done_url))
    requested = RequestedDays.from_query(visit.request.GET)
    response = slots_page(visit, service, requested=requested) if service else services_page(visit, requested=requested)
    if not visit.inline:
        response["HX-Push-Url"] = url
    return response


def _show_form(
    visit: WidgetRequest, service: str, *, words: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    carried = carried_query(visit)
    url = visit.links.url("say", choices=visit.choices, service=service, **carried)
    back = (
        visit.links.service_url("slots", service, visit.choices, **carried)
        if service
        else visit.links.url("services", choices=visit.choices, **carried)
    )
    page = build_page(
        visit,
        pgettext("heading", "Say when"),
        step=Step.SLOT if service else Step.SERVICE,
        address=url,
        form_input_token=visit.form_input_token,
    )
    context = {
        **plugin.field_context(page, visit.account.name, visit.language, url),
        "words": words,
        "problem": problem,
        "back": {
            "url": back,
            "label": _("Back to the times") if service else pgettext("button", "All services"),
            "carry": True,
        },
    }
    return render(visit, "kordless_assistant/say.html", page, context, status, no_store=True)
