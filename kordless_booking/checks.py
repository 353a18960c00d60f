"""System checks: every mistake in the settings, with an id and what to write instead."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 (Django's name for it)
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver

from kordless_booking import conf
from kordless_booking.views.sheets import found

__all__ = [
    "check_apps",
    "check_cache_folder",
    "check_host_settings",
    "check_mail_sender",
    "check_mounts",
    "check_sandbox",
    "check_settings",
    "check_shared_cache",
    "check_style_sheets",
    "check_templates",
    "check_webhook_secrets",
    "mounts",
]

_IDS: Final = {
    "missing": "kordless_booking.E001",
    "api_key": "kordless_booking.E002",
    "org_slug": "kordless_booking.E003",
    "wrong": "kordless_booking.E004",
    "unknown": "kordless_booking.E005",
}
SECRET_BYTES: Final = 24
MIN_FORM_FIELDS: Final = 20
"""The longest form has 14 fields; a human check adds its own."""
MIN_FORM_BYTES: Final = 32_768
"""1,000 characters of notes take up to 12,000 bytes once they are URL-encoded, and each token up to 4,096."""
_PER_PROCESS_CACHES: Final = ("locmem.LocMemCache", "dummy.DummyCache", "filebased.FileBasedCache")


@register("kordless_booking")
def check_settings(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E001 to E005: what is missing, wrong or unknown in KORDLESS_BOOKING."""
    mistakes = conf.mistakes_in(getattr(settings, "KORDLESS_BOOKING", None))
    return [Error(mistake.text, hint=mistake.hint, id=_IDS[mistake.kind]) for mistake in mistakes]


