"""How this process reaches Kordless for an account: one client and one catalog, made once and shared by all threads."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from kordless_booking.api.client import Kordless
from kordless_booking.catalog.catalog import Catalog

if TYPE_CHECKING:
    from kordless_booking.conf import Account

__all__ = ["Upstream", "upstream"]

_lock = Lock()


@dataclass(frozen=True)
class Upstream:
    """`client` acts on bookings, `catalog` reads what can be booked."""

    client: Kordless
    catalog: Catalog


def upstream(account: Account) -> Upstream:
    """The account's client and catalog in this process."""
    with _lock:
        return _upstream(account, os.getpid())


@cache
def _upstream(account: Account, _pid: int) -> Upstream:
    raise NotImplementedError


def sandbox_path(account: Account) -> str:
    """Where the embedded sandbox keeps its bookings: as the setting says, else a file in the temporary folder."""
    if isinstance(account.sandbox, bool):
        project = sha256(str(settings.SECRET_KEY).encode()).hexdigest()[:12]
        return str(Path(tempfile.gettempdir()) / f"kordless-sandbox-{project}.sqlite3")
    return str(account.sandbox)


@cache
def embedded_sandbox(path: str) -> Any:
    """One sandbox for each file and process: two accounts may share it, as two organizations share Kordless."""
    from kordless_booking.sandbox import Sandbox  # noqa: PLC0415 (a site with a real account never loads it)

    return Sandbox(path=path)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"KORDLESS_BOOKING", "CACHES", "SECRET_KEY"}:
        _upstream.cache_clear()
        embedded_sandbox.cache_clear()
