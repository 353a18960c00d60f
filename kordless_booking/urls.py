"""URLconf of the widget.

Mount it with `path("book/", include("kordless_booking.urls"))`, once for each account and then with the account's name
as `namespace`. The order of the patterns matters: a service may have any slug.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, include, path, re_path

from kordless_booking import hooks
from kordless_booking.views import contact, health, manage, outcome, reschedule, steps
from kordless_booking.views.embed import embed, embed_dialog
from kordless_booking.views.links import RESERVED
from kordless_booking.views.snippet import preview, snippet
from kordless_booking.views.stylesheet import style
from kordless_booking.views.webhook import webhook

app_name = "kordless_booking"

_OWN_NAMES = [
    path("", steps.services, name="services"),
    path("manage/", manage.find, name="manage-find"),
    path("webhook/", webhook, name="webhook"),
    # Kordless's own webhook form takes any URL, and need not follow a redirect.
    path("webhook", webhook),
    path("health/", health.health, name="health"),
    path("snippet/", snippet, name="snippet"),
]
_SERVICES_AND_TOKENS = [
    # Any other name with a single slash is a service. Early, because most requests are for it.
    path("<str:service>/", steps.slots, name="slots"),
    re_path(r"^style-(?P<name>(?:look-)?[0-9a-f]{6}|later)\.css$", style, name="style"),
    re_path(r"^style-(?P<name>(?:look-)?[0-9a-f]{6}|later)-(?P<theme>[a-z]{1,20})\.css$", style, name="style-themed"),
    path("embed.js", embed, name="embed"),
    path("embed-dialog.js", embed_dialog, name="embed-dialog"),
    path("health/booking/", health.booking, name="health-booking"),
    path("snippet/preview/", preview, name="snippet-preview"),
    path("confirmation/<str:token>/", outcome.confirmation, name="confirmation"),
    path("confirmation/<str:token>/booking.ics", outcome.confirmation_calendar, name="confirmation-calendar"),
    path("attempt/<str:token>/", outcome.attempt, name="attempt"),
    # Without a slash at the end: each character of a text message counts. A service with the slug "m" keeps its pages.
    re_path(r"^m/(?P<code>[0-9A-Za-z]{16})$", manage.open_short_link, name="short-link"),
    path("manage/<str:token>/", manage.show, name="manage"),
    path("manage/<str:token>/booking.ics", manage.calendar, name="manage-calendar"),
    path("manage/<str:token>/cancel/", manage.cancel, name="manage-cancel"),
    path("manage/<str:token>/reschedule/", reschedule.slots, name="reschedule"),
    path("manage/<str:token>/reschedule/zone/", reschedule.zone, name="reschedule-zone"),
    path("manage/<str:token>/reschedule/confirm/", reschedule.confirm, name="reschedule-confirm"),
    # For services whose slug is one of the names above, such as "manage".
    path("service/<str:service>/", steps.slots, name="slots-named"),
    path("service/<str:service>/zone/", steps.zone, name="zone-named"),
    path("service/<str:service>/contact/", contact.contact, name="contact-named"),
    path("<str:service>/zone/", steps.zone, name="zone"),
    path("<str:service>/contact/", contact.contact, name="contact"),
]


def build_urlpatterns() -> list[URLPattern | URLResolver]:
    """Return all patterns, with those of extensions. Raises ImproperlyConfigured for a prefix that isn't free."""
    prefixed: list[URLPattern | URLResolver] = []
    files: list[URLPattern | URLResolver] = []
    for prefix, patterns in hooks.url_patterns.items():
        if prefix in RESERVED:
            raise ImproperlyConfigured(f"hooks.url_patterns: the widget has pages of its own under {prefix!r}.")
        (prefixed if prefix else files).append(path(f"{prefix}/" if prefix else "", include(patterns)))
    pages = [*_OWN_NAMES, *prefixed, *_SERVICES_AND_TOKENS, *files]
    # Last: a redirect where only the slash at the end is missing, else the widget's own 404 page, in its design and
    # language, for the rest of the mount point. Django's APPEND_SLASH does nothing here: this pattern matches
    # everything.
    return [*pages, re_path(r"^(?P<rest>(?s:.*))\Z", steps.not_found_view, {"pages": tuple(pages)}, name="nowhere")]


urlpatterns = build_urlpatterns()
