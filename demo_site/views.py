"""The demo's own pages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo_site.staff import NAME
from kordless_booking.views.snippet import builder
from kordless_booking.views.visit import Visit


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A salon's home page with the widget inside; it says so when the sandbox answers instead of Kordless."""
    on_sandbox = bool(settings.KORDLESS_BOOKING.get("SANDBOX"))
    salon = "Acme Salon" if on_sandbox else "Our salon"
    staff_login = NAME if getattr(settings, "STAFF_LOGIN", False) else ""
    context = {**_neighbour(), "on_sandbox": on_sandbox, "salon": salon, "staff_login": staff_login}
    return render(request, "demo_site/home.html", context)


@require_safe
def snippet(request: HttpRequest) -> HttpResponse:
    """The snippet builder for everybody; its preview is someone else's website, where that is served."""
    neighbour = _neighbour()["neighbour"]
    visit = Visit(request, namespace="kordless_booking")
    elsewhere = f"{neighbour}/preview/" if neighbour else None
    return builder(visit, "demo_site/snippet.html", _neighbour(), elsewhere=elsewhere)


def _neighbour() -> dict[str, str]:
    return {"neighbour": getattr(settings, "NEIGHBOUR_ORIGIN", "")}
