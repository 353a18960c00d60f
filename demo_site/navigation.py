"""Navigation of the demo: the same links on all of its pages, and the tour through what there is to see."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from demo_site.local import may_use_tools
from demo_site.staff import NAME


class Stop(NamedTuple):
    """A page of the demo: its name in the navigation, and its title and text in the tour."""

    label: str
    url: str
    title: str
    text: str
    current: bool = False


_ADMIN: Final = "admin:kordless_booking_overview_changelist"


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the context of `demo_site/base.html`: the name of the salon, and the stops that the request may visit.

    A function and not a context processor: such a one would run for the widget's own pages, too, and keep them from
    being cached.
    """
    on_sandbox = bool(settings.KORDLESS_BOOKING.get("SANDBOX"))
    tools = may_use_tools(request)
    return {
        "salon": "Acme Salon" if on_sandbox else "Our salon",
        "on_sandbox": on_sandbox,
        "stops": [stop._replace(current=stop.url == request.path) for stop in _stops(on_sandbox)] if tools else [],
    }


def _stops(on_sandbox: bool) -> list[Stop]:
    stops = [
        Stop("Salon", reverse("home"), "Book a visit", "Two taps and two fields. The widget is one line of a template.")
    ]
    if on_sandbox:
        stops += [
            Stop("Mails", reverse("postbox"), "Read the mail", "What the customer gets, with a calendar entry."),
            Stop(
                "Sandbox",
                reverse("counter"),
                "Play the staff",
                "Book by phone, reschedule, cancel, or break Kordless, and watch the widget.",
            ),
        ]
    if "ACCOUNTS" in settings.KORDLESS_BOOKING:
        text = "A second business asks for more: what a booking page can have when its options are on."
        stops.append(Stop("All options", reverse("everything:services"), "See all options", text))
    login = f" Name and password are both “{NAME}”." if getattr(settings, "STAFF_LOGIN", False) else ""
    stops.append(Stop("Admin", reverse(_ADMIN), "Open the admin", f"Bookings, mails and how far visitors get.{login}"))
    if neighbor := getattr(settings, "NEIGHBOR_ORIGIN", ""):
        stops.append(Stop("Another site", f"{neighbor}/", "Visit another site", "The widget in somebody else’s pages."))
    return [
        *stops,
        Stop("Themes", reverse("themes"), "Change its looks", "Three ready-made themes, light and dark, in any color."),
        Stop("Snippet", reverse("snippet"), "Embed it", "The builder makes the two lines for another website."),
    ]
