"""Page on which visitors ask to be called back."""

from django.http import HttpResponse

from kordless_booking.views.decorators import widget_view
from kordless_booking.views.page import build_page
from kordless_booking.views.rendering import render
from kordless_booking.views.request import WidgetRequest
from tests.projects.extended.callback.plugin import memory


@widget_view("GET", "POST", no_store=True)
def request_call(visit: WidgetRequest) -> HttpResponse:
    """Show the form; store what was sent."""
    sent = visit.request.method == "POST"
    if sent:
        memory.requests.append({"contact": visit.request.POST.get("contact", "")[:200], "at": visit.now})
        visit.record_stage("callback", visit.request.GET.get("service", ""))
    page = build_page(visit, "Ask for a call")
    return render(visit, "callback/ask.html", page, {"sent": sent})
