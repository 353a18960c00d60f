"""Description of a page for search engines and chats: Open Graph tags, and with INDEX canonical address and JSON-LD.

Every whole page of the list or of a service has the tags from which chats and social networks make a preview. With the
setting INDEX, search engines may list these pages under one address for each language. All other addresses of them
stay out: those with any of the visitor's choices, and those in a frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.urls import NoReverseMatch
from django.utils.safestring import SafeString, mark_safe

from kordless_booking.api.resources import Price, PriceKind, Service
from kordless_booking.booking.choices import Choices
from kordless_booking.presentation import formatting, texts
from kordless_booking.urlconf import DEFAULT_URL, urls_by_language
from kordless_booking.views.links import service_url_name
from kordless_booking.views.page import Alternate, Metadata, business_of, safe_image
from kordless_booking.views.response_cache import READ_NAMES
from kordless_booking.views.skeletons import cached_with_language

if TYPE_CHECKING:
    from kordless_booking.api.resources import Organization
    from kordless_booking.conf import Account
    from kordless_booking.views.page import Business
    from kordless_booking.views.request import WidgetRequest

_MAX_DESCRIBED_SERVICES: Final = 12
"""Names of services in the description of a list without a tagline: more than a preview shows."""
_MAX_OFFERS: Final = 50
"""Services in the structured data of the list. Each has its own on its page."""
# "<", ">" and "&" could end the element or begin a comment in it. As JSON escapes they are the same text.
_SCRIPT_ESCAPES: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


def list_metadata(visit: WidgetRequest, services: Sequence[Service]) -> Metadata | None:
    """Return the metadata of the list of services; None where nobody would read it."""
    organization = visit.organization
    if organization is None or not _has_readers(visit):
        return None
    business = business_of(organization)
    names = [service.name for service in services[:_MAX_DESCRIBED_SERVICES]]
    description = _one_line(business.tagline or " · ".join(names))
    if not services or not (urls := _indexed_urls(visit, "services")):
        return _preview(organization, business.name, description)
    url = _own_url(visit, urls)
    offers = [
        {
            **_offer(service.price),
            "url": _own_url(visit, service_urls(visit.account, service.slug)),
            "itemOffered": {"@type": "Service", "name": service.name},
        }
        for service in services[:_MAX_OFFERS]
    ]
    document = {
        **_organization(business, urls[DEFAULT_URL]),
        **_without_empty({"description": _one_line(business.tagline)}),
        "makesOffer": offers,
        "potentialAction": _reserve_action(url, visit.language),
    }
    return _listed(_preview(organization, business.name, description), urls, url, document)


def service_metadata(visit: WidgetRequest, service: Service) -> Metadata | None:
    """Return the metadata of the page of a service; None where nobody would read it."""
    organization = visit.organization
    if organization is None or not _has_readers(visit):
        return None
    preview = _service_preview(organization, service, visit.account.price_per, visit.language)
    urls = _indexed_urls(visit, service_url_name("slots", service.slug), service.slug)
    if not urls:
        return preview
    url = _own_url(visit, urls)
    home = urls_by_language(visit.account, "services")[DEFAULT_URL]
    provider = _organization(business_of(organization), home)
    offer = _offer(service.price)
    document = {
        "@context": "https://schema.org",
        "@type": "Service",
        "name": service.name,
        "url": url,
        **_without_empty({"description": _one_line(service.description), "category": _one_line(service.category)}),
        "provider": {name: value for name, value in provider.items() if name != "@context"},
        # An offer of an unknown price says nothing that the service doesn't.
        **({"offers": {**offer, "url": url}} if "price" in offer else {}),
        "potentialAction": _reserve_action(url, visit.language),
    }
    return _listed(preview, urls, url, document)


@cached_with_language(256)
def _service_preview(organization: Organization, service: Service, price_per: str, language: str) -> Metadata:
    """Return what a preview of the service's page says, which is the same for all visitors."""
    length = formatting.duration(service.duration_minutes, language) if service.duration_minutes else ""
    price = texts.price_text(service.price, 1, price_per, language)
    shown = " · ".join(filter(None, [length, price, _one_line(service.description)]))
    return _preview(organization, service.name, shown)


