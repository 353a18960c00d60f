"""Request object of the widget: account, language, choices, access to the catalog, URLs, and rendering."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.encoding import iri_to_uri
from django.utils.translation.trans_real import parse_accept_lang_header
from django_htmx.middleware import HtmxDetails

from kordless_booking import conf
from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Organization, ServiceDetail
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.steps import Step
from kordless_booking.booking.terms import Terms
from kordless_booking.booking.tokens import MAX_TOKEN
from kordless_booking.exceptions import KordlessError, NotFound
from kordless_booking.funnel.page_views import PageView, count_later_stage
from kordless_booking.logs import request_id
from kordless_booking.models import FunnelCount
from kordless_booking.prefetch import is_prefetch
from kordless_booking.presentation.locales import best_supported_language, default_language, supported_languages
from kordless_booking.presentation.safe_links import safe_url
from kordless_booking.presentation.texts import business_name
from kordless_booking.upstream.catalog import Catalog
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.registry import services_for
from kordless_booking.upstream.request_view import RequestView
from kordless_booking.urlconf import Mount, cached_reverse, current_mount
from kordless_booking.views import security
from kordless_booking.views.package_templates import PackageTemplates, find_package_templates
from kordless_booking.views.page import Business, Page, ProgressStep
from kordless_booking.views.skeletons import PackagePart, SiteTemplatePart, cached_per_language, render_from_skeleton
from kordless_booking.views.stylesheet import style_url


def language_for(request: HttpRequest) -> str:
    """Return the language that the site has activated where it does so, else the best of what the browser accepts."""
    # A subclass of the site's counts too. Without such a middleware the active language is only the default.
    if any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE):
        return best_supported_language(translation.get_language() or "") or default_language()
    for wished, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        found = best_supported_language(wished)
        if found:
            return found
    return default_language()


log = logging.getLogger("kordless_booking.views")

# All four are matched against what a client sends.
_INLINE_STAGE: Final = re.compile(r"kb-inline-[a-z0-9-]{1,40}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Only the widget's own links have one of these parameters.
_CHOSEN_HERE: Final = re.compile(r"(?:^|&)(?:month|day|host|party|hours|after|taken)=")
_TOKEN: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TOKEN}}}")
TARGET_ID: Final = "kb-stage"
"""DOM id of the swap target on the widget's own pages."""
RESERVED: Final = frozenset(
    {"manage", "confirmation", "attempt", "service", "webhook", "health", "embed.js", "embed-dialog.js", "snippet"}
)
"""First path segments of our own pages. A service with such a slug has its pages under `service/`."""


