"""settings.KORDLESS_BOOKING, read once into frozen, typed accounts.

A site with one business writes the keys flat::

    KORDLESS_BOOKING = {"API_KEY": "…", "ORG_SLUG": "acme-salon"}

A site with several gives each a name, which is also the instance namespace that its URLs are mounted under.
Keys beside ACCOUNTS are defaults for all of them::

    KORDLESS_BOOKING = {"PHONE_REGION": "GB", "ACCOUNTS": {"north": {…}, "south": {…}}}

`accounts()` raises ImproperlyConfigured when nothing usable is there; `problems_of(raw)` lists every mistake for
the system checks. Both are dropped on `setting_changed`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from phonenumbers import SUPPORTED_REGIONS

from kordless_booking.api.client import BOOKING_SECONDS, BROWSE_SECONDS, CREATIONS_PER_MINUTE, REQUESTS_PER_MINUTE
from kordless_booking.booking.themes import READY_MADE
from kordless_booking.limits import MAX_MANAGE_LINK_DAYS
from kordless_booking.value_rules import is_base_url, is_origin, is_sender, is_site_url, listed, number, text, whole

__all__ = ["DEFAULT_ACCOUNT", "Account", "Mistake", "Secret", "account_named", "accounts", "mistakes_in"]

DEFAULT_ACCOUNT: Final = "default"
DEFAULT_BASE_URL: Final = "https://api.kordless.ai/api/calendar/v1/public"


class Secret(str):
    """A string that never prints itself: its repr, and so every traceback and debug page, shows only dots."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('••••')"


NO_KEY: Final = Secret("")


@dataclass(frozen=True, kw_only=True)
class Account:
    """One business: how to reach its Kordless organization and how its widget behaves.

    Field names are the settings' keys in lower case. Seconds unless the name says otherwise.
    """

    name: str = DEFAULT_ACCOUNT
    api_key: Secret = NO_KEY
    org_slug: str = ""
    base_url: str = DEFAULT_BASE_URL
    sandbox: bool | str | Path = False
    transport: Any = field(default=None, repr=False)
    phone_region: str = "US"
    embed_origins: tuple[str, ...] = ()
    theme: str = ""
    style_sheets: tuple[str, ...] = ()
    support_email: str = ""
    support_phone: str = ""
    browse_seconds: float = BROWSE_SECONDS
    booking_seconds: float = BOOKING_SECONDS
    offer_fresh_seconds: int = 300
    catalog_stale_seconds: int = 3600
    catalog_stale_if_error_seconds: int = 86400
    memory_seconds: float = 1.0
    slots_fresh_seconds: int = 15
    slots_stale_seconds: int = 300
    slots_on_error_seconds: int = 1800
    requests_per_minute: int = REQUESTS_PER_MINUTE
    creations_per_minute: int = CREATIONS_PER_MINUTE
    processes: int = 1
    cache: str = "default"
    draft_seconds: int = 7200
    manage_link_days: int = 400
    trusted_proxies: int = 0
    bookings_per_address: int = 50
    lookups_per_address: int = 20
    changes_per_address: int = 40
    lookups_per_number: int = 10
    minimum_fill_seconds: float = 1.0
    human_check: str = ""
    human_check_origins: tuple[str, ...] = ()
    webhook_secrets: tuple[Secret, ...] = ()
    webhook_signed: str = "timestamp.body"
    webhook_written: str = "hex"
    funnel: bool = True
    mail: bool = False
    mail_from: str = ""
    site_url: str = ""
    reminder_hours: int = 24

    def __hash__(self) -> int:
        """Each request looks its account up: not all of its fields need be hashed for that."""
        return hash((self.name, self.org_slug))


@dataclass(frozen=True)
class Mistake:
    """Something wrong in the settings: `kind` picks the system check's id, `hint` says what to write instead."""

    kind: str
    text: str
    hint: str


SETTING_NAMES: Final = frozenset(f.name.upper() for f in fields(Account)) - {"NAME"}
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def accounts() -> Mapping[str, Account]:
    """All accounts by name. Raises ImproperlyConfigured with the first mistake when the settings are unusable."""
    return _accounts()


def account_named(name: str | None) -> Account:
    """The account for an instance namespace. With one account any namespace will do.

    Raises ImproperlyConfigured when there are several and none has this name.
    """
    known = accounts()
    if len(known) == 1:
        return next(iter(known.values()))
    if name is None or name not in known:
        raise ImproperlyConfigured(
            f"No KORDLESS_BOOKING account is called {name!r}. Mount the URLs with "
            f"include('kordless_booking.urls', namespace=…) and one of: {', '.join(sorted(known))}."
        )
    return known[name]


