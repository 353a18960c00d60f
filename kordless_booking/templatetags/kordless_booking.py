"""Template tags for pages of the same site: the widget without a frame, and links to the next free times."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from kordless_booking.api.deadline import deadline
from kordless_booking.booking.choices import Choices
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.page_views import count_page_view
from kordless_booking.presentation.themes import PLAIN, THEMES
from kordless_booking.upstream.requester import requested_by
from kordless_booking.upstream.warming import warm_after_view
from kordless_booking.views import problems
from kordless_booking.views.client_address import build_requester
from kordless_booking.views.next_free import MAX_NEXT_TIMES, next_free_links
from kordless_booking.views.rendering import PageResponse
from kordless_booking.views.request import WidgetRequest, request_id_context
from kordless_booking.views.steps import services_page, slots_page

register = template.Library()

_ASSETS_LOADED = "_kordless_booking_has_assets"
"""Attribute of the request: a widget on this page has brought the style sheet and the scripts already."""


@register.simple_tag(takes_context=True)
def booking_widget(
    context: dict[str, Any],
    service: str = "",
    account: str = "",
    name: str = "widget",
    theme: str = "",
    *,
    history: bool = True,
) -> SafeString:
    """Render the list of services, or the times of one `service`, in the page's own response.

    `account` names one of several accounts. `name` distinguishes two widgets on a page. `theme` overrides the account's
    theme; an unknown one is ignored. Without `history` the script adds nothing to the browser's history, for pages
    with a router of their own. Needs `django.template.context_processors.request`. An error of Kordless becomes a
    message in the widget, so that the page around it is always shown.
    """
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise ImproperlyConfigured("{% booking_widget %} needs the request context processor.")
    namespace = account or "kordless_booking"
    visit = WidgetRequest.from_http(
        request,
        namespace=namespace,
        stage=f"kb-inline-{name}",
        theme=theme if theme in {PLAIN, *THEMES} else None,
        skip_assets=bool(getattr(request, _ASSETS_LOADED, False)),
        keeps_history=bool(history),
    )
    setattr(request, _ASSETS_LOADED, True)
    # One deadline, in seconds, for all calls to Kordless: the host's page must not wait longer than the widget's own.
    with (
        request_id_context(request),
        translation.override(visit.language),
        requested_by(build_requester(visit)),
        deadline(visit.account.browse_seconds),
    ):
        try:
            page = slots_page(visit, service) if service else services_page(visit)
            if isinstance(page, PageResponse) and page.page_view is not None:
                # A second widget on the same page is no second visit.
                is_view = count_page_view(request, page.page_view, arrives=not visit.skip_assets)
                if is_view:
                    warm_after_view(page.page_view.account)
        except KordlessError as error:
            problem = replace(problems.from_api_error(error), again_url=_widget_url(visit, service))
            page = problems.problem_page(visit, problem)
        except problems.Problem as problem:
            page = problems.problem_page(visit, problem)
    return mark_safe(page.content.decode())  # noqa: S308 (rendered by our own escaping templates)


@register.simple_tag(takes_context=True)
def next_free(context: dict[str, Any], service: str, count: int = 3, account: str = "") -> SafeString:
    """Render links to the next free times of a service, each to its contact form; nothing where none is known.

    `count` is 12 at most; `account` names one of several accounts. From what is cached: where nothing is, one request
    is sent, and the page waits half a second for it at most. Needs `django.template.context_processors.request`.
    """
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise ImproperlyConfigured("{% next_free %} needs the request context processor.")
    visit = WidgetRequest.from_http(request, namespace=account or "kordless_booking", stage="kb-inline-next-free")
    # The query is the site's own, so of the choices in it only the zone and the language count.
    visit = visit.with_choices(Choices(timezone=visit.choices.timezone, lang=visit.choices.lang))
    with (
        request_id_context(request),
        translation.override(visit.language),
        requested_by(build_requester(visit)),
        deadline(visit.account.browse_seconds),
    ):
        times = next_free_links(visit, service, min(max(int(count), 1), MAX_NEXT_TIMES))
        # With the request: a template of the site's own in its place may use it, and the site's context processors.
        return render_to_string("kordless_booking/parts/next_free.html", times, request) if times else SafeString()


def _widget_url(visit: WidgetRequest, service: str) -> str | None:
    """Return the widget's own URL for what the tag shows: that of the request is the page of the site's around it."""
    # The site's template may name a service that no URL can have.
    with suppress(NoReverseMatch):
        return visit.links.service_url("slots", service, visit.choices) if service else visit.links.services_url()
    return None