class WidgetRequest:
    """Request of a visitor to the widget, and the means to answer it.

    `namespace` overrides the namespace of the URL, which names the account. `stage` is the DOM id of the swap target
    when a template tag renders the widget inside a page of the site.
    """

    def __init__(self, request: HttpRequest, *, namespace: str | None = None, stage: str | None = None) -> None:
        match = request.resolver_match
        self.request = request
        self.namespace = namespace or (match.namespace if match else "") or "kordless_booking"
        self.account = conf.get_account(self.namespace)
        #: UTC, and the same throughout the request.
        self.now = datetime.now(UTC)
        #: Request id, for the log.
        self.id = request_id_of(request)
        htmx = HtmxDetails(request)  # not `request.htmx`: a host may do without the middleware
        target = htmx.target or ""
        #: Rendered by a template tag inside a page of the site.
        self.embedded = stage is not None
        #: Answer with the step alone, for htmx to swap in. To restore its history, htmx needs a whole page.
        self.fragment = bool(htmx) and not htmx.history_restore_request and not self.embedded
        #: DOM id of the swap target.
        self.target_id = stage or (target if _INLINE_STAGE.fullmatch(target) else TARGET_ID)
        #: Shown inside a page of the site, without a frame: at first by the template tag, then by htmx.
        self.inline = self.target_id != TARGET_ID
        self.choices = Choices.from_query(request.GET, supported_languages())
        self.language = self.choices.lang or language_for(request)
        if self.inline:
            # The page around it may have a language of its own, so each link names it.
            self.choices = self.choices.replace(lang=self.language)
        #: Cache-Control of the response.
        self.cache_control = security.CACHE_PRIVATE
        #: A prefetch: only cached data may be used.
        self.is_prefetch = is_prefetch(request)
        #: Leave out style sheet and scripts, because another widget on the same page has loaded them.
        self.skip_assets = False
        form_input_token = request.GET.get("kept", "")
        self.kept = form_input_token if _TOKEN.fullmatch(form_input_token) else None
        """Encrypted form input, on its way through the slot page into the next contact form."""
        self.page_view: PageView | None = None
        """Page view, for the funnel."""
        self.package_templates: list[PackageTemplates] = []
        """Package templates that were rendered without the request."""
        self.used_request = False
        """A template got the request, so its output may depend on this visitor."""
        self.used_site_template = False
        """A template that was rendered may be the site's own."""

    @cached_property
    def mount(self) -> Mount:
        """Prefix of our own pages, as the key for cached paths."""
        return current_mount(self.namespace)

    @cached_property
    def reading(self) -> RequestView:
        """View of the read-through cache for this request. It records what the page reads."""
        return RequestView(services_for(self.account).catalog_cache, cached_only=self.is_prefetch)

    @cached_property
    def catalog(self) -> Catalog:
        """Catalog that reads through `reading`."""
        return services_for(self.account).catalog.for_request(self.reading)

    @property
    def client(self) -> Kordless:
        """Client of the account, for what must not be cached."""
        return services_for(self.account).client

    @property
    def account_cache(self) -> FallbackCache:
        """Shared cache, which falls back to process memory."""
        return services_for(self.account).cache

    @cached_property
    def organization(self) -> Organization | None:
        """Organization, or None when Kordless can't be asked: pages are shown without its name then."""
        try:
            return self.catalog.organization().value.organization
        except (KordlessError, ImproperlyConfigured):
            return None

    @property
    def placement(self) -> FunnelCount.Placement:
        """Placement of the widget, for the funnel."""
        return (
            FunnelCount.Placement.INLINE
            if self.inline
            else FunnelCount.Placement.EMBED
            if self.choices.embed
            else FunnelCount.Placement.PAGE
        )

    def record_page_view(self, service: str = "") -> None:
        """Record the page view: the times of a service, or the list of services. Counted with the response."""
        if self.account.funnel:
            own = self.service_url("slots", service, Choices()) if service else ""
            # Inline, the browser's URL (and so the Referer) doesn't change with the step. But links of the widget have
            # parameters that the first page has not.
            within = (
                self.inline and not self.embedded and _CHOSEN_HERE.search(self.request.META.get("QUERY_STRING", ""))
            )
            self.page_view = PageView(
                self.account.name,
                service,
                self.placement,
                cached_reverse(self.mount, "services"),
                own,
                continues=bool(within),
            )

    def record_stage(self, stage: FunnelCount.Stage, service: str) -> None:
        """Count a visitor who reached this stage of the funnel."""
        if self.account.funnel:
            count_later_stage(self.request, self.account.name, service, self.placement, stage)

    def preferences(self, timezone: str, terms: Terms | None = None) -> VisitorPreferences:
        """Return the visitor's preferences, with the terms where they are known, for mails that are written later."""
        return VisitorPreferences(language=self.language, timezone=timezone, hours=self.choices.hours, terms=terms)

    def bookable_service(self, slug: str) -> ServiceDetail:
        """Return a service. Raises NotFound also for one that is not bookable by the public."""
        detail = self.catalog.service(slug).value
        if not detail.service.bookable:
            raise NotFound(operation="service")
        return detail

    def url(self, name: str, *args: str, choices: Choices | None = None, **query: str | None) -> str:
        """Return the path and query of a page, with `choices` (by default only the appearance) and `query`.

        Empty values are left out. A query ends up in the logs of servers, so nothing personal may be in it.
        """
        url = cached_reverse(self.mount, name, *args) + (choices or self.choices.appearance()).query()
        more = [(key, value) for key, value in query.items() if value]
        return f"{url}{'&' if '?' in url else '?'}{urlencode(more, safe='/:')}" if more else url

    def service_url(self, name: str, slug: str, choices: Choices | None = None, **query: str | None) -> str:
        """Return the path and query of a page of one service, as `url` does. The slug may be a reserved word."""
        named = f"{name}-named" if slug in RESERVED else name
        return self.url(named, slug, choices=choices, **query)

    def page(self, title: str, *, step: Step | None = None, **more: Any) -> Page:
        """Return the context that every template gets as `kb`. `more` are further fields of it."""
        layout = "inline" if self.embedded else "fragment" if self.fragment else "page"
        organization = self.organization
        business = business_of(organization) if organization else None
        return Page(
            layout=f"kordless_booking/layouts/{layout}.html",
            stage_id=self.target_id,
            inline=self.inline,
            push=not self.inline,
            lang=self.language,
            dir="rtl" if translation.get_language_info(self.language)["bidi"] else "ltr",
            title=f"{title} · {business.name}" if business else title,
            heading="h2" if self.inline else "h1",
            subheading="h3" if self.inline else "h2",
            business=business,
            style_url=style_url(self.mount, self.account, self.choices, organization),
            home_url=self._home(),
            manage_url=self.url("manage-find"),
            sandbox=bool(self.account.sandbox),
            skip_assets=self.skip_assets,
            scheme=self.choices.scheme or "",
            framed=self.choices.embed and not self.inline,
            embed_origin_pattern=security.embed_origin_pattern(self.account),
            progress=self._progress(step) if step else [],
            **more,
        )

    def _home(self) -> str:
        """Return the URL of the list of services, with the choices that apply to all of them."""
        return self.url("services", choices=self.choices.replace(month=None, day=None, host_id=None, party_size=1))

    def _progress(self, current: Step) -> list[ProgressStep]:
        first, *others = _crumbs(current)
        # After the booking there is no way back.
        leads = self._home() if current in {Step.SLOT, Step.CONTACT} else None
        return [replace(first, url=leads), *others]

    @property
    def shareable(self) -> bool:
        """True when the page is the same for every visitor: package templates only, rendered without the request."""
        return bool(self.package_templates) and not self.used_request

    def render(
        self, template: str, page: Page, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """Render a page for this visitor alone, with the request in its context."""
        if find_package_templates(template, page.layout) is None:
            self.used_site_template = True
        # The request is a variable, not an argument: so the site's context processors don't run. They may touch the
        # session, and so set a cookie.
        text = render_to_string(template, {**(context or {}), **self._beside(page)})
        return HttpResponse(text, status=status)

    def render_cached(self, template: str, page: Page, context: dict[str, Any]) -> HttpResponse:
        """Render a page that differs between visitors mostly in texts.

        Uses a skeleton when all its templates are the package's own, else does what `render` does.
        """
        package = find_package_templates(template, page.layout)
        if package is None:
            return self.render(template, page, context)
        self.package_templates.append(package)
        given = {**context, "kb": page}
        # Encrypted form input is in hidden fields as well, which are part of a skeleton's key. It must not be cached.
        return HttpResponse(package.render(given) if self.kept else render_from_skeleton(package, given))

    def part(self, template: str, page: Page) -> PackagePart | SiteTemplatePart:
        """Return a part that is used many times on the page: a package template for a skeleton, or the site's own."""
        package = find_package_templates(template)
        if package is None:
            self.used_site_template = True
            return SiteTemplatePart(template, self._beside(page))
        self.package_templates.append(package)
        return PackagePart(package)

    def _beside(self, page: Page) -> dict[str, Any]:
        """Return the context that every template gets. Notes that the output may depend on this visitor."""
        self.used_request = True
        return {"kb": page, "request": self.request}

    def redirect(self, url: str) -> HttpResponse:
        """Redirect with 303 See Other, so that a reload doesn't repeat a POST."""
        return SeeOther(url)


class SeeOther(HttpResponse):
    """Redirect to one of our own pages. `url` must never come from the visitor."""

    # No subclass of HttpResponseRedirect: that refuses long URLs, and two encrypted tokens can make ours too long.
    status_code = 303

    def __init__(self, url: str) -> None:
        super().__init__(headers={"Location": iri_to_uri(url)})

    @property
    def url(self) -> str:
        return self.headers["Location"]


@cached_per_language(64)
def _crumbs(current: Step) -> list[ProgressStep]:
    """Return the progress line in the active language, without links."""
    states = {step: "done" if step.before(current) else "todo" for step in Step} | {current: "current"}
    return [ProgressStep(str(step.label), states[step]) for step in Step]


def origin_of(url: str | None) -> str | None:
    """Return the origin of an https URL, safe to put into a header; None for any other."""
    parts = urlsplit(url) if url else None
    return f"{parts.scheme}://{parts.netloc}" if parts and parts.scheme == "https" and _is_host(parts.netloc) else None


def _is_host(netloc: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", netloc) is not None


@contextmanager
def request_id_context(request: HttpRequest) -> Iterator[None]:
    """Add the request id to each log line that is written in this context."""
    token = request_id.set(request_id_of(request))
    try:
        yield
    finally:
        request_id.reset(token)


def request_id_of(request: HttpRequest) -> str:
    """Return the request id: the proxy's X-Request-ID when it is 8 to 64 safe characters, else a random one."""
    name: str | None = getattr(request, "kordless_request_id", None)
    if name is None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        # Stored, so that every line and the response's header have the same id.
        request.kordless_request_id = name  # type: ignore[attr-defined]
    return name


def business_of(organization: Organization) -> Business:
    """Return what templates get of the organization. A logo that isn't on https is dropped."""
    name = business_name(organization)
    logo = safe_url(organization.branding.logo)
    return Business(
        name=name,
        tagline=organization.tagline or "",
        logo=logo if origin_of(logo) else None,
        initial=name[:1].upper(),
    )
