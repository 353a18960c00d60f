"""/hello is what all else is compared with; /redis/ asks Redis each time, /memory/ once a second.

/written/ is the same page as a hand-written view would serve it, with Django's own cache for each view.
"""

import os
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.cache import cache_page


def hello(request: HttpRequest) -> HttpResponse:
    """The least that a view can do."""
    return HttpResponse("hello")


def written(request: HttpRequest) -> HttpResponse:
    """Serve the page that the benchmark has stored: what a miss costs is no part of what is measured."""
    return HttpResponse(Path(os.environ["BENCH_PAGE"]).read_bytes())


urlpatterns = [
    path("hello", hello),
    path("written/memory/", cache_page(600, cache="memory", key_prefix="written")(written)),
    path("written/redis/", cache_page(600, key_prefix="written")(written)),
    path("memory/", include("kordless_booking.urls", namespace="memory")),
    path("redis/", include("kordless_booking.urls", namespace="redis")),
]
