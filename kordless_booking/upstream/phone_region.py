"""Country of phone numbers that are written without a country code."""

from __future__ import annotations

from kordless_booking.conf import Account
from kordless_booking.exceptions import KordlessError
from kordless_booking.presentation.timezones import business_timezone, zone_country
from kordless_booking.upstream.catalog import Catalog


def phone_region(account: Account, business_zone: str | None) -> str | None:
    """Return the setting PHONE_REGION, else the country (ISO 3166) of the business's time zone.

    None when the setting is unset and the zone is unknown, or of no country, such as UTC.
    """
    zone = business_timezone(business_zone)
    return account.phone_region or (zone_country(zone) if zone else None)


def find_phone_region(account: Account, catalog: Catalog) -> str | None:
    """Return the phone region of an account, by the time zone of the first service that the public can book.

    None also when that can't be read from `catalog`.
    """
    if account.phone_region:
        return account.phone_region
    try:
        services = catalog.organization().value.services
        slug = next((service.slug for service in services if service.bookable and service.slug), None)
        zone = catalog.service(slug).value.calendar.timezone if slug else None
    except KordlessError:
        return None
    return phone_region(account, zone)


def cached_phone_region(account: Account, catalog: Catalog) -> str | None:
    """Return the phone region of an account as far as the settings or the cache know it. Sends no request."""
    offer = catalog.cached_organization()
    slug = next((service.slug for service in offer.services if service.bookable), None) if offer else None
    detail = catalog.preload(slug) if slug else None
    return phone_region(account, detail.calendar.timezone if detail else None)
