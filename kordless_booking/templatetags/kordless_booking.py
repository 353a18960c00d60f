"""Template tags for pages of the same site: the widget without a frame, and links to the next free times."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template import TemplateSyntaxError
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from kordless_booking import conf
from kordless_booking.api.deadline import deadline
from kordless_booking.booking.choices import Choices
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.page_views import count_page_view
from kordless_booking.logs import log_event
from kordless_booking.upstream.registry import services_for
from kordless_booking.upstream.requester import requested_by
from kordless_booking.upstream.warming import warm_after_view
from kordless_booking.views import problems, tag_arguments
from kordless_booking.views.client_address import build_requester
from kordless_booking.views.csp_nonce import add_nonce, find_nonce
from kordless_booking.views.lazy import lazy_page
from kordless_booking.views.next_free import next_free_links
from kordless_booking.views.page import find_look
from kordless_booking.views.rendering import PageResponse
from kordless_booking.views.request import Embedding, WidgetRequest, request_id_context
from kordless_booking.views.steps import services_page, slots_page
from kordless_booking.views.stylesheet import style_color
from kordless_booking.views.tag_arguments import InvalidArgument, PageWidgets

register = template.Library()
T = TypeVar("T")
log = logging.getLogger("kordless_booking.views")


@register.simple_tag(takes_context=True)
def booking_widget(
    context: dict[str, Any],
    service: str = "",
    account: str = "",
    name: str = "",
    theme: str = "",
    *,
    history: bool = True,
    host: object = "",
    team: object = "",
    party: object = "",
    tz: object = "",
    lang: str = "",
    scheme: str = "",
    accent: str = "",
    width: str = "",
    lazy: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> SafeString:
    """Render the list of services, or the times of one `service`, in the page's own response.

    `account` names one of several accounts. `name` distinguishes widgets on a page, which else are counted. Without
    `history` the script adds nothing to the browser's history, for pages with a router of their own. All others mean
    what the attributes of the link for other sites mean: docs/embed.md has them. Needs
    `django.template.context_processors.request`. A mistake in an argument is an error while DEBUG is on, else logged
    and the argument left out. An error of Kordless becomes a message in the widget, so that the page around it is
    always shown. `metadata` is for the site's own code, which gets it back with the signals.
    """
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise ImproperlyConfigured("{% booking_widget %} needs the request context processor.")
    choices: dict[str, Any] = {}
    nothing: dict[str, Any] = {}
    given = {"theme": theme, "host": host, "team": team, "party": party, "tz": tz}
    given |= {"lang": lang, "scheme": scheme, "accent": accent}
    with request_id_context(request):
        for argument, value in given.items():
            choices |= _read(tag_arguments.parse_choice, argument, value, default=nothing)
        service = _read(tag_arguments.parse_service, service, default="")
        name = _read(tag_arguments.parse_name, name, default=tag_arguments.DEFAULT_NAME)
        width = _read(tag_arguments.parse_width, width, default="")
        lazy = _read(tag_arguments.parse_flag, "lazy", lazy, default=False)
        namespace = _namespace(account)
        if namespace is None:
            return SafeString()
        token = _read(tag_arguments.parse_metadata, conf.get_account(namespace).name, metadata, default="")
    if token:
        choices["metadata"] = token
    widgets = PageWidgets.of_request(request)
    name = widgets.claim_name(name)
    visit = WidgetRequest.from_http(
        request,
        namespace=namespace,
        embedding=Embedding(
            stage_id=tag_arguments.stage_id(name),
            query_prefix=tag_arguments.query_prefix(name),
            choices=choices,
            width=width,
            page_color=widgets.color,
            look_classes=frozenset(widgets.look_classes),
            skip_assets=bool(widgets.color),
            is_lazy=lazy,
            keeps_history=bool(history),
        ),
    )
    # One deadline, in seconds, for all calls to Kordless: the host's page must not wait longer than the widget's own.
    with (
        request_id_context(request),
        translation.override(visit.language),
        requested_by(build_requester(visit)),
        deadline(visit.account.browse_seconds),
    ):
        try:
            page = _first_page(visit, service)
            if isinstance(page, PageResponse) and page.page_view is not None:
                # A second widget on the same page is no second visit.
                is_view = count_page_view(request, page.page_view, arrives=not widgets.color)
                if is_view:
                    warm_after_view(page.page_view.account)
        except KordlessError as error:
            problem = replace(problems.from_api_error(error), again_url=_widget_url(visit, service))
            page = problems.problem_page(visit, problem)
        except problems.Problem as problem:
            page = problems.problem_page(visit, problem)
        widgets.color = widgets.color or style_color(visit.account, visit.choices, visit.organization)
        if look := find_look(visit, visit.organization):
            widgets.look_classes.add(look.class_name)
    html = page.content.decode()
    if nonce := find_nonce(request) or str(context.get("csp_nonce") or ""):
        html = add_nonce(html, nonce)
    return mark_safe(html)  # noqa: S308 (rendered by our own escaping templates)


@register.simple_tag(takes_context=True)
def next_free(context: dict[str, Any], service: str, count: int = 3, account: str = "") -> SafeString:
    """Render links to the next free times of a service, each to its contact form; nothing where none is known.

    `count` is 12 at most; `account` names one of several accounts. From what is cached: where nothing is, one request
    is sent, and the page waits half a second for it at most. Needs `django.template.context_processors.request`.
    """
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise ImproperlyConfigured("{% next_free %} needs the request context processor.")
    with request_id_context(request):
        service = _read(partial(tag_arguments.parse_service, tag="next_free"), service, default="")
        count = _read(tag_arguments.parse_count, count, default=3)
        namespace = _namespace(account, "next_free")
    if namespace is None:
        return SafeString()
    visit = WidgetRequest.from_http(request, namespace=namespace, embedding=Embedding(stage_id="kb-inline-next-free"))
    # Of the widget's choices in the page's query only the zone and the language count.
    visit = visit.with_choices(Choices(timezone=visit.choices.timezone, lang=visit.choices.lang))
    with (
        request_id_context(request),
        translation.override(visit.language),
        requested_by(build_requester(visit)),
        deadline(visit.account.browse_seconds),
    ):
        times = next_free_links(visit, service, count)
        # With the request: a template of the site's own in its place may use it, and the site's context processors.
        return render_to_string("kordless_booking/parts/next_free.html", times, request) if times else SafeString()


def _first_page(visit: WidgetRequest, service: str) -> HttpResponse:
    if visit.embedding is not None and visit.embedding.is_lazy:
        return lazy_page(visit, service)
    return slots_page(visit, service) if service else services_page(visit)


def _read(parse: Callable[..., T], *arguments: object, default: T) -> T:
    """Parse an argument. For a mistake in it, raise TemplateSyntaxError while DEBUG is on, else log it."""
    try:
        return parse(*arguments)
    except InvalidArgument as error:
        # Its value may come from an editor or from the page's query, and must not take the page down.
        if settings.DEBUG:
            raise TemplateSyntaxError(f"{error} It is {arguments[-1]!r}.") from None
        # Nor may whoever repeats such a query fill the log, or call somebody in the night. Any account's will do.
        throttle = services_for(next(iter(conf.accounts().values()))).log_throttle
        level = throttle.level_for(f"tag_argument_invalid {error.argument}", logging.ERROR)
        log_event(log, level, "tag_argument_invalid", argument=error.argument, reason=str(error))
        return default


def _namespace(account: object, tag: str = "booking_widget") -> str | None:
    """Return the namespace of an account's pages; None for an account that doesn't exist, which is logged.

    Raises ImproperlyConfigured where there are several, and the template names none.
    """
    namespace = _read(partial(tag_arguments.parse_account, tag=tag), account, default=None)
    if namespace is None:
        return None
    known, namespace = conf.accounts(), namespace or "kordless_booking"
    # With a single account, any namespace will do; of several, one may have the name of the URLs' own namespace.
    if len(known) > 1 and namespace.rpartition(":")[2] not in known:
        raise ImproperlyConfigured(
            f"{{% {tag} %}}: account must be one of {', '.join(sorted(known))}, and is {account!r}."
        )
    return namespace


def _widget_url(visit: WidgetRequest, service: str) -> str | None:
    """Return the widget's own URL for what the tag shows: that of the request is the page of the site's around it."""
    # The site's template may name a service that no URL can have.
    with suppress(NoReverseMatch):
        return visit.links.service_url("slots", service, visit.choices) if service else visit.links.services_url
    return None