def mistakes_in(raw: object) -> list[Mistake]:
    """Every mistake in a KORDLESS_BOOKING value, in reading order; empty when all is well."""
    if not isinstance(raw, Mapping):
        return [
            Mistake(
                "missing",
                "KORDLESS_BOOKING is not set.",
                'Add KORDLESS_BOOKING = {"API_KEY": "…", "ORG_SLUG": "your-org"} to your settings, '
                'or {"SANDBOX": True} to try it without a Kordless account.',
            )
        ]
    alone = "ACCOUNTS" not in raw
    several = raw.get("ACCOUNTS")
    if not alone and (not isinstance(several, Mapping) or not several):
        return [
            Mistake(
                "wrong",
                'KORDLESS_BOOKING["ACCOUNTS"] holds no account.',
                'Write {"name": {"API_KEY": "…", "ORG_SLUG": "…"}}, or leave ACCOUNTS out when there is only one.',
            )
        ]
    return [mistake for name, given in _sections(raw) for mistake in _mistakes_of_account(name, given, alone=alone)]


def _sections(raw: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """(account name, its settings with the shared defaults under them)."""
    if "ACCOUNTS" not in raw:
        yield DEFAULT_ACCOUNT, raw
        return
    shared = {key: value for key, value in raw.items() if key != "ACCOUNTS"}
    for name, own in raw["ACCOUNTS"].items():
        yield str(name), {**shared, **own} if isinstance(own, Mapping) else own


def _mistakes_of_account(name: str, given: object, *, alone: bool) -> Iterator[Mistake]:
    where = "KORDLESS_BOOKING" if alone else f'KORDLESS_BOOKING["ACCOUNTS"]["{name}"]'
    if not _NAMESPACE.fullmatch(name):
        yield Mistake("wrong", f"{where}: an account can't be called that.", "Letters, digits, -, _ and . only.")
    if not isinstance(given, Mapping):
        yield Mistake("wrong", f"{where} is not a dictionary.", "Give it API_KEY and ORG_SLUG.")
        return
    names = sorted(SETTING_NAMES | {"ACCOUNTS"} if alone else SETTING_NAMES)
    for key in given:
        if key not in SETTING_NAMES:
            near = difflib.get_close_matches(str(key).upper(), names, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(names)}."
            yield Mistake("unknown", f"{where} has an unknown key {key!r}.", hint)
    if not given.get("SANDBOX"):
        if not given.get("API_KEY"):
            yield Mistake(
                "api_key",
                f"{where} has no API_KEY.",
                'Create a key in Kordless and set "API_KEY", or set "SANDBOX": True to try without an account.',
            )
        if not given.get("ORG_SLUG"):
            yield Mistake(
                "org_slug",
                f"{where} has no ORG_SLUG.",
                'Set "ORG_SLUG" to your organization\'s slug: the last part of its Kordless booking address.',
            )
    # An empty text is as good as none, but for a secret: who means to have one must not go without.
    absent = {key for key in given if given[key] is None or (given[key] == "" and key != "WEBHOOK_SECRETS")}
    wrong = {key for key, (right, _) in _RULES.items() if key in given and key not in absent and not right(given[key])}
    for key, (_, hint) in _RULES.items():
        if key in wrong:
            yield Mistake("wrong", f"{where}: {key} is not usable.", hint)
    if given.get("MAIL") is True and not given.get("SITE_URL"):
        yield Mistake(
            "wrong",
            f"{where}: MAIL is on, but there is no SITE_URL.",
            'Set "SITE_URL" to where your site is, such as "https://salon.example": mails link to it.',
        )
    every = given.get("REQUESTS_PER_MINUTE") or Account.requests_per_minute
    creations = given.get("CREATIONS_PER_MINUTE") or Account.creations_per_minute
    if wrong.isdisjoint({"REQUESTS_PER_MINUTE", "CREATIONS_PER_MINUTE"}) and creations >= every:
        yield Mistake(
            "wrong",
            f"{where}: CREATIONS_PER_MINUTE leaves nothing of REQUESTS_PER_MINUTE for anything else.",
            "Creations count as requests too, so fewer of them must be allowed: "
            f"{CREATIONS_PER_MINUTE} of {REQUESTS_PER_MINUTE} unless agreed otherwise.",
        )
    yield from _decreasing_lifetimes(where, given, wrong)


def _decreasing_lifetimes(where: str, given: Mapping[Any, Any], wrong: set[str]) -> Iterator[Mistake]:
    """Yield an error for each lifetime that is shorter than the one before it. Skips what is `wrong` by itself."""
    for names in _LIFETIMES:
        if not wrong.isdisjoint(names):
            continue
        ages = [given.get(name) or getattr(Account, name.lower()) for name in names]
        for (shorter, low), (longer, high) in pairwise(zip(names, ages, strict=True)):
            if high < low:
                yield Mistake(
                    "wrong",
                    f"{where}: {longer} is less than {shorter}.",
                    f"Both count from the moment that Kordless was asked: set {longer} to {low} or more.",
                )


_MAX_WAIT: Final = 25
"""Seconds. Servers and proxies give up after 30 by default, and so does a claim to send an attempt."""
_LIFETIMES: Final = (
    ("OFFER_FRESH_SECONDS", "CATALOG_STALE_SECONDS", "CATALOG_STALE_IF_ERROR_SECONDS"),
    ("SLOTS_FRESH_SECONDS", "SLOTS_STALE_SECONDS", "SLOTS_ON_ERROR_SECONDS"),
)
"""Ages until which a cached value is fresh, served while it is refreshed, and served in an outage: never decreasing."""

_RULES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "API_KEY": (text(r"[\x21-\x7e]{1,500}"), "A key is one line of printable ASCII without spaces."),
    "ORG_SLUG": (text(_SLUG.pattern), "A slug has letters, digits, dots, dashes and underscores only."),
    "BASE_URL": (is_base_url, "Write an https:// address without query; http:// is for this machine only."),
    "SANDBOX": (
        lambda value: isinstance(value, bool | str | Path),
        "True, or the path of the file that the sandbox keeps its bookings in.",
    ),
    "PHONE_REGION": (
        lambda value: isinstance(value, str) and value in SUPPORTED_REGIONS,
        'The two capital letters of a country, such as "US", "GB" or "DE".',
    ),
    "EMBED_ORIGINS": (
        lambda value: isinstance(value, list | tuple | set | frozenset) and all(map(is_origin, value)),
        'A list of origins such as "https://shop.example" or "https://*.shop.example"; no paths, no bare "*".',
    ),
    "THEME": (lambda value: value in READY_MADE, f"One of: {', '.join(READY_MADE)}."),
    "STYLE_SHEETS": (
        lambda value: isinstance(value, list | tuple) and all(map(text(r"(?!/)(?!.*\.\.)[\w./ -]+\.css"), value)),
        'A list of static files such as "my_site/booking.css", as {% static %} would name them.',
    ),
    "SUPPORT_EMAIL": (text(r"[^@\s<>]+@[^@\s<>]+"), "An e-mail address that visitors may write to."),
    "SUPPORT_PHONE": (text(r"\+?[0-9 ()./-]{3,30}"), "A phone number that visitors may call."),
    "BROWSE_SECONDS": (number(0.1, _MAX_WAIT), f"Seconds that a page may wait for Kordless: 0.1 to {_MAX_WAIT}."),
    "BOOKING_SECONDS": (number(0.1, _MAX_WAIT), f"Seconds that placing a booking may wait: 0.1 to {_MAX_WAIT}."),
    "OFFER_FRESH_SECONDS": (whole(1, 86400), "Whole seconds, 1 to 86400."),
    "CATALOG_STALE_SECONDS": (whole(1, 86400), "Whole seconds, 1 to 86400."),
    "CATALOG_STALE_IF_ERROR_SECONDS": (whole(1, 86400), "Whole seconds, 1 to 86400."),
    "MEMORY_SECONDS": (number(0, 1), "Seconds that a process answers from its own memory: 0 to 1."),
    "SLOTS_FRESH_SECONDS": (whole(1, 3600), "Whole seconds, 1 to 3600."),
    "SLOTS_STALE_SECONDS": (whole(1, 86400), "Whole seconds, 1 to 86400."),
    "SLOTS_ON_ERROR_SECONDS": (whole(1, 86400), "Whole seconds, 1 to 86400."),
    "REQUESTS_PER_MINUTE": (
        whole(3, 1000),
        f"What your Kordless key allows: {REQUESTS_PER_MINUTE} unless agreed otherwise.",
    ),
    "CREATIONS_PER_MINUTE": (
        whole(1, 999),
        f"What your Kordless key allows: {CREATIONS_PER_MINUTE} unless agreed otherwise.",
    ),
    "PROCESSES": (whole(1, 10000), "How many server processes share the key when the cache is not shared."),
    "CACHE": (
        lambda value: isinstance(value, str) and value in settings.CACHES,
        "The name of one of your CACHES.",
    ),
    "DRAFT_SECONDS": (whole(300, 86400), "Seconds that a chosen time may be filled in: 300 to 86400."),
    "MANAGE_LINK_DAYS": (
        whole(1, MAX_MANAGE_LINK_DAYS),
        f"Days that a manage link works: 1 to {MAX_MANAGE_LINK_DAYS}.",
    ),
    "BOOKINGS_PER_ADDRESS": (whole(0, 1000), "Forms that one address may send in ten minutes; 0 is no limit."),
    "LOOKUPS_PER_ADDRESS": (whole(0, 1000), "Look-ups by one address in ten minutes; 0 is no limit."),
    "CHANGES_PER_ADDRESS": (whole(0, 1000), "Changes by one address in ten minutes; 0 is no limit."),
    "LOOKUPS_PER_NUMBER": (whole(0, 1000), "Look-ups of one confirmation number in an hour; 0 is no limit."),
    "MINIMUM_FILL_SECONDS": (number(0, 5), "Seconds before which no form is sent on: 0 to 5."),
    "HUMAN_CHECK": (text(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+"), "The dotted path of a function of request and form."),
    "HUMAN_CHECK_ORIGINS": (
        lambda value: isinstance(value, list | tuple) and all(map(is_origin, value)),
        "The origins that your check's script is loaded from.",
    ),
    "WEBHOOK_SECRETS": (
        lambda value: all(map(text(r"\S(.{0,498}\S)?"), listed(value))),
        "The webhook's secret from Kordless, or a list with the new one and the old one; none of them empty.",
    ),
    "WEBHOOK_SIGNED": (text(r"timestamp\.body|body"), '"timestamp.body" or "body".'),
    "WEBHOOK_WRITTEN": (text(r"hex|base64"), '"hex" or "base64".'),
    "FUNNEL": (lambda value: isinstance(value, bool), "True or False."),
    "MAIL": (lambda value: isinstance(value, bool), "True, or False: Kordless writes to customers itself."),
    "MAIL_FROM": (is_sender, 'Who mails are from: "bookings@salon.example" or "Salon <bookings@salon.example>".'),
    "SITE_URL": (
        is_site_url,
        "Where your site is: https:// and its name, perhaps with a path; http:// is for this machine only.",
    ),
    "REMINDER_HOURS": (
        whole(0, 336),
        "Hours before an appointment that its reminder is due: 1 to 336; 0 is no reminder.",
    ),
    "TRUSTED_PROXIES": (whole(0, 20), "How many proxies stand in front of the site: 0 to 20."),
}


@cache
def _accounts() -> Mapping[str, Account]:
    fatal = [mistake for mistake in mistakes_in(_raw()) if mistake.kind != "unknown"]
    if fatal:
        # No variable here holds the settings: Django's debug page would print the key with them.
        raise ImproperlyConfigured(f"{fatal[0].text} {fatal[0].hint}")
    return {name: _account(name, given) for name, given in _sections(_raw())}


def _raw() -> Any:
    return getattr(settings, "KORDLESS_BOOKING", None)


def _account(name: str, given: object) -> Account:
    assert isinstance(given, Mapping)  # noqa: S101 (mistakes_in has just made sure)
    values = {key.lower(): value for key, value in given.items() if key in SETTING_NAMES and value not in (None, "")}
    if "api_key" in values:
        values["api_key"] = Secret(values["api_key"])
    if "base_url" in values:
        values["base_url"] = values["base_url"].rstrip("/")
    if "webhook_secrets" in values:
        values["webhook_secrets"] = tuple(Secret(secret) for secret in listed(values["webhook_secrets"]))
    if "site_url" in values:
        values["site_url"] = values["site_url"].rstrip("/")
    values["style_sheets"] = tuple(values.get("style_sheets", ()))
    for origins in ("embed_origins", "human_check_origins"):
        if origins in values:
            values[origins] = tuple(sorted(values[origins]))
    return Account(name=name, **values)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"KORDLESS_BOOKING", "CACHES", "SECRET_KEY"}:
        _accounts.cache_clear()
