"""The plain host on a Redis that may never answer, for as long as redis-py has patience."""

import os

from tests.projects.plain.settings import *  # noqa: F403 (a host project is the plain one plus what differs)

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["HANGING_REDIS"],
        "OPTIONS": {"socket_timeout": 50, "socket_connect_timeout": 50},
    }
}
