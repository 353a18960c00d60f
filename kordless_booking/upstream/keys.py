"""Cache keys that are short, valid for every backend, and reveal nothing of what they stand for."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache


@lru_cache(maxsize=2048)
def cache_key(account: str, *parts: str) -> str:
    """Return the cache key for a tuple of parts within one account. No two tuples share a key."""
    # JSON keeps the parts apart: joined by a plain separator, ("a", "b:c") and ("a:b", "c") would collide.
    name = json.dumps([account, *parts]).encode()
    return "kordless:" + hashlib.sha256(name).hexdigest()
