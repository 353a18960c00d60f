"""Steps before the contact form: choose a service, then a time, in the visitor's time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final

from django.http import HttpResponse
from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver
from django.utils.http import escape_leading_slashes
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kordless_booking.api.resources import OrganizationDetail, Service
from kordless_booking.booking.availability import PAGE, CalendarPage, provider_name, unique_lengths
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.requested_days import RequestedDays
from kordless_booking.booking.steps import Step
from kordless_booking.exceptions import KordlessError
from kordless_booking.presentation import search, timezone_search
from kordless_booking.presentation.texts import MAX_UNFOLDED_CHARS
from kordless_booking.presentation.timezone_search import ZoneChoice
from kordless_booking.presentation.timezones import business_timezone
from kordless_booking.views.book_again import parse_usual_time
from kordless_booking.views.cells import (
    SERVICE_CARD,
    ZONE,
    CardFrame,
    parse_start,
    service_cards,
    zone_items,
    zone_lists,
)
from kordless_booking.views.decorators import VERSION_HEADER, widget_view
from kordless_booking.views.display import ServiceCard, service_card
from kordless_booking.views.extensions import fill_slots, page_queries
from kordless_booking.views.links import SeeOther
from kordless_booking.views.listed_page import VERSION_PREFIX, read_shown_service
from kordless_booking.views.metadata import list_metadata, service_metadata
from kordless_booking.views.next_free import NextFreeTexts, next_free_texts
from kordless_booking.views.package_templates import find_package_templates
from kordless_booking.views.page import Page, build_page
from kordless_booking.views.problems import from_api_error, not_found
from kordless_booking.views.rendering import PageRenderer
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.skeletons import PackagePart
from kordless_booking.views.slot_page import (
    AGE_NOTICE_SECONDS,
    SlotLinks,
    carried_query,
    choices_for_return,
    describe_age,
    limit_chips,
    slot_context,
)
from kordless_booking.views.slot_reading import (
    CalendarPageRead,
    page_days,
    read_calendar_page,
    start_fetching_calendar_page,
    visitor_zone,
)

MAX_UNFILTERED: Final = 12
"""Services up to which their list has no filter: they fit about two screens of a phone."""
MAX_ZONES_FOUND: Final = 50
"""Time zones that a search shows: there are as many at the most common offset, and nobody reads on after these."""

# These three may be posted with form input, to keep it out of the URL. They only render, so any page may post to them.


@widget_view("GET", "POST", shareable=True, prefetchable=True, any_origin=True)
def services(visit: WidgetRequest) -> HttpResponse:
    """Show all services by category. With a single service, redirect to its times."""
    return services_page(visit)


@widget_view("GET", "POST", shareable=True, prefetchable=True, any_origin=True)
def slots(visit: WidgetRequest, service: str) -> HttpResponse:
    """Show a page of the calendar, and the times of one of its days."""
    if visit.request.method == "POST":
        post = visit.request.POST
        # A contact form, which has a draft, may have a field of such a name.
        if "draft" not in post:
            visit = visit.with_choices(_posted_choices(visit.choices, post))
        url = visit.links.service_url("slots", service, visit.choices, **carried_query(visit))
        if not visit.form_input:
            return SeeOther(url)
        try:
            return slots_page(visit, service)
        except KordlessError as error:
            # The URL of the request doesn't have what the form has just changed.
            raise replace(from_api_error(error), again_url=url) from None
    return slots_page(visit, service)


def _posted_choices(choices: Choices, post: Mapping[str, str]) -> Choices:
    """Return the choices with what a form of the slot page changes: the party size, or the host or team."""
    posted = Choices.from_query(post, ())
    if "party" in post:
        choices = choices.replace(party_size=posted.party_size)
    if "with" in post:
        choices = choices.replace(host_id=posted.host_id, team_id=posted.team_id)
    return choices


@widget_view("GET", "POST", shareable=True, prefetchable=True, any_origin=True)
def zone(visit: WidgetRequest, service: str) -> HttpResponse:
    """Show the likely time zones and those of all continents, with a search."""
    detail, _lacks_settings = read_shown_service(visit, service)

    carried = carried_query(visit)

    def back(choices: Choices) -> str:
        return visit.links.service_url("slots", service, choices, **carried)

    def here(choices: Choices) -> str:
        return visit.links.service_url("zone", service, choices, **carried)

    page = build_page(
        visit,
        pgettext("label", "Time zone"),
        step=Step.SLOT,
        address=here(visit.choices),
        form_input_token=visit.form_input_token,
    )
    renderer = PageRenderer(visit, page)
    business = business_timezone(detail.calendar.timezone)
    context = zone_context(visit, renderer, visitor_zone(visit, detail), business, here, back, carried)
    if context["form"]["query"] or "from" in carried:
        # Not cached in any way, since visitors can type anything, and a usual time is one visitor's.
        return renderer.render("kordless_booking/steps/zone.html", context, no_store=bool(page.form_input_token))
    return renderer.render_cached("kordless_booking/steps/zone.html", context)


@widget_view("GET", "POST")
def not_found_view(visit: WidgetRequest, rest: str, pages: Sequence[URLPattern | URLResolver] = ()) -> HttpResponse:
    """Answer all other URLs under the mount point: a redirect where only the slash at the end is missing, else a 404.

    `pages` are the patterns of the URLs that there are; `rest` is the path below the mount point.
    """
    # A POST can't be redirected without asking the visitor, and no form of ours is posted to such a URL.
    is_read = visit.request.method in {"GET", "HEAD"}
    found = _find_page(f"{rest}/", pages) if rest[-1:] != "/" else None
    if is_read and found and _is_offered(visit, found.kwargs.get("service")):
        # The request's own path, so that every prefix stays. Two slashes at its start would lead to another site.
        url = escape_leading_slashes(visit.request.get_full_path(force_append_slash=True))
        # No subclass of HttpResponseRedirect, for the reason that `SeeOther` gives.
        return HttpResponse(status=301, headers={"Location": url})
    raise not_found()


def _find_page(rest: str, pages: Sequence[URLPattern | URLResolver]) -> ResolverMatch | None:
    for page in pages:
        # Raised by what an extension includes.
        with suppress(Resolver404):
            if found := page.resolve(rest):
                return found
    return None


def _is_offered(visit: WidgetRequest, slug: str | None) -> bool:
    """Return False for a service that isn't offered: any name, also that of a file, could be one."""
    try:
        return slug is None or slug in {
            service.slug for service in bookable_services(visit.catalog.organization().value)
        }
    except KordlessError:
        # The page of the service says what is wrong.
        return True


