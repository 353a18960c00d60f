"""/hello is what all else is compared with; /redis/ asks Redis each time, /memory/ once a second."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def hello(request: HttpRequest) -> HttpResponse:
    """The least that a view can do."""
    return HttpResponse("hello")


urlpatterns = [
    path("hello", hello),
    path("memory/", include("kordless_booking.urls", namespace="memory")),
    path("redis/", include("kordless_booking.urls", namespace="redis")),
]
