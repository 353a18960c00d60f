"""Files of the extension at the widget's mount."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def info(request: HttpRequest, service: str = "") -> HttpResponse:
    """Return a text."""
    return HttpResponse(f"about {service or 'all'}", content_type="text/plain")


urlpatterns = [
    path("callback.txt", info, name="callback-info"),
    path("<str:service>.md", info, name="callback-service"),
]