def bookable_services(offer: OrganizationDetail) -> list[Service]:
    """Return the services that visitors can choose: the public ones."""
    return [service for service in offer.services if service.bookable]


def services_page(visit: WidgetRequest, *, requested: RequestedDays | None = None) -> HttpResponse:
    """Return the list of services. With a single service, redirect to its times, or show them when embedded.

    `requested` is what a link asks for besides the choices, by default that of the query; links to services keep it.
    """
    if requested is None:
        requested = RequestedDays.from_query(visit.query)
    more = dict(requested.query_items()) if requested else {}
    cached = visit.catalog.organization()
    services = bookable_services(cached.value)
    if len(services) == 1:
        slug = services[0].slug
        # A template tag renders into a page of the site, which can't be redirected. Nor can a form with its fields.
        if visit.embedded or visit.form_input:
            return slots_page(visit, slug, requested=requested)
        return SeeOther(visit.links.service_url("slots", slug, visit.choices, **more))
    can_filter = len(services) > MAX_UNFILTERED
    query = _typed_query(visit).strip() if can_filter else ""
    found = _find_services(services, query)
    groups: dict[str, list[Service]] = {}
    for service in found:
        groups.setdefault((service.category or "").strip(), []).append(service)
    choices = visit.choices if requested else visit.choices.replace(day=None, month=None, after=None, before=None)
    # In a long list the places would be noise, and each read of it costly.
    known = {} if can_filter else visit.catalog.cached_services([service.slug for service in found])
    free = next_free_texts(visit, [service.slug for service in found], known) if not can_filter else NextFreeTexts()
    token = visit.form_input_token

    def here(choices: Choices, **query: str) -> str:
        return visit.links.url("services", choices=choices, **query)

    # The script asks for the page in the visitor's zone by GET, which has no form input.
    autozone = visit.choices.timezone is None and not token
    page = build_page(
        visit,
        _("Choose a service"),
        step=Step.SERVICE,
        address=here(visit.choices, **more, **page_queries(visit)),
        # A search leads back to all of them.
        name="" if query else "services",
        autozone=autozone,
        form_input_token=token,
        metadata=list_metadata(visit, services),
    )
    renderer = PageRenderer(visit, page)

    def card(service: Service) -> ServiceCard:
        return service_card(
            service,
            visit.language,
            visit.links.service_url("slots", service.slug, choices, **more),
            calendar=known[service.slug].calendar if service.slug in known else None,
            next_free=free.by_service.get(service.slug, ""),
        )

    has_more = len(groups) > 1 and "" in groups
    titles = [*filter(None, groups), *([""] if "" in groups else [])]
    # A long list is the same for everybody but for the query of its links. What somebody has typed isn't cached.
    cards = _find_shared_cards(visit, renderer, choices, more) if can_filter and not query and not token else None
    context = {
        "groups": [
            {"title": title or (pgettext("heading", "More") if has_more else "")}
            | ({"cards": cards(groups[title])} if cards else {"services": [card(each) for each in groups[title]]})
            for title in titles
        ],
        "category_links": len(found) > MAX_UNFILTERED and len(groups) > 1,
        "empty": not services,
        "filter": _service_filter(visit, page, choices, more, query, len(found)) if can_filter else None,
        "notice": describe_age(visit, cached),
        "next_free_clock": free.clock,
        "limits": limit_chips(visit, requested, here) if requested else [],
        **fill_slots(visit, page, "services_before", "services_after", here=here, carried=more | page_queries(visit)),
    }
    if query:
        # Not cached in any way, since visitors can type anything, and not counted again.
        return renderer.render(Step.SERVICE.template, context)
    page_view = None if token else visit.page_view()
    return renderer.render_cached(Step.SERVICE.template, context, page_view=page_view)


