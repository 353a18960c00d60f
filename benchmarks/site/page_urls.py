"""The benchmark's URLs, a list of a thousand services below /wide/, and a hello that reads Redis once.

The latter does what a page that reads Redis once can't do without: one GET through redis-py, without Django's cache.
"""

import os
from contextlib import suppress

import redis
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from benchmarks.site.urls import urlpatterns as usual

_client = redis.Redis.from_url(os.environ["BENCH_REDIS"])


def hello_with_redis(request: HttpRequest) -> HttpResponse:
    """Read a key of Redis, whatever it holds, if Redis is there."""
    with suppress(redis.RedisError):
        _client.get("hello")
    return HttpResponse("hello")


urlpatterns = [
    *usual,
    path("hello-with-redis", hello_with_redis),
    path("wide/", include("kordless_booking.urls", namespace="wide")),
]
