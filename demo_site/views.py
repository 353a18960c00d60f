"""The demo's one page of its own."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A salon's home page with the widget inside; it says so when the sandbox answers instead of Kordless."""
    on_sandbox = bool(settings.KORDLESS_BOOKING.get("SANDBOX"))
    salon = "Acme Salon" if on_sandbox else "Our salon"
    return render(request, "demo_site/home.html", {"on_sandbox": on_sandbox, "salon": salon})