def _find_shared_cards(
    visit: WidgetRequest, renderer: PageRenderer, choices: Choices, more: Mapping[str, str]
) -> Callable[[Sequence[Service]], SafeString] | None:
    """Return a function from services to their cards as all visitors share them; None where a template is the site's.

    Each link of the list has `choices`, and `more` in its query.
    """
    page, links = renderer.page, visit.links
    if find_package_templates(Step.SERVICE.template, page.layout) is None:
        return None
    part = renderer.part(SERVICE_CARD)
    if not isinstance(part, PackagePart):
        return None
    # The same behind the path of every page.
    query = links.url("services", choices=choices, **more).removeprefix(links.url("services", choices=Choices()))

    def path(slug: str) -> str:
        return links.service_url("slots", slug, Choices())

    return partial(
        service_cards,
        package=part.package,
        frame=CardFrame(page.stage_id, page.push),
        language=visit.language,
        mount=links.mount,
        path=path,
        query=query,
    )


def _typed_query(visit: WidgetRequest) -> str:
    """Return what was typed into a search field of the page, cut to its length."""
    fields = visit.request.POST if visit.form_input_token else visit.query
    return fields.get("q", "")[: search.MAX_QUERY]


def _find_services(services: list[Service], query: str) -> list[Service]:
    """Return the services that have all words of the query in their name, category or the start of the description."""
    words = search.normalize_words(query).split()
    return [service for service in services if all(word in _searched_text(service) for word in words)]


@lru_cache(maxsize=1024)
def _searched_words(*texts: str) -> str:
    return search.normalize_words(" ".join(texts))


def _searched_text(service: Service) -> str:
    return _searched_words(service.name, service.category or "", (service.description or "")[:MAX_UNFOLDED_CHARS])


def _service_filter(
    visit: WidgetRequest, page: Page, choices: Choices, more: Mapping[str, str], query: str, count: int
) -> dict[str, Any]:
    """Return the context of parts/service_filter.html. Each link of the list has `choices`, and `more` in its query."""
    all_url = visit.links.url("services", choices=choices, **more)
    fields = [*choices.query_items(), *more.items()]
    action, hidden = page.form_target(all_url, visit.links.url("services", choices=Choices()), fields)
    found = ngettext("%(count)s service found", "%(count)s services found", count) % {"count": count}
    return {
        "action": action,
        # Lists, not tuples: a skeleton has placeholders for what is in them.
        "hidden": [*map(list, hidden)],
        "query": query,
        "max_length": search.MAX_QUERY,
        "found": found if query and count else "",
        "none_found": not count,
        "all_url": all_url,
    }


