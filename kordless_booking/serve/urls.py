"""URLs of the site: the widget at /, whose list of services is the front page, and the admin at /admin/."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from kordless_booking import conf
from kordless_booking.sitemaps import ServiceSitemap

_ROBOTS: Final = "User-agent: *\nDisallow: /admin/\n"


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Answer browsers that ask for an icon at the usual place with none: pages name the business's own."""
    return HttpResponse(status=204, headers={"Cache-Control": "public, max-age=86400"})


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Say what robots may read. The pages themselves say what search engines may list."""
    account = conf.get_account(None)
    more = f"Sitemap: {account.site_url}/sitemap.xml\n" if account.index else ""
    return HttpResponse(_ROBOTS + more, content_type="text/plain; charset=utf-8")


urlpatterns: list[URLPattern | URLResolver] = [
    # The widget answers what no pattern has, so that nothing appends the slash that people leave out.
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("robots.txt", robots),
    path("favicon.ico", icon),
    path("sitemap.xml", sitemap, {"sitemaps": {"booking": ServiceSitemap}}, name="sitemap"),
    path("", include("kordless_booking.urls")),
]
