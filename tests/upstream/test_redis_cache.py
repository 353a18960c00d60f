"""A second door to the site's Redis, with the client made once."""

from pathlib import Path

import pytest
from django.core.cache import caches
from pytest_django import Settings

from kordless_booking.upstream.redis_cache import pooled_redis
from tests.support.redis_server import REDIS, WHY_NOT, running_redis

REDIS_CACHE = "django.core.cache.backends.redis.RedisCache"


def test_other_caches_are_left_as_they_are(settings: Settings):
    """Only what is known exactly is opened a second time."""
    assert pooled_redis("default") is None
    settings.CACHES = {"default": {"BACKEND": "tests.support.counting_cache.CountingCache"}}
    assert pooled_redis("default") is None


def test_several_servers_are_left_to_django(settings: Settings):
    """Writing to one and reading from the others is Django's business."""
    settings.CACHES = {
        "default": {"BACKEND": REDIS_CACHE, "LOCATION": ["redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"]}
    }
    cache = pooled_redis("default")
    assert cache is not None
    assert cache._cache.get_client(write=True) is not cache._cache.get_client(write=True)


@pytest.mark.skipif(not REDIS, reason=WHY_NOT)
def test_it_is_the_same_cache_with_one_client(settings: Settings, tmp_path: Path):
    """Both caches find each other's values, under the site's own prefix, and the client is always the same."""
    with running_redis(tmp_path) as url:
        settings.CACHES = {"default": {"BACKEND": REDIS_CACHE, "LOCATION": url, "KEY_PREFIX": "site"}}
        cache = pooled_redis("default")
        assert cache is not None
        cache.set("a", 1, 60)
        caches["default"].set("b", 2, 60)
        assert cache.get_many(["a", "b"]) == caches["default"].get_many(["a", "b"]) == {"a": 1, "b": 2}
        assert cache._cache.get_client() is cache._cache.get_client(write=True)
        for each in (cache, caches["default"]):
            each._cache.get_client().connection_pool.disconnect()