def slots_page(
    visit: WidgetRequest,
    service: str,
    *,
    taken: str = "",
    near: datetime | None = None,
    requested: RequestedDays | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the slot page of a service. Raises NotFound and other KordlessErrors.

    `taken` is the reason why the visitor was sent back, and `near` the start of the lost time, as in the query.
    `requested` is what a link asks for besides the choices. With form input, each control posts it.
    """
    taken = taken or visit.query.get("taken", "")
    near = (near or parse_start(visit.query.get("near", ""))) if taken else None
    usual = None if taken else parse_usual_time(visit)
    if requested is None and not taken:
        requested = RequestedDays.from_query(visit.query)
    more = dict(requested.query_items()) if requested else {}
    # Before anything is read: reading one thing after another could exceed the page's deadline.
    start_fetching_calendar_page(visit, service)
    detail, lacks_settings = read_shown_service(visit, service)
    token = visit.form_input_token
    read = read_calendar_page(visit, detail, near=near or usual, requested=requested)
    view, unavailable = read.view, ""
    if view.provider_unavailable:
        unavailable = _unavailable(visit, read)
        # No link on the page has the host or team anymore.
        visit = visit.with_choices(view.choices)

    here = visit.links.service_url_builder("slots", service)
    carried = carried_query(visit, requested, taken=taken, near=near)
    choices = visit.choices.replace(month=None, day=None)
    start = visit.links.service_url("contact", service, choices)
    links = SlotLinks(
        here=here,
        form=here(Choices()),
        hidden=Choices.query_items,
        time=f"{start}{'&' if '?' in start else '?'}start=",
        zone=visit.links.service_url(
            "zone", service, visit.choices if carried else choices_for_return(view), **carried
        ),
    )
    back, own_url = _back(visit), here(visit.choices, **more, **page_queries(visit))
    page = build_page(
        visit,
        detail.service.name,
        step=Step.SLOT,
        # The head of the step leads to the services already; on a phone a second link costs the foot a line.
        name="services" if back else "",
        autozone=visit.choices.timezone is None and not token,
        self_url=own_url,
        address=own_url,
        form_input_token=token,
        metadata=service_metadata(visit, detail.service),
    )
    renderer = PageRenderer(visit, page)
    lengths = unique_lengths(read.cached.value)
    context = slot_context(
        visit,
        view,
        links,
        renderer,
        clocks=read.clocks,
        age_notice=describe_age(visit, read.cached, min_age_seconds=AGE_NOTICE_SECONDS),
        says_length=len(lengths) > 1,
        requested=requested,
    ) | {
        "service": service_card(
            detail.service,
            visit.language,
            party=visit.choices.party_size,
            price_per=visit.account.price_per,
            lengths=lengths,
            calendar=detail.calendar,
        ),
        "back": back,
        "taken": _taken_notice(taken, others_free=view.day is not None),
        "unavailable": unavailable,
        "books_again": usual is not None,
        **fill_slots(
            visit,
            page,
            "times_before",
            "no_times" if view.empty else "times_after",
            service=service,
            here=here,
            carried=carried,
        ),
    }
    if lacks_settings:
        context["watch"]["version"] = VERSION_PREFIX + context["watch"]["version"]
    page_view = None if token else visit.page_view(service, empty_month=_empty_month(view))
    if view.largest_party is not None or view.provider_unavailable or usual:
        # Not cached in any way: the party, host or team isn't one of those that the page offers, so it may be made up,
        # and each such page would take the place of one that others need. A usual time is one visitor's.
        response = renderer.render(Step.SLOT.template, context, status, no_store=bool(token))
        response.page_view = page_view
    else:
        response = renderer.render_cached(Step.SLOT.template, context, status, page_view=page_view)
    response[VERSION_HEADER] = context["watch"]["version"]
    return response


def _empty_month(view: CalendarPage) -> date | None:
    """Return the first day of the month in which the visitor wanted a time and got none; None when there is one."""
    if view.empty:
        # By the day in the middle: a page of the calendar may begin or end in another month.
        return (view.start + PAGE / 2).replace(day=1)
    if view.is_next_free and view.choices.day:
        # The page goes on to a later one, and says so.
        return max(view.choices.day, view.today).replace(day=1)
    return None


def _unavailable(visit: WidgetRequest, read: CalendarPageRead) -> str:
    """Return the notice that the chosen host or team doesn't do this service. Says the name if the cache knows it."""
    name = provider_name(visit.catalog.cached_slots(page_days(read.view.start)), visit.choices)
    available = {each.name for slot in read.cached.value for each in (slot.host, slot.team) if each}
    # Not a name that one of those has whose times are shown: "Sam isn't available" would contradict "With Sam".
    if name and name not in available:
        # Translators: host is the name of a person or team, "this" the service on the page.
        return _("%(host)s isn’t available for this. Here are everyone’s times.") % {"host": name}
    if visit.choices.host_id:
        # Translators: "this" at the end of the first sentence is the service on the page.
        return _("This person isn’t available for this. Here are everyone’s times.")
    # Translators: "this" at the end of the first sentence is the service on the page.
    return _("This team isn’t available for this. Here are everyone’s times.")


def _taken_notice(reason: str | None, *, others_free: bool) -> str:
    """Return the notice for a visitor who was sent back: the time is taken, perhaps by their own earlier attempt."""
    match reason:
        case "1" if not others_free:
            return _("That time was just taken. Everything you typed is kept.")
        case "1":
            return _("That time was just taken. Here are the times that are still free; everything you typed is kept.")
        case "2":
            return _(
                "That time is now taken, perhaps by your own first attempt. Please check your messages for a "
                "confirmation before you choose another time."
            )
    return ""


def _back(visit: WidgetRequest) -> dict[str, str] | None:
    """Return the link to the list of services; None when there is only one."""
    bookable = (service for service in visit.catalog.organization().value.services if service.bookable)
    # Not the length of a list of all: a business may have a thousand.
    if len([*islice(bookable, 2)]) < 2:
        return None
    return {"url": visit.links.services_url, "label": pgettext("button", "All services")}


def zone_context(
    visit: WidgetRequest,
    renderer: PageRenderer,
    current: str,
    business: str | None,
    here: Callable[[Choices], str],
    back: Callable[[Choices], str],
    carried: Mapping[str, str],
) -> dict[str, Any]:
    """Return the context of steps/zone.html. `here` and `back` return its and the slot page's URL for given choices.

    `current` is the zone in use; `business` that of the business, or None. Both are canonical names. `carried` is what
    these URLs have in their query besides the choices.
    """
    query, page = _typed_query(visit), renderer.page
    more = [*carried.items()]
    # The action of a form is without what its fields have.
    own, times = (url(Choices()).partition("?")[0] for url in (here, back))
    action, hidden = page.form_target(here(visit.choices), own, visit.choices.query_items() + more)
    # The zone is what the pressed button adds to these.
    others = visit.choices.replace(timezone=None)
    zones_action, zones_hidden = page.form_target(back(others), times, others.query_items() + more)
    part = renderer.part(ZONE)
    # Whole URLs where a button posts what was typed: the browser's address must have the zone then too.
    url = (lambda name: back(visit.choices.replace(timezone=name))) if page.form_input_token else None

    def rows(choices: Iterable[ZoneChoice], *, named: bool) -> SafeString:
        return zone_items(
            choices,
            part=part,
            # Once: a suggested one stands among those of its continent, too.
            current=current if named else "",
            language=visit.language,
            hours=visit.choices.hours,
            named=named,
            url=url,
        )

    if is_search := bool(query.strip()):
        found = timezone_search.search_zones(query, visit.now, visit.language)
        listed, continents = rows(found[:MAX_ZONES_FOUND], named=True), []
    else:
        found = timezone_search.likely_zones(current, business, visit.now, visit.language)
        # With form input, each row has its own URL.
        lists = zone_lists(
            lambda: timezone_search.list_zones(visit.now, visit.language),
            int(visit.now.timestamp() // 60),
            part=part,
            language=visit.language,
            hours=visit.choices.hours,
            url=url,
        )
        own = timezone_search.zone_region(current, visit.language)
        # The visitor's own continent first, and open.
        lists = tuple(sorted(lists, key=lambda each: each[0] != own))
        continents = [{"title": region, "zones": zones, "open": region == own} for region, zones in lists]
        listed = rows(found, named=True)
    return {
        # Lists, not tuples: a skeleton has placeholders for what is in them.
        "form": {"action": action, "hidden": [*map(list, hidden)], "query": query, "max_length": search.MAX_QUERY},
        "zones": {
            "action": zones_action,
            "hidden": [*map(list, zones_hidden)],
            "listed": listed,
            "continents": continents,
            "more": _("Only the best matches are shown. Type more to narrow them down.")
            if is_search and len(found) > MAX_ZONES_FOUND
            else "",
        },
        "none_found": not found,
        "found": _found(len(found)) if is_search and found else "",
        "back": {"url": back(visit.choices), "label": _("Back to the times"), "carry": True},
    }


def _found(count: int) -> str:
    return ngettext("%(count)s time zone found", "%(count)s time zones found", count) % {"count": count}