@register("kordless_booking")
def check_apps(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E006: django_htmx brings htmx itself and must be installed."""
    if apps.is_installed("django_htmx"):
        return []
    return [
        Error(
            "django_htmx is not in INSTALLED_APPS.",
            hint='Add "django_htmx" beside "kordless_booking": it serves the htmx script.',
            id="kordless_booking.E006",
        )
    ]


@register("kordless_booking")
def check_mounts(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E007: with several accounts, each mount's namespace must be the name of one. W001: mounted nowhere."""
    if check_settings() or not getattr(settings, "ROOT_URLCONF", None):
        return []
    names = conf.accounts()
    found = list(mounts(get_resolver().url_patterns))
    if not found:
        return [
            Warning(
                "kordless_booking.urls is mounted nowhere.",
                hint='Add path("book/", include("kordless_booking.urls")) to your URLconf.',
                id="kordless_booking.W001",
            )
        ]
    if len(names) == 1:
        return []
    return [
        Error(
            f"kordless_booking.urls is mounted with the namespace {mount!r}, but no account is called that.",
            hint=f"Use include('kordless_booking.urls', namespace=…) with one of: {', '.join(sorted(names))}.",
            id="kordless_booking.E007",
        )
        for mount in (each.rpartition(":")[2] for each in found)
        if mount not in names
    ]


@register("kordless_booking")
def check_style_sheets(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """E008: a sheet in STYLE_SHEETS is none of the site's static files."""
    if check_settings():
        return []
    return [
        Error(
            f"The account {account.name!r} has {name!r} in STYLE_SHEETS, but no such static file is found.",
            hint="Put it into a static/ folder of an app or of STATICFILES_DIRS, and write it as {% static %} would.",
            id="kordless_booking.E008",
        )
        for account in conf.accounts().values()
        for name in account.style_sheets
        if found(name) is None
    ]


@register("kordless_booking", deploy=True)
def check_shared_cache(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """W002: a cache that processes don't share can't share Kordless's allowance between them either."""
    if check_settings():
        return []
    aliases = {account.cache for account in conf.accounts().values() if account.processes == 1}
    return [
        Warning(
            f"The cache {alias!r} is not shared between processes, so each counts Kordless's allowance alone.",
            hint='Use Redis, or set "PROCESSES" to the number of server processes.',
            id="kordless_booking.W002",
        )
        for alias in sorted(aliases)
        if settings.CACHES[alias]["BACKEND"].endswith(_PER_PROCESS_CACHES)
    ]


@register("kordless_booking", deploy=True)
def check_cache_folder(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """W006: Django unpickles the files of its file cache, so whoever writes there runs code in every process."""
    if check_settings():
        return []
    return [
        Warning(
            f"Others can write to the folder of the cache {alias!r}, and so run code in every process of the site.",
            hint="Give the folder to the user that the site runs as, and to nobody else: chmod 700. Or use Redis.",
            id="kordless_booking.W006",
        )
        for alias in sorted({account.cache for account in conf.accounts().values()})
        if settings.CACHES[alias]["BACKEND"].endswith("filebased.FileBasedCache")
        and _is_open_to_others(Path(settings.CACHES[alias].get("LOCATION", "")))
    ]


def _is_open_to_others(folder: Path) -> bool:
    """Say whether another user than this one and root can write to a folder; False where that can't be known."""
    if not hasattr(os, "getuid"):
        return False  # Windows has other permissions
    try:
        found = folder.stat()
    except OSError:
        return False  # Django makes it, with the mode 700
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) or found.st_uid not in {os.getuid(), 0}


@register("kordless_booking", deploy=True)
def check_sandbox(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """W007: visitors of a site in production would be told that they are booked, and nobody would expect them."""
    if check_settings():
        return []
    return [
        Warning(
            f"The account {account.name!r} books in the embedded sandbox: its bookings reach nobody.",
            hint="Set API_KEY and ORG_SLUG, and leave SANDBOX out.",
            id="kordless_booking.W007",
        )
        for account in conf.accounts().values()
        if account.sandbox
    ]


@register("kordless_booking")
def check_webhook_secrets(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """W003: a short secret can be guessed from one delivery that somebody has seen."""
    if check_settings():
        return []
    return [
        Warning(
            f"The account {account.name!r} has a webhook secret of less than {SECRET_BYTES} bytes.",
            hint="Let Kordless make a new one, and keep the old one beside it in WEBHOOK_SECRETS until it is in use.",
            id="kordless_booking.W003",
        )
        for account in conf.accounts().values()
        if any(len(secret.encode()) < SECRET_BYTES for secret in account.webhook_secrets)
    ]


@register("kordless_booking")
def check_mail_sender(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """W004: mail from Django's own webmaster@localhost is refused nearly everywhere."""
    if check_settings() or settings.DEFAULT_FROM_EMAIL != "webmaster@localhost":
        return []
    return [
        Warning(
            f"The account {account.name!r} writes to customers from webmaster@localhost.",
            hint='Set "MAIL_FROM", or Django\'s DEFAULT_FROM_EMAIL, to an address of your own domain.',
            id="kordless_booking.W004",
        )
        for account in conf.accounts().values()
        if account.mail and not account.mail_from
    ]


@register("kordless_booking")
def check_host_settings(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report Django settings under which no page, or no booking, works: E009, E011, E012 and E013.

    Django accepts each of them, and the site's own pages may well run with them.
    """
    found: list[CheckMessage] = []
    if not settings.USE_TZ:
        # Moments are compared with aware ones and stored as such: the first form that is sent would fail.
        found.append(
            Error(
                "USE_TZ is False, and bookings are moments in time zones: every booking would fail.",
                hint="Set USE_TZ = True, Django's default.",
                id="kordless_booking.E009",
            )
        )
    if settings.DEFAULT_CHARSET.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        found.append(
            Error(
                f"DEFAULT_CHARSET is {settings.DEFAULT_CHARSET!r}, which has no way to write every page.",
                hint='Set DEFAULT_CHARSET = "utf-8", Django\'s default.',
                id="kordless_booking.E011",
            )
        )
    for name, least in (
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", MIN_FORM_BYTES),
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", MIN_FORM_FIELDS),
    ):
        most = getattr(settings, name)
        if most is not None and most < least:
            found.append(
                Error(
                    f"{name} is {most}, less than the booking form needs: Django would refuse it.",
                    hint=f"Set {name} to {least} or more.",
                    id="kordless_booking.E012",
                )
            )
    if not settings.STATIC_URL:
        found.append(
            Error(
                "STATIC_URL is not set, so no page can name its scripts.",
                hint='Set STATIC_URL = "static/".',
                id="kordless_booking.E013",
            )
        )
    return found


@register("kordless_booking")
def check_templates(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report an engine that doesn't find our templates or doesn't escape (E010), or is set for debugging (W005)."""
    try:
        template: Any = get_template("kordless_booking/layouts/page.html")
        engine = template.backend.engine
    except TemplateDoesNotExist:
        return [
            Error(
                "No template engine finds the templates of kordless_booking.",
                hint='Set "APP_DIRS": True in one whose backend is DjangoTemplates, or add app_directories.Loader.',
                id="kordless_booking.E010",
            )
        ]
    except (TemplateSyntaxError, ImproperlyConfigured):
        return []  # E006, or Django's own check of TEMPLATES, says what is wrong
    if not engine.autoescape:
        # Names, descriptions and notes come from outside, and our templates rely on the engine to escape them.
        return [
            Error(
                "The template engine that finds our templates has autoescape off: any text could run as a script.",
                hint="Remove autoescape from its OPTIONS, or add a second engine for pages that are no HTML.",
                id="kordless_booking.E010",
            )
        ]
    if engine.string_if_invalid:
        return [
            Warning(
                "The template engine that finds our templates has string_if_invalid: pages show it, or fail.",
                hint="Use it for debugging only.",
                id="kordless_booking.W005",
            )
        ]
    return []


def mounts(patterns: Sequence[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    """The instance namespace of every place that our URLs are mounted at, with those `above` it: "shop:north"."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            name = ":".join(filter(None, (above, pattern.namespace)))
            if pattern.app_name == "kordless_booking":
                yield name
            else:
                yield from mounts(pattern.url_patterns, name)
