"""Pages of the demo itself: home, themes and the snippet builder."""

from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo_site.local import demo_tool
from demo_site.navigation import navigation
from kordless_booking.presentation.themes import PLAIN
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.snippet import builder

SWITCHES: Final = [
    ("theme", "Theme", {PLAIN: "Plain", "salon": "Salon", "clinic": "Clinic", "studio": "Studio"}),
    ("scheme", "Light or dark", {"": "As your system", "light": "Light", "dark": "Dark"}),
    ("accent", "Color", {"": "The salon’s", "1f6f5c": "Green", "0b57d0": "Blue", "ffb300": "Amber", "d81b60": "Pink"}),
]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Render a salon's home page with the widget inline, and the tour for whoever may use the demo's tools."""
    return render(request, "demo_site/home.html", navigation(request))


@require_safe
def legal(request: HttpRequest, title: str) -> HttpResponse:
    """Render a page in the place of a privacy policy, or of terms: the demo has neither."""
    return render(request, "demo_site/legal.html", {**navigation(request), "title": title})


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Render a page in the place of a thank-you page, to which the second business's confirmation leads."""
    service = request.GET.get("service", "")[:100]
    return render(request, "demo_site/thanks.html", {**navigation(request), "service": service})


@demo_tool
@require_safe
def themes(request: HttpRequest) -> HttpResponse:
    """Render the widget in a theme, color scheme and accent color. Plain links switch them."""
    chosen = {}
    for name, _label, options in SWITCHES:
        value = request.GET.get(name, "")
        chosen[name] = value if value in options else next(iter(options))
    return render(request, "demo_site/themes.html", {**navigation(request), "switches": _switches(chosen), **chosen})


@demo_tool
@require_safe
def several(request: HttpRequest) -> HttpResponse:
    """Render the widgets of two businesses on one page, and one that loads on sight."""
    return render(request, "demo_site/several.html", navigation(request))


def _switches(chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Return label and links of each switch. A link changes one choice and keeps the others."""

    def link(name: str, value: str, label: str) -> dict[str, Any]:
        query = urlencode({key: text for key, text in {**chosen, name: value}.items() if text})
        return {"label": label, "url": f"?{query}#book", "current": chosen[name] == value}

    return [
        {"label": label, "options": [link(name, value, text) for value, text in options.items()]}
        for name, label, options in SWITCHES
    ]


@demo_tool
@require_safe
def snippet(request: HttpRequest) -> HttpResponse:
    """Render the snippet builder. Its preview is someone else's website, if that is served."""
    neighbor = getattr(settings, "NEIGHBOR_ORIGIN", "")
    visit = WidgetRequest.from_http(request, namespace="kordless_booking")
    elsewhere = f"{neighbor}/preview/" if neighbor else None
    return builder(visit, "demo_site/snippet.html", navigation(request), elsewhere=elsewhere)
