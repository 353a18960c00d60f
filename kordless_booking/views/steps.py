"""Steps before the contact form: choose a service, then a time, in the visitor's time zone."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.api.resources import OrganizationDetail, Service
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.steps import Step
from kordless_booking.presentation import formatting, timezone_search
from kordless_booking.views.decorators import VERSION_HEADER, widget_view
from kordless_booking.views.display import service_card
from kordless_booking.views.links import SeeOther
from kordless_booking.views.page import Page, build_page
from kordless_booking.views.problems import not_found
from kordless_booking.views.rendering import PageRenderer, render
from kordless_booking.views.request import FORM_INPUT_FIELD, WidgetRequest
from kordless_booking.views.slot_page import AGE_NOTICE_SECONDS, SlotLinks, age_notice, slot_context
from kordless_booking.views.slot_reading import read_month, start_fetching_month, visitor_zone

# These three may be posted with form input, to keep it out of the URL. They only render, so any page may post to them.


@widget_view("GET", "POST", shareable=True, prefetchable=True, any_origin=True)
def services(visit: WidgetRequest) -> HttpResponse:
    """Show all services by category. With a single service, redirect to its times."""
    return services_page(visit)


@widget_view("GET", "POST", shareable=True, prefetchable=True, any_origin=True)
def slots(visit: WidgetRequest, service: str) -> HttpResponse:
    """Show a month of days, and the times of one of them."""
    if visit.request.method == "POST":
        post = visit.request.POST
        # A contact form, which has a draft, may have a field of that name.
        if "party" in post and "draft" not in post:
            party_size = Choices.from_query({"party": post["party"]}, ()).party_size
            visit = visit.with_choices(visit.choices.replace(party_size=party_size))
        if not visit.form_input:
            return SeeOther(visit.links.service_url("slots", service, visit.choices))
    return slots_page(visit, service)


@widget_view("GET", "POST", prefetchable=True, any_origin=True)
def zone(visit: WidgetRequest, service: str) -> HttpResponse:
    """Show all time zones, with a search."""
    detail = visit.bookable_service(service)

    def back(choices: Choices) -> str:
        return visit.links.service_url("slots", service, choices)

    page = build_page(visit, _("Time zone"), step=Step.SLOT, kept=visit.form_input_token)
    action = visit.links.service_url("zone", service, visit.choices if page.kept else Choices())
    context = zone_context(visit, page, visitor_zone(visit, detail), action, back)
    return render(visit, "kordless_booking/steps/zone.html", page, context, no_store=bool(page.kept))


@widget_view("GET", "POST")
def not_found_view(visit: WidgetRequest, rest: str) -> HttpResponse:
    """Answer all other URLs under the mount point with the widget's own 404 page."""
    raise not_found()


def bookable_services(offer: OrganizationDetail) -> list[Service]:
    """Return the services that visitors can choose: public ones whose slug fits into a single path segment."""
    return [service for service in offer.services if service.bookable and service.slug and "/" not in service.slug]


def services_page(visit: WidgetRequest) -> HttpResponse:
    """Return the list of services. With a single service, redirect to its times, or show them when embedded."""
    cached = visit.catalog.organization()
    services = bookable_services(cached.value)
    if len(services) == 1:
        slug = services[0].slug
        # A template tag renders into a page of the site, which can't be redirected. Nor can a form with its fields.
        if visit.embedded or visit.form_input:
            return slots_page(visit, slug)
        return SeeOther(visit.links.service_url("slots", slug, visit.choices))
    groups: dict[str, list[Any]] = {}
    for service in services:
        choices = visit.choices.replace(host_id=None, day=None, month=None)
        url = visit.links.service_url("slots", service.slug, choices)
        groups.setdefault((service.category or "").strip(), []).append(service_card(service, visit.language, url))
    named = [{"title": title, "services": cards} for title, cards in groups.items() if title]
    unnamed = [{"title": _("More") if named else "", "services": groups[""]}] if "" in groups else []
    kept = visit.form_input_token
    # The script asks for the page in the visitor's zone by GET, which has no form input.
    autozone = visit.choices.timezone is None and not kept
    page = build_page(visit, _("Choose a service"), step=Step.SERVICE, autozone=autozone, kept=kept)
    context = {"groups": named + unnamed, "empty": not services, "notice": age_notice(visit, cached)}
    page_view = None if kept else visit.page_view()
    return PageRenderer(visit, page).render_cached(Step.SERVICE.template, context, page_view=page_view)


