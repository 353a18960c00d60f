"""Rendering of pages: for one visitor, or from skeletons that all visitors share.

A response says which templates made it and whether they could see the request. The response cache stores it, and the
headers are set, by what it says.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string

from kordless_booking.funnel.page_views import PageView
from kordless_booking.views.base_template import SITE_LAYOUT, BaseTemplate
from kordless_booking.views.package_templates import PackageTemplates, find_package_templates
from kordless_booking.views.page import Page
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.skeletons import PackagePart, SiteTemplatePart, render_from_skeleton
from kordless_booking.views.stylesheet import style_color


class PageResponse(HttpResponse):
    """Page, with what caches and headers depend on."""

    def __init__(self, content: str | bytes = "", status: int = 200, *, no_store: bool = False) -> None:
        super().__init__(content, status=status)
        #: No cache may store the page, whatever the view says of its pages.
        self.no_store = no_store
        #: Page view that the funnel counts when the page is served.
        self.page_view: PageView | None = None
        #: The funnel counts a stage when the page is shown, beside `page_view`.
        self.reaches_stage = False
        #: Package templates that were rendered without the request.
        self.package_templates: list[PackageTemplates] = []
        #: A template got the request, so the page may depend on this visitor.
        self.used_request = False
        #: A template that was rendered may be the site's own.
        self.used_site_template = False
        #: Search engines may list the page.
        self.is_indexable = False
        #: Digest of all that the content was made of, hexadecimal; "" where there is none yet.
        self.digest = ""
        #: What allows the page's own style sheet in its Content-Security-Policy, or "".
        self.style_source = ""
        #: Template of the site's that goes around the content before it is sent.
        self.base: BaseTemplate | None = None

    @property
    def is_shareable(self) -> bool:
        """True when the page is the same for every visitor: package templates only, rendered without the request."""
        return bool(self.package_templates) and not self.used_request


class PageRenderer:
    """Renderer of one page and its parts. It notes which templates it has used, for the response."""

    def __init__(self, visit: WidgetRequest, page: Page) -> None:
        self._visit = visit
        self.page = page
        self._parts: list[PackageTemplates] = []
        self._has_site_part = False

    def part(self, template: str) -> PackagePart | SiteTemplatePart:
        """Return a part that is used many times on the page: a package template for a skeleton, or the site's own."""
        package = find_package_templates(template)
        if package is None:
            self._has_site_part = True
            return SiteTemplatePart(template, self._visitor_context())
        self._parts.append(package)
        return PackagePart(package)

    def render(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200, *, no_store: bool = False
    ) -> PageResponse:
        """Render the page for this visitor alone, with the request in its context."""
        # The request is a variable, not an argument: so the site's context processors don't run. They may touch the
        # session, and so set a cookie.
        text = render_to_string(template, {**(context or {}), **self._visitor_context()})
        response = PageResponse(text, status, no_store=no_store)
        response.package_templates = self._parts
        response.is_indexable = self._is_indexable
        response.base = self._base
        response.style_source = self.page.inline_style_source
        response.used_request = True
        response.used_site_template = self._has_site_part or find_package_templates(template, self.page.layout) is None
        return response

    def render_cached(
        self, template: str, context: dict[str, Any], status: int = 200, *, page_view: PageView | None = None
    ) -> PageResponse:
        """Render a page that differs between visitors mostly in texts. `page_view` is counted when it is served.

        Uses a skeleton when all its templates are the package's own, else does what `render` does. A page with form
        input may not be stored.
        """
        has_input = bool(self.page.form_input_token)
        package = find_package_templates(template, self.page.layout)
        if package is None:
            response = self.render(template, context, status, no_store=has_input)
        else:
            values = {**context, "kb": self.page}
            content: str | bytes
            # No skeleton with form input: what is in a skeleton or its key is cached.
            if has_input:
                content, digest = package.render(values), ""
            else:
                content, digest = render_from_skeleton(package, values, self._visit.language)
            response = PageResponse(content, status, no_store=has_input)
            response.digest = digest
            response.package_templates = [package, *self._parts]
            response.used_request = response.used_site_template = self._has_site_part
            response.is_indexable = self._is_indexable
            response.base = self._base
        response.page_view = page_view
        response.style_source = self.page.inline_style_source
        return response

    @property
    def _is_indexable(self) -> bool:
        return self.page.metadata is not None and bool(self.page.metadata.canonical)

    @property
    def _base(self) -> BaseTemplate | None:
        if self.page.layout != SITE_LAYOUT:
            return None
        color = style_color(self._visit.account, self._visit.choices, self._visit.organization)
        return BaseTemplate(self._visit.account, self.page.title, color)

    def _visitor_context(self) -> dict[str, Any]:
        return {"kb": self.page, "request": self._visit.request}


def render(
    visit: WidgetRequest,
    template: str,
    page: Page,
    context: dict[str, Any] | None = None,
    status: int = 200,
    *,
    no_store: bool = False,
) -> PageResponse:
    """Render a page for this visitor alone, as `PageRenderer.render` does."""
    return PageRenderer(visit, page).render(template, context, status, no_store=no_store)
