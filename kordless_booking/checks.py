"""System checks: every mistake in the settings, with an id and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 (Django's name for it)
from django.urls import URLPattern, URLResolver, get_resolver

from kordless_booking import conf
from kordless_booking.views.sheets import found

__all__ = [
    "check_apps",
    "check_mail_sender",
    "check_mounts",
    "check_settings",
    "check_shared_cache",
    "check_style_sheets",
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


def mounts(patterns: Sequence[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    """The instance namespace of every place that our URLs are mounted at, with those `above` it: "shop:north"."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            name = ":".join(filter(None, (above, pattern.namespace)))
            if pattern.app_name == "kordless_booking":
                yield name
            else:
                yield from mounts(pattern.url_patterns, name)