def slots_page(visit: WidgetRequest, service: str, *, taken: str = "", status: int = 200) -> HttpResponse:
    """Return the slot page of a service. Raises NotFound and other KordlessErrors.

    `taken` is the reason why the visitor was sent back, as in the query. With form input, each control posts it.
    """
    # Before anything is read: reading one thing after another could exceed the page's deadline.
    start_fetching_month(visit, service)
    detail = visit.bookable_service(service)
    kept = visit.form_input_token

    def here(choices: Choices) -> str:
        return visit.links.service_url("slots", service, choices)

    choices = visit.choices.replace(month=None, day=None)
    start = visit.links.service_url("contact", service, choices)
    links = SlotLinks(
        here=here,
        form=visit.links.service_url("slots", service, Choices()),
        hidden=Choices.query_items,
        time=f"{start}{'&' if '?' in start else '?'}start=",
        zone=visit.links.service_url("zone", service, visit.choices),
    )
    page = build_page(
        visit,
        detail.service.name,
        step=Step.SLOT,
        autozone=visit.choices.timezone is None and not kept,
        self_url=here(visit.choices),
        kept=kept,
    )
    month = read_month(visit, detail)
    notice = age_notice(visit, month.cached, min_age_seconds=AGE_NOTICE_SECONDS)
    renderer = PageRenderer(visit, page)
    context = slot_context(visit, month.view, links, renderer, notice=notice) | {
        "service": service_card(detail.service, visit.language),
        "back": _back(visit),
        "taken": _taken(taken or visit.request.GET.get("taken")),
    }
    page_view = None if kept else visit.page_view(service)
    response = renderer.render_cached(Step.SLOT.template, context, status, page_view=page_view)
    response[VERSION_HEADER] = context["watch"]["version"]
    return response


def _taken(reason: str | None) -> str:
    """Return the notice for a visitor who was sent back: the time is taken, perhaps by their own earlier attempt."""
    match reason:
        case "1":
            return _("That time was just taken. Here are the times that are still free; everything you typed is kept.")
        case "2":
            return _(
                "That time is taken now, perhaps by your own first try. "
                "Please check your messages for a confirmation before you choose another time."
            )
    return ""


def _back(visit: WidgetRequest) -> dict[str, str] | None:
    """Return the link to the list of services; None when there is only one."""
    offer = visit.catalog.organization().value
    if len(bookable_services(offer)) < 2:
        return None
    choices = visit.choices.replace(host_id=None, day=None, month=None, party_size=1)
    return {"url": visit.links.url("services", choices=choices), "label": _("All services")}


def zone_context(visit: WidgetRequest, page: Page, current: str, action: str, back: Any) -> dict[str, Any]:
    """Return the context of steps/zone.html. `back` returns the slot page's URL for given choices."""
    query = (visit.request.POST if page.kept else visit.request.GET).get("q", "")[: timezone_search.MAX_QUERY]
    groups: dict[str, list[dict[str, Any]]] = {}
    choices = timezone_search.search_zones(query, visit.now, visit.language)
    for choice in choices:
        groups.setdefault(choice.region, []).append(
            {
                "label": f"{choice.label}, {choice.country}" if choice.country else choice.label,
                "offset": choice.offset,
                "now": formatting.clock_time(choice.local, visit.language, visit.choices.hours),
                "url": back(visit.choices.replace(timezone=choice.name)),
                "current": choice.name == current,
            }
        )
    hidden = [(FORM_INPUT_FIELD, page.kept)] if page.kept else visit.choices.query_items()
    return {
        "form": {"action": action, "hidden": hidden, "query": query, "max_length": timezone_search.MAX_QUERY},
        "groups": [{"title": title, "zones": listed} for title, listed in groups.items()],
        "none_found": not groups,
        "found": _found(len(choices)) if query and groups else "",
        "back": {"url": back(visit.choices), "label": _("Back to the times"), "carry": True},
    }


def _found(count: int) -> str:
    return ngettext("%(count)s time zone found", "%(count)s time zones found", count) % {"count": count}
