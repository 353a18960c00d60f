"""Cache keys: short, safe for every backend, and telling nothing about what they stand for."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

__all__ = ["cache_key"]


@lru_cache(maxsize=2048)
def cache_key(account: str, *parts: str) -> str:
    """One key for one tuple of parts within one account; no two tuples share a key."""
    name = json.dumps([account, *parts]).encode()
    return "kordless:" + hashlib.sha256(name).hexdigest()