def service_urls(account: Account, slug: str) -> Mapping[str, str]:
    """Return the absolute URLs of a service's page, as `urls_by_language` does."""
    return urls_by_language(account, service_url_name("slots", slug), slug)


def _has_readers(visit: WidgetRequest) -> bool:
    """Return True for a whole page at an address of its own: neither inside another page nor made from a form."""
    return not (visit.embedded or visit.fragment or visit.choices.embed or visit.request.method == "POST")


def _indexed_urls(visit: WidgetRequest, name: str, *args: str) -> Mapping[str, str]:
    """Return the URLs of the page by language; empty unless search engines may list it."""
    if not visit.account.index or not visit.account.site_url:
        return {}
    # By the names as well: a value that isn't valid, or that isn't a choice, makes another address of the same page. A
    # name that no page reads, such as an advertisement's, is no part of the response cache's key, so it can't decide
    # here. The canonical address is without it.
    if visit.choices.replace(lang=None) != Choices() or not READ_NAMES.isdisjoint({*visit.request.GET} - {"lang"}):
        return {}
    # Mounted only in a URL configuration that middleware selects: no address is known that holds for everybody.
    with suppress(NoReverseMatch):
        return urls_by_language(visit.account, name, *args)
    return {}


def _own_url(visit: WidgetRequest, urls: Mapping[str, str]) -> str:
    """Return the one of these URLs that is the page's own: without a chosen language that for all languages."""
    # Where paths have the language, the URL for all others is that of one language, and each page is of its path's.
    has_language_in_path = len(set(urls.values())) < len(urls)
    default = urls[DEFAULT_URL]
    return urls.get(visit.language, default) if visit.choices.lang or has_language_in_path else default


def _preview(organization: Organization, title: str, description: str) -> Metadata:
    business = business_of(organization)
    large = safe_image(organization.branding.og_image)
    return Metadata(
        title=title,
        description=description,
        site_name=business.name if business.name != title else "",
        image=large or business.logo or "",
        has_large_image=large is not None,
    )


def _listed(preview: Metadata, urls: Mapping[str, str], url: str, document: Mapping[str, Any]) -> Metadata:
    """Return the metadata of a page that search engines may list under `url`."""
    return msgspec.structs.replace(
        preview,
        canonical=url,
        alternates=[Alternate(language, address) for language, address in urls.items()],
        structured_data=_script_text(document),
    )


def _organization(business: Business, url: str) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "Organization",
        "name": business.name,
        "url": url,
        **_without_empty({"logo": business.logo}),
    }


def _offer(price: Price) -> dict[str, str]:
    """Return an offer, with its price only where that is a single one in a known currency."""
    offer = {"@type": "Offer"}
    if not price.currency or price.kind not in {PriceKind.FREE, PriceKind.FIXED}:
        return offer
    amount = "0" if price.kind is PriceKind.FREE else f"{price.amount:f}" if price.amount else ""
    return {**offer, "price": amount, "priceCurrency": price.currency} if amount else offer


def _reserve_action(url: str, language: str) -> dict[str, Any]:
    target = {"@type": "EntryPoint", "urlTemplate": url, "inLanguage": language}
    return {"@type": "ReserveAction", "target": target}


def _without_empty(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _one_line(text: str | None) -> str:
    """Return a text of the business's in one line of at most about 300 characters."""
    folded = texts.fold_long_text(text or "")
    return " ".join(folded.start.split()) + ("…" if folded.rest else "")


def _script_text(document: Mapping[str, Any]) -> SafeString:
    """Return a JSON document for a script element of the type application/ld+json, which browsers don't execute."""
    # In ASCII: U+2028, halves of surrogate pairs and a skeleton's placeholders can't stand in it.
    text = json.dumps(document, separators=(",", ":"))
    return mark_safe(text.translate(_SCRIPT_ESCAPES))  # noqa: S308 (no character of markup in it)
