"""One request to the widget: whose account, which language, which choices, and how to answer."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.encoding import iri_to_uri

from kordless_booking import conf
from kordless_booking.ahead import asked_ahead
from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Organization, ServiceDetail
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.invite import safe_web_link
from kordless_booking.booking.reader import Reader
from kordless_booking.booking.seal import MAX_TOKEN
from kordless_booking.booking.steps import Step
from kordless_booking.booking.words import business_name
from kordless_booking.catalog.catalog import Catalog
from kordless_booking.catalog.reading import Reading
from kordless_booking.catalog.steady import SteadyCache
from kordless_booking.counts.looks import Look, count_step
from kordless_booking.counts.stages import Source, Stage
from kordless_booking.exceptions import KordlessError, NotFound
from kordless_booking.logs import request_id
from kordless_booking.upstream import upstream
from kordless_booking.views import guard
from kordless_booking.views.addresses import Mount, address, mount
from kordless_booking.views.languages import language_for, offered_languages
from kordless_booking.views.package_templates import PackageTemplates, find_package_templates
from kordless_booking.views.page import Business, Crumb, Page
from kordless_booking.views.pattern import SitePart, assemble, kept_pattern
from kordless_booking.views.style import style_url

__all__ = ["STAGE", "Visit", "business_of", "identified", "origin_of", "request_id_of"]

log = logging.getLogger("kordless_booking.views")

_INLINE_STAGE: Final = re.compile(r"kb-inline-[a-z0-9-]{1,40}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CHOSEN_HERE: Final = re.compile(r"(?:^|&)(?:month|day|host|party|hours|after|taken)=")
_TOKEN: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TOKEN}}}")
STAGE: Final = "kb-stage"
RESERVED: Final = frozenset(
    {"manage", "confirmation", "attempt", "service", "webhook", "health", "embed.js", "snippet"}
)
"""First segments of our own addresses: a service of such a name is reached through `service/`."""


class Visit:
    """A visitor's request. `now` is UTC and the same throughout the request."""

    def __init__(self, request: HttpRequest, *, namespace: str | None = None, stage: str | None = None) -> None:
        match = request.resolver_match
        self.request = request
        self.namespace = namespace or (match.namespace if match else "") or "kordless_booking"
        self.account = conf.account_named(self.namespace.rpartition(":")[2])
        self.now = datetime.now(UTC)
        self.id = request_id_of(request)
        target = request.META.get("HTTP_HX_TARGET", "")
        htmx = request.META.get("HTTP_HX_REQUEST") == "true" and "HTTP_HX_HISTORY_RESTORE_REQUEST" not in request.META
        self.embedded = stage is not None
        self.fragment = htmx and not self.embedded
        self.stage = stage or (target if _INLINE_STAGE.fullmatch(target) else STAGE)
        self.inline = self.stage != STAGE
        self.choices = Choices.read(request.GET, offered_languages())
        self.language = self.choices.lang or language_for(request)
        if self.inline:
            self.choices = self.choices.but(lang=self.language)
        self.cache = guard.STEP
        self.ahead = asked_ahead(request)
        self.bare = False
        kept = request.GET.get("kept", "")
        self.kept = kept if _TOKEN.fullmatch(kept) else None
        """What was typed before a time was taken, sealed, on its way to the next contact form."""
        self.look: Look | None = None
        """What was shown, for the funnel."""
        self.package_templates: list[PackageTemplates] = []
        """What was rendered without the request."""
        self.saw_request = False
        """Whether a template was given the request, and so may have written anything of this visitor's."""
        self.saw_site_template = False
        """Whether one of them may be the site's own."""

    @cached_property
    def mount(self) -> Mount:
        """Where our own pages are."""
        return mount(self.namespace)

    @cached_property
    def reading(self) -> Reading:
        """What this page has read of what can be booked."""
        return Reading(upstream(self.account).shelf, at_hand=self.ahead)

    @cached_property
    def catalog(self) -> Catalog:
        """What can be booked, for this page."""
        return upstream(self.account).catalog.on(self.reading)

    @property
    def client(self) -> Kordless:
        return upstream(self.account).client

    @property
    def cache_of_account(self) -> SteadyCache:
        return upstream(self.account).cache

    @cached_property
    def organization(self) -> Organization | None:
        """Whose page this is; None when Kordless can't say."""
        try:
            return self.catalog.offer().value.organization
        except (KordlessError, ImproperlyConfigured):
            return None

    @property
    def source(self) -> Source:
        """Where the widget stands that this comes from."""
        return Source.INLINE if self.inline else Source.EMBED if self.choices.embed else Source.PAGE

    def shows(self, service: str = "") -> None:
        """This page is the times of a service, or the list of services."""
        if self.account.funnel:
            own = self.service_url("slots", service, Choices()) if service else ""
            # No address in the browser tells a widget inside a page what it showed before; its own links do.
            within = (
                self.inline and not self.embedded and _CHOSEN_HERE.search(self.request.META.get("QUERY_STRING", ""))
            )
            self.look = Look(
                self.account.name, service, self.source, address(self.mount, "services"), own, within=bool(within)
            )

    def reached(self, stage: Stage, service: str) -> None:
        """Somebody came this far on the way to a booking."""
        if self.account.funnel:
            count_step(self.request, self.account.name, service, self.source, stage)

    def reader(self, zone: str, *, host: str | None = None, host_id: str | None = None, party: int = 1) -> Reader:
        """How this visitor reads, and what they chose, for what is written later."""
        hours = self.choices.hours
        return Reader(language=self.language, zone=zone, hours=hours, host=host, host_id=host_id, party=party)

    def offered(self, slug: str) -> ServiceDetail:
        """A service that visitors may choose. Raises NotFound also for one that the business books for itself."""
        detail = self.catalog.service(slug).value
        if not detail.service.bookable:
            raise NotFound(operation="service")
        return detail

    def url(self, name: str, *args: str, choices: Choices | None = None, **query: str | None) -> str:
        """The address of one of our pages in the same mount, with choices and other non-personal query text."""
        url = address(self.mount, name, *args) + (choices or self.choices.dress()).query()
        more = [(key, value) for key, value in query.items() if value]
        return f"{url}{'&' if '?' in url else '?'}{urlencode(more, safe='/:')}" if more else url

    def service_url(self, name: str, slug: str, choices: Choices | None = None, **query: str | None) -> str:
        """Like `url` for a page of one service, also when the business called it "manage"."""
        named = f"{name}-named" if slug in RESERVED else name
        return self.url(named, slug, choices=choices, **query)

    def page(self, title: str, *, step: Step | None = None, **more: Any) -> Page:
        """The frame for a page with this title."""
        layout = "inline" if self.embedded else "fragment" if self.fragment else "page"
        organization = self.organization
        business = business_of(organization) if organization else None
        return Page(
            layout=f"kordless_booking/layouts/{layout}.html",
            stage_id=self.stage,
            inline=self.inline,
            push=not self.inline,
            lang=self.language,
            dir="rtl" if translation.get_language_info(self.language)["bidi"] else "ltr",
            title=f"{title} · {business.name}" if business else title,
            heading="h2" if self.inline else "h1",
            subheading="h3" if self.inline else "h2",
            business=business,
            style_url=style_url(self, organization),
            home_url=self._home(),
            manage_url=self.url("manage-find"),
            sandbox=bool(self.account.sandbox),
            bare=self.bare,
            scheme=self.choices.scheme or "",
            framed=self.choices.embed and not self.inline,
            parents=guard.parents(self.account),
            progress=self._progress(step) if step else [],
            **more,
        )

    def _home(self) -> str:
        """The services, with what was chosen that holds for all of them."""
        return self.url("services", choices=self.choices.but(month=None, day=None, host=None, party=1))

    def _progress(self, current: Step) -> list[Crumb]:
        first, *others = _crumbs(current)
        leads = self._home() if current in {Step.SLOT, Step.CONTACT} else None
        return [replace(first, url=leads), *others]

    @property
    def shareable(self) -> bool:
        """Whether all that was rendered is the same for every visitor: of package templates, without the request."""
        return bool(self.package_templates) and not self.saw_request

    def render(
        self, template: str, page: Page, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """Render for this visitor alone.

        Without the site's context processors: they may touch the session, and so set a cookie.
        """
        if find_package_templates(template, page.layout) is None:
            self.saw_site_template = True
        text = render_to_string(template, {**(context or {}), **self._beside(page)})
        return HttpResponse(text, status=status)

    def assemble(self, template: str, page: Page, context: dict[str, Any], varying: Collection[str]) -> HttpResponse:
        """Render a page that differs only in texts under the names in `varying`: from a skeleton if all its templates
        are the package's own, else like `render`.
        """
        package = find_package_templates(template, page.layout)
        if package is None:
            return self.render(template, page, context)
        self.package_templates.append(package)
        given = {**context, "kb": page}
        # What somebody typed travels in hidden fields too, and must not become part of what a skeleton is kept under.
        return HttpResponse(package.render(given) if self.kept else assemble(package, given, varying))

    def part(self, template: str, page: Page) -> PackageTemplates | SitePart:
        """Find a part of the page that is rendered many times: to be made from a skeleton, or the site's own."""
        package = find_package_templates(template)
        if package is None:
            self.saw_site_template = True
            return SitePart(template, self._beside(page))
        self.package_templates.append(package)
        return package

    def _beside(self, page: Page) -> dict[str, Any]:
        """What a template has beside its own values. With the request in it, its output is this visitor's."""
        self.saw_request = True
        return {"kb": page, "request": self.request}

    def go(self, url: str) -> HttpResponse:
        """See other: a reload after it repeats nothing."""
        return SeeOther(url)


class SeeOther(HttpResponse):
    """Django's own redirects refuse addresses as long as a sealed token and what was typed can make ours.

    `url` is one of our own pages, never anything that a visitor sent.
    """

    status_code = 303

    def __init__(self, url: str) -> None:
        super().__init__(headers={"Location": iri_to_uri(url)})

    @property
    def url(self) -> str:
        return self.headers["Location"]


@kept_pattern(64)
def _crumbs(current: Step) -> list[Crumb]:
    """The progress line in the active language."""
    states = {step: "done" if step.before(current) else "todo" for step in Step} | {current: "current"}
    return [Crumb(str(step.label), states[step]) for step in Step]


def origin_of(url: str | None) -> str | None:
    parts = urlsplit(url) if url else None
    return f"{parts.scheme}://{parts.netloc}" if parts and parts.scheme == "https" and _is_host(parts.netloc) else None


def _is_host(netloc: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", netloc) is not None


@contextmanager
def identified(request: HttpRequest) -> Iterator[None]:
    """Whatever is said in the log inside carries the request's id."""
    token = request_id.set(request_id_of(request))
    try:
        yield
    finally:
        request_id.reset(token)


def request_id_of(request: HttpRequest) -> str:
    """The request's name in the log: what a proxy in front has called it, if that is a plain word, else one of ours."""
    name: str | None = getattr(request, "kordless_request_id", None)
    if name is None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        request.kordless_request_id = name  # type: ignore[attr-defined]
    return name


def business_of(organization: Organization) -> Business:
    name = business_name(organization)
    logo = safe_web_link(organization.branding.logo)
    return Business(
        name=name,
        tagline=organization.tagline or "",
        logo=logo if origin_of(logo) else None,
        initial=name[:1].upper(),
    )
