"""Documents that anybody may read: the services, one service, its free times, and their OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse

from kordless_booking.booking.choices import Choices
from kordless_booking.contrib.json_api.openapi import build_openapi
from kordless_booking.contrib.json_api.responses import ApiProblem, api_view, build_document, not_found
from kordless_booking.presentation.timezones import business_timezone
from kordless_booking.views.program_bookings import TOKENS_SETTING
from kordless_booking.views.program_reads import (
    BookLinks,
    TimesQuery,
    WrongQuery,
    absolute,
    bookable_services,
    describe_service,
    describe_settings,
    plain_links,
    read_as_program,
    read_times,
)
from kordless_booking.views.request import WidgetRequest

SERVICES_SECONDS: Final = 60
"""Seconds for which caches on the way may keep services: a change is seen a minute later than on the pages."""
OPENAPI_SECONDS: Final = 3600
_PARAMETERS: Final = ("from", "to", "tz", "party", "host", "team", "lang")


@api_view("GET", is_public=True, limits_reads=True)
def services(visit: WidgetRequest) -> HttpResponse:
    """Return the organization and the services that the public can book."""
    with read_as_program(visit):
        offer = visit.catalog.organization().value
    organization = offer.organization
    document = {
        "organization": {"name": organization.name, "slug": organization.slug, "tagline": organization.tagline},
        "services": [
            {**describe_service(service), **service_links(visit, service.slug)} for service in bookable_services(offer)
        ],
    }
    return build_document(visit, document, seconds=SERVICES_SECONDS)


@api_view("GET", is_public=True, limits_reads=True)
def service(visit: WidgetRequest, service: str) -> HttpResponse:
    """Return one service, with its settings and what its form asks for."""
    with read_as_program(visit):
        detail = visit.bookable_service(service)
        document = {
            **describe_service(detail.service),
            **describe_settings(visit, detail),
            **service_links(visit, service),
        }
    return build_document(visit, document, seconds=SERVICES_SECONDS)


@api_view("GET", is_public=True, limits_reads=True)
def times(visit: WidgetRequest, service: str) -> HttpResponse:
    """Return the free times of a service: at most 31 days."""
    given = visit.request.GET
    if twice := [name for name in _PARAMETERS if len(given.getlist(name)) > 1]:
        raise _wrong_query((name, "This parameter may be given once.") for name in twice)
    with read_as_program(visit):
        detail = visit.bookable_service(service)
        zone = business_timezone(detail.calendar.timezone)
        try:
            query = TimesQuery.parse(given.dict(), now=visit.now, business_zone=zone)
        except WrongQuery as wrong:
            raise _wrong_query(wrong.errors.items()) from None
        found = read_times(visit, detail, query)
    document = {
        "service": service,
        "from": query.first.isoformat(),
        "to": found.last.isoformat(),
        "complete": found.last == query.last,
        "timezone": query.zone,
        "party": query.party,
        "host": query.host,
        "team": query.team,
        "outdated": found.stale,
        "times": BookLinks(visit, service, query).describe_times(found.times),
    }
    return build_document(
        visit, document, seconds=visit.account.slots_fresh_seconds, fetched_at=None if found.stale else found.fetched_at
    )


@api_view("GET", is_public=True, limits_reads=True)
def openapi(visit: WidgetRequest) -> HttpResponse:
    """Return the OpenAPI document."""
    root = absolute(visit, plain_links(visit).url("api-openapi", choices=Choices())).removesuffix("/openapi.json")
    with_attempts = bool(visit.account.extension_setting(TOKENS_SETTING))
    return build_document(visit, build_openapi(root, with_attempts=with_attempts), seconds=OPENAPI_SECONDS)


@api_view("GET", is_public=True)
def nowhere(_visit: WidgetRequest, rest: str) -> HttpResponse:
    """Answer all other addresses below `api/`."""
    raise not_found("There is nothing at this address. services.json lists what there is.")


def service_links(visit: WidgetRequest, slug: str) -> dict[str, Any]:
    """Return the addresses of a service's documents, and of the page on which a person books it."""
    from kordless_booking.contrib.json_api.urls import name_for  # noqa: PLC0415 (it imports these views)

    links = plain_links(visit)
    return {
        "url": absolute(visit, links.url(name_for("api-service", slug), slug)),
        "times_url": absolute(visit, links.url(name_for("api-times", slug), slug)),
        "book_url": absolute(visit, links.service_url("slots", slug, links.choices)),
    }


def _wrong_query(errors: Any) -> ApiProblem:
    return ApiProblem(400, "invalid-query", "Invalid query", "Some parameters can't be used.", errors=tuple(errors))
