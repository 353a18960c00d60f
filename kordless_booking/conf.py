"""Settings: reads settings.KORDLESS_BOOKING once into frozen, typed accounts.

A site with one business writes the keys directly::

    KORDLESS_BOOKING = {"API_KEY": "…", "ORG_SLUG": "acme-salon"}

A site with several businesses gives each account a name, which is also the instance namespace that its URLs are mounted
under. Keys beside ACCOUNTS are defaults for all accounts::

    KORDLESS_BOOKING = {"PHONE_REGION": "GB", "ACCOUNTS": {"north": {…}, "south": {…}}}

`accounts()` raises ImproperlyConfigured if the settings are unusable. `find_errors(raw)` lists every error for the
system checks. The accounts are cached until a setting changes.
"""

# No `from __future__ import annotations`: `_declared_settings` reads the annotations of Account as objects.
import copy
import difflib
import ipaddress
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from kordless_booking import hooks
from kordless_booking.api.base_url import validated_base_url
from kordless_booking.api.documented import BOOKING_SECONDS, BROWSE_SECONDS, CREATIONS_PER_MINUTE, REQUESTS_PER_MINUTE
from kordless_booking.consent import Consent, find_wrong_consent, parse_consents
from kordless_booking.contact_fields import ContactFields, find_wrong_field, hides_both_contacts
from kordless_booking.lazy_imports import LazyModule
from kordless_booking.limits import MAX_GUESTS, MAX_MANAGE_LINK_DAYS
from kordless_booking.presentation.safe_links import parse_done_url, parse_page_url
from kordless_booking.presentation.site_texts import find_wrong_language
from kordless_booking.presentation.themes import THEMES
from kordless_booking.questions.question import QuestionsSetting, find_wrong_question, parse_setting
from kordless_booking.setting_changes import on_setting_change

if TYPE_CHECKING:
    import phonenumbers

    from kordless_booking.api.resources import Organization
else:
    phonenumbers = LazyModule("phonenumbers")

_SLUG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DOTTED_PATH: Final = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+"
_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")
_SITE_URL: Final = re.compile(r"(https?://[^/?#\s]+)((?:/[A-Za-z0-9._~-]+)*)/?")
_HOST_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN: Final = re.compile(
    rf"https?://(?:\*\.{_HOST_LABEL}\.)?{_HOST_LABEL}(?:\.{_HOST_LABEL})*(?::[0-9]{{1,5}})?", re.ASCII
)


def is_base_url(value: object) -> bool:
    """Return True for an https URL without query, or an http URL of this machine (for a sandbox or a tunnel)."""
    try:
        return isinstance(value, str) and bool(validated_base_url(value))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_origin(value: object) -> bool:
    """Return True for a CSP source of one origin: 'self', https://shop.example or https://*.example.com.

    http:// is accepted only for this machine.
    """
    if value == "'self'":
        return True
    # The origin ends up in a response header, so its length and characters are limited.
    if not isinstance(value, str) or len(value) > 300 or not _ORIGIN.fullmatch(value):
        return False
    host = value.split("//", 1)[1].rsplit(":", 1)[0]
    return value.startswith("https://") or _is_loopback(host)


def is_site_url(value: object) -> bool:
    """Return True for a site's URL: an origin and an optional path; https, or http on this machine."""
    found = _SITE_URL.fullmatch(value) if isinstance(value, str) else None
    # No wildcard: unlike an origin that may frame the widget, this address is linked to.
    return found is not None and "*" not in found[1] and is_origin(found[1])


def is_sender(value: object) -> bool:
    """Return True for an email address, alone or as `Name <address>`."""
    # Printable only: a line break could add a mail header.
    if not isinstance(value, str) or len(value) > 320 or not value.isprintable():
        return False
    return _ADDRESS.fullmatch(parseaddr(value)[1]) is not None


def is_address(value: object) -> bool:
    """Return True for an email address without a name."""
    return is_sender(value) and isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def as_tuple(value: object) -> tuple[object, ...]:
    """Return a list or tuple as a tuple, and any other value as a tuple of that one value."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def number_between(low: float, high: float) -> Callable[[object], bool]:
    """Return a validator for an int or float from `low` to `high`, both included."""
    # bool is a subclass of int, but True is a mistake where a number is expected.
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def integer_between(low: int, high: int) -> Callable[[object], bool]:
    """Return a validator for an int from `low` to `high`, both included."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def matching(pattern: str) -> Callable[[object], bool]:
    """Return a validator for a string that matches the whole regular expression."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


MAX_STAFF_ADDRESSES: Final = 10
"""Addresses that get mail about bookings. More are a mailing list's."""
PARTY: Final = "party"
"""Value of GUESTS: the others of a party."""
DEFAULT_ACCOUNT: Final = "default"
DEFAULT_BASE_URL: Final = "https://api.kordless.ai/api/calendar/v1/public"
"""From Kordless's documentation of the Booking API."""


class Secret(str):
    """String whose repr, and so every traceback and debug page, shows only dots."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('••••')"


NO_KEY: Final = Secret("")


def _strip_slash(url: str) -> str:
    return url.rstrip("/")


def _sorted_tuple(origins: Iterable[str]) -> tuple[str, ...]:
    # A set may have another order in each process, and the origins end up in pages.
    return tuple(sorted(origins))


@dataclass(frozen=True)
class Setting:
    """Rule of one setting: the values that it accepts, and the form in which an Account stores them."""

    is_valid: Callable[[object], bool]
    hint: str
    """Accepted values, in words: the hint of the system check, and the third column of docs/settings.md."""
    convert: Callable[[Any], Any] = lambda value: value
    """Function from a valid value to the attribute's."""
    explain: Callable[[Any], str] | None = None
    """Function from an invalid value to what is wrong in it, for a setting with parts: the hint of its check then."""
    choices: tuple[str, ...] = ()
    """Words that it accepts, where it accepts nothing else: the hint names the nearest to a misspelled one."""
    secret: bool = False
    """True where no message may show the value."""


def _one_of(*words: str) -> Setting:
    """Return the rule of a setting that is one of these words."""
    hint = "One of: " + ", ".join(f'"{word}"' for word in words) + "."
    return Setting(lambda value: isinstance(value, str) and value in words, hint, choices=words)


_NUMBER_AS_TEXT: Final = re.compile(r"\s*(-?[0-9]{1,9})(\.[0-9]{1,9})?\s*", re.ASCII)


def read_value(is_valid: Callable[[object], bool], value: object) -> object:
    """Return the number that a text stands for where a number is valid and the text isn't; else the value as it is.

    What comes from the environment is text.
    """
    if isinstance(value, str) and (found := _NUMBER_AS_TEXT.fullmatch(value)) and not is_valid(value):
        number = float(value) if found[2] else int(value)
        return number if is_valid(number) else value
    return value


_MAX_DEADLINE_SECONDS: Final = 25
"""Below 30: servers and proxies time out after 30 by default, a claimed attempt may be sent again after 30, and a
permit allows for a call of 30 (`rate_limiter.MAX_CALL_SECONDS`).
"""
MAX_RETENTION_DAYS: Final = 3650
MIN_ATTEMPT_DAYS: Final = 7
"""Longer than any form can be sent again, and than an attempt with an open outcome may still be resolved."""
MIN_DELIVERY_DAYS: Final = 40
"""Longer than Kordless sends a delivery again, and than its body is kept for a replay."""
MIN_COUNT_DAYS: Final = 90
"""The longest period that the funnel's page shows."""

MIN_CONSENT_DAYS: Final = 30
"""Less would prove nothing once somebody asks."""


def _days(low: int) -> Setting:
    """Return the rule of a retention: a number of days from `low`, or 0."""
    is_number = integer_between(low, MAX_RETENTION_DAYS)
    return Setting(
        lambda value: is_number(value) or integer_between(0, 0)(value),
        f"A whole number of days from {low} to {MAX_RETENTION_DAYS}; 0 for ever.",
    )


_BOOL: Final = Setting(lambda value: isinstance(value, bool), "True or False.")
_AGE: Final = Setting(integer_between(1, 86400), "A whole number of seconds from 1 to 86400.")
_COUNT: Final = Setting(integer_between(0, 1000), "A whole number from 0 to 1000; 0 for no limit.")
_DEADLINE: Final = Setting(
    number_between(0.1, _MAX_DEADLINE_SECONDS), f"A number of seconds from 0.1 to {_MAX_DEADLINE_SECONDS}."
)
_CONTACT_FIELDS: Final = Setting(
    lambda value: not find_wrong_field(value),
    'A dictionary: "email", "phone" and "notes" are "required", "optional" or "hidden"; "name" is "full" or '
    '"first_last".',
    # A copy: the site's own could change.
    dict,
    explain=find_wrong_field,
)


def _find_wrong_page(value: object) -> str:
    """Return a description of the first mistake in the address of a page, or in one of those by language; else ""."""
    if isinstance(value, Mapping):
        if not value:
            return "An empty dictionary: give it an address for each language."
        for language, address in value.items():
            if wrong := find_wrong_language(language):
                return f"It {wrong}"
            if parse_page_url(address) is None:
                return f'"{language}" is {reprlib.repr(address)}. {_PAGE_HINT}'
        return ""
    return "" if parse_page_url(value) is not None else f"{reprlib.repr(value)} can't be linked to. {_PAGE_HINT}"


def _parse_page(value: str | Mapping[str, str]) -> str | Mapping[str, str]:
    if isinstance(value, Mapping):
        return {language: parse_page_url(address) or "" for language, address in value.items()}
    return parse_page_url(value) or ""


_PAGE_HINT: Final = (
    'An https:// URL, http:// only for this machine, or a path of your site such as "/privacy/"; or a dictionary of '
    "them by language."
)
_PAGE: Final = Setting(lambda value: not _find_wrong_page(value), _PAGE_HINT, _parse_page, explain=_find_wrong_page)

_is_number_of_guests: Final = integer_between(0, MAX_GUESTS)
_GUESTS: Final = Setting(
    lambda value: value == PARTY or _is_number_of_guests(value),
    f'"{PARTY}", or a whole number from 0 to {MAX_GUESTS}; 0 for no guests.',
)
_WEEKS: Final = Setting(integer_between(0, 52), "A whole number from 0 to 52; 0 for no link.")

SERVICE_SETTINGS: Final[Mapping[str, Setting]] = {
    "CONTACT_FIELDS": _CONTACT_FIELDS,
    "GUESTS": _GUESTS,
    "BOOK_AGAIN_WEEKS": _WEEKS,
}
"""Settings that a service can have for itself, in SERVICES. Keys of a dictionary replace those of the account's one by
one.
"""


OPTIONAL_APP_OF_KEY: Final = {
    "WAITLIST": "waitlist",
    "WAITLIST_DAYS": "waitlist",
    "CUSTOMER_DAYS": "customers",
    "TEXT_PARSER": "assistant",
    "API_TOKENS": "json_api",
    "API_READS_PER_ADDRESS": "json_api",
    "API_BOOKINGS_PER_TOKEN": "json_api",
}
"""Package of `contrib` that registers a key. Only for the hint when the app was removed and the key was not."""


def _find_wrong_service(value: object) -> str:
    """Return a description of the first mistake in a value of SERVICES, which it repeats; "" when there is none."""
    if not isinstance(value, Mapping):
        return f"{reprlib.repr(value)} is not a dictionary."
    for slug, own in value.items():
        if not isinstance(slug, str) or not slug:
            return f"{reprlib.repr(slug)} is not the slug of a service."
        if not isinstance(own, Mapping):
            return f'"{slug}" is {reprlib.repr(own)}, not a dictionary of settings.'
        for key, given in own.items():
            if key not in SERVICE_SETTINGS:
                return f'"{slug}" has an unknown key {key!r}. Known keys: {", ".join(SERVICE_SETTINGS)}.'
            if not (rule := SERVICE_SETTINGS[key]).is_valid(read_value(rule.is_valid, given)):
                wrong = rule.explain(given) if rule.explain else f"{reprlib.repr(given)}. {rule.hint}"
                return f'{key} of "{slug}": {wrong}'
    return ""


def _parse_services(value: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    # Copies: the site's own could change.
    return {
        slug: {key: read_value(SERVICE_SETTINGS[key].is_valid, copy.deepcopy(given)) for key, given in own.items()}
        for slug, own in value.items()
    }


@dataclass(frozen=True)
class ServiceSettings:
    """Settings as they apply to one service."""

    contact_fields: ContactFields
    guests: int | str
    book_again_weeks: int

    def max_guests(self, party_size: int) -> int:
        """Return how many guests the form asks for; 0 for none."""
        return min(party_size - 1, MAX_GUESTS) if self.guests == PARTY else int(self.guests)


@dataclass(frozen=True, kw_only=True)
class Account:
    """Settings of one account: how to reach its Kordless organization, and how its widget behaves.

    This is the table of settings. A field declares the setting of the same name in upper case: its type, its `Setting`
    and its default. docs/settings.md has a row for each, which a test compares.
    """

    name: str = DEFAULT_ACCOUNT
    """Name in ACCOUNTS, and the instance namespace of the account's URLs. Not a setting."""
    given: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Values of keys that none of these fields has, see `extension_setting`. Not a setting."""
    api_key: Annotated[
        Secret,
        Setting(matching(r"[\x21-\x7e]{1,500}"), "One line of printable ASCII without spaces.", Secret, secret=True),
    ] = NO_KEY
    org_slug: Annotated[
        str, Setting(matching(_SLUG.pattern), "Letters, digits, dots, hyphens and underscores only.")
    ] = ""
    base_url: Annotated[
        str, Setting(is_base_url, "An https:// URL without a query; http:// only for this machine.", _strip_slash)
    ] = DEFAULT_BASE_URL
    """URL of the Booking API, without a trailing slash."""
    sandbox: Annotated[
        bool | str | Path,
        Setting(lambda value: isinstance(value, bool | str | Path), "True, False, or the path of a database file."),
    ] = False
    """True to use the embedded sandbox instead of Kordless, or the path of the file for its bookings."""
    transport: Annotated[
        Any, Setting(lambda _value: True, "An httpx transport or a WSGI application, in tests only.")
    ] = field(default=None, repr=False)
    """Replacement for the network in tests. Not in the repr."""
    phone_region: Annotated[
        str,
        Setting(
            lambda value: isinstance(value, str) and value in phonenumbers.SUPPORTED_REGIONS,
            'An ISO 3166 country code in capitals, such as "US", "GB" or "DE".',
        ),
    ] = ""
    """Country of phone numbers without a country code; "" for the country of the business's time zone."""
    price_per: Annotated[str, _one_of("booking", "person")] = ""
    """Unit of the prices in Kordless; "" when it isn't known, because Kordless's API doesn't say it."""
    guests: Annotated[int | str, _GUESTS] = 0
    """The most guests that the form asks for; PARTY for the others of a party. 0 is none."""
    book_again_weeks: Annotated[int, _WEEKS] = 0
    """Weeks after an appointment for which its pages offer to book the same again. 0 is no link."""
    next_free: Annotated[bool, _BOOL] = False
    """The list of services says when each is free next, as far as it is cached."""
    embed_origins: Annotated[
        tuple[str, ...],
        Setting(
            lambda value: isinstance(value, list | tuple | set | frozenset) and all(map(is_origin, value)),
            'A list of origins such as "https://shop.example" or "https://*.shop.example"; no path, no "*" alone.',
            _sorted_tuple,
        ),
    ] = ()
    """Origins that may frame the widget, besides the site itself. Sorted."""
    theme: Annotated[str, _one_of(*THEMES)] = ""
    """Name of a theme; "" for the plain one."""
    color_scheme: Annotated[str, _one_of("auto", "light", "dark")] = "auto"
    """Color scheme of every page that no link gives another; "auto" for the visitor's own."""
    accent: Annotated[
        str, Setting(matching("#[0-9A-Fa-f]{6}"), 'A color of six hexadecimal digits, such as "#1f6f5c".')
    ] = ""
    """Color of the widget and of mails; "" for the business's own in Kordless."""
    style_sheets: Annotated[
        tuple[str, ...],
        Setting(
            lambda value: (
                isinstance(value, list | tuple) and all(map(matching(r"(?!/)(?!.*\.\.)[\w./ -]+\.css"), value))
            ),
            'A list of names of static files, such as "my_site/booking.css".',
            # An immutable copy: a list would still be the site's own, and could change.
            tuple,
        ),
    ] = ()
    """Names of static files that are appended to the widget's style sheet."""
    base_template: Annotated[
        str,
        Setting(
            matching(r"(?!/)(?!.*\.\.)[\w./ -]{1,200}"), 'The name of a template of your site, such as "base.html".'
        ),
    ] = ""
    """Name of the site's template around the widget's own pages; "" for pages without the site's frame."""
    support_email: Annotated[str, Setting(matching(r"[^@\s<>]+@[^@\s<>]+"), "An email address.")] = ""
    support_phone: Annotated[
        str, Setting(matching(r"\+?[0-9 ()./-]{3,30}"), "A phone number of 3 to 30 characters.")
    ] = ""
    """Both contacts are shown to visitors when something goes wrong."""
    done_url: Annotated[
        str,
        Setting(
            lambda value: parse_done_url(value) is not None,
            "An https:// URL of at most 300 characters, perhaps with {service} behind its host; http:// only for this "
            "machine.",
            parse_done_url,
        ),
    ] = ""
    """Page of the site's that the confirmation leads on to; "" for none."""
    enforce_notice: Annotated[bool, _BOOL] = False
    """Take no change online once the service's notice period has begun."""
    ask_reason: Annotated[str, _one_of("optional", "required")] = ""
    """Ask customers why they change or cancel a booking; "" for not at all."""
    contact_fields: Annotated[Mapping[str, str], _CONTACT_FIELDS] = field(default_factory=dict)
    """Fields of the contact form that differ from the default, see `service_settings`."""
    services: Annotated[
        Mapping[str, Mapping[str, Any]],
        Setting(
            lambda value: not _find_wrong_service(value),
            f"A dictionary of slugs, each with a dictionary of: {', '.join(SERVICE_SETTINGS)}.",
            _parse_services,
            explain=_find_wrong_service,
        ),
    ] = field(default_factory=dict)
    """Settings of single services that differ from the account's, by slug, see `service_settings`."""
    questions: Annotated[
        QuestionsSetting,
        Setting(
            lambda value: not find_wrong_question(value),
            'A dictionary of lists of questions, by slug or "*"; or the dotted path of a function of account and slug '
            "that returns such a list.",
            parse_setting,
            explain=find_wrong_question,
        ),
    ] = field(default_factory=dict)
    """Questions that are asked before a booking; read by `views.questions.asked_questions`."""
    privacy_url: Annotated[str | Mapping[str, str], _PAGE] = ""
    terms_url: Annotated[str | Mapping[str, str], _PAGE] = ""
    """Addresses of the privacy policy and of the terms, or dictionaries of them by language. Linked at the button that
    books.
    """
    consent: Annotated[
        tuple[Consent, ...],
        Setting(
            lambda value: not find_wrong_consent(value),
            'A list of dictionaries with "name", "label" and "version", and perhaps "required" or "marketing".',
            parse_consents,
            explain=find_wrong_consent,
        ),
    ] = ()
    """Boxes that the contact form has for consent."""
    browse_seconds: Annotated[float, _DEADLINE] = BROWSE_SECONDS
    """Deadline for a page's reads from Kordless."""
    booking_seconds: Annotated[float, _DEADLINE] = BOOKING_SECONDS
    """Deadline for creating, moving or canceling a booking."""
    catalog_fresh_seconds: Annotated[int, _AGE] = 300
    catalog_stale_seconds: Annotated[int, _AGE] = 3600
    catalog_stale_if_error_seconds: Annotated[int, _AGE] = 86400
    """Ages until which services, prices and hosts are fresh, served stale, and served if Kordless fails."""
    local_cache_seconds: Annotated[float, Setting(number_between(0, 1), "A number of seconds from 0 to 1.")] = 1.0
    """Seconds that a process answers from its own memory before it reads the cache again. Limited to 1."""
    public_cache_seconds: Annotated[
        int, Setting(integer_between(0, 300), "A whole number of seconds from 1 to 300; 0 for no shared cache.")
    ] = 0
    """Seconds for which a CDN may serve pages and fragments that are the same for everybody. 0 is not at all."""
    slots_fresh_seconds: Annotated[
        int, Setting(integer_between(1, 3600), "A whole number of seconds from 1 to 3600.")
    ] = 15
    slots_stale_seconds: Annotated[int, _AGE] = 300
    slots_stale_if_error_seconds: Annotated[int, _AGE] = 1800
    """The same ages for slots. Shorter, because slots change with every booking."""
    slots_last_known_seconds: Annotated[int, _AGE] = 86400
    """Age until which slots are served, with a notice, if Kordless can't be asked: the quota is used up, or there is no
    connection. Not after an answer that can't be used.
    """
    requests_per_minute: Annotated[
        int, Setting(integer_between(3, 1000), "A whole number from 3 to 1000: the quota of your key.")
    ] = REQUESTS_PER_MINUTE
    creations_per_minute: Annotated[
        int, Setting(integer_between(1, 999), "A whole number from 1 to 999: the quota of your key.")
    ] = CREATIONS_PER_MINUTE
    """Quota of the API key. Creations count as requests too."""
    processes: Annotated[int, Setting(integer_between(1, 10000), "A whole number from 1 to 10000.")] = 1
    """Number of server processes that share the key. It divides the quota where they share no cache."""
    cache: Annotated[
        str, Setting(lambda value: isinstance(value, str) and value in settings.CACHES, "An alias in CACHES.")
    ] = "default"
    draft_seconds: Annotated[
        int, Setting(integer_between(300, 86400), "A whole number of seconds from 300 to 86400.")
    ] = 7200
    """Seconds that a chosen slot's form can be submitted."""
    manage_link_days: Annotated[
        int,
        Setting(integer_between(1, MAX_MANAGE_LINK_DAYS), f"A whole number of days from 1 to {MAX_MANAGE_LINK_DAYS}."),
    ] = 400
    """Days that the manage link of a confirmation works."""
    bookings_per_address: Annotated[int, _COUNT] = 30
    lookups_per_address: Annotated[int, _COUNT] = 20
    changes_per_address: Annotated[int, _COUNT] = 40
    """Submitted forms, lookups and changes that one client address may make in ten minutes. 0 is no limit."""
    manage_views_per_address: Annotated[int, _COUNT] = 20
    """Pages of bookings, by their links, that one client address may have read from Kordless in a minute, and pages of
    one booking. 0 is no limit. A third of the 60 lookups a minute: neither takes those of everybody else."""
    fetches_per_address: Annotated[
        int, Setting(integer_between(0, 100), "A whole number from 0 to 100; 0 for no limit.")
    ] = 15
    """Requests to Kordless that pages of one client address may cause in a minute. Three months of three services, none
    of them cached, cost 13. 0 is no limit.
    """
    lookups_per_number: Annotated[int, _COUNT] = 30
    lookups_per_number_and_address: Annotated[int, _COUNT] = 5
    """Failed lookups of one confirmation number in an hour, by anybody and by one client address. 0 is no limit."""
    bookings_per_contact: Annotated[int, _COUNT] = 5
    bookings_per_contact_daily: Annotated[int, _COUNT] = 20
    """Bookings and moves of one email address or phone number in ten minutes, and in a day. 0 is no limit."""
    minimum_fill_seconds: Annotated[float, Setting(number_between(0, 5), "A number of seconds from 0 to 5.")] = 1.0
    """Seconds between showing a form and sending it to Kordless. A quicker form is held for the rest."""
    spam_check: Annotated[
        str, Setting(matching(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+"), "The dotted path of a function of request and form.")
    ] = ""
    """Dotted path of the site's own spam check."""
    spam_check_origins: Annotated[
        tuple[str, ...],
        Setting(
            lambda value: isinstance(value, list | tuple) and all(map(is_origin, value)),
            'A list of origins such as "https://challenge.example".',
            _sorted_tuple,
        ),
    ] = ()
    """Origins that the script of the spam check is loaded from. Sorted."""
    webhook_secrets: Annotated[
        tuple[Secret, ...],
        Setting(
            lambda value: all(map(matching(r"\S(.{0,498}\S)?"), as_tuple(value))),
            "The secret of the webhook, or a list of the new and the old one; none of them empty.",
            lambda value: tuple(map(Secret, as_tuple(value))),
            secret=True,
        ),
    ] = ()
    """Secrets of the webhook: several while one replaces another. Without one, no delivery is accepted."""
    webhook_signed_payload: Annotated[str, _one_of("timestamp.body", "body")] = "timestamp.body"
    """Payload that Kordless signs."""
    webhook_signature_encoding: Annotated[str, _one_of("hex", "base64")] = "hex"
    """Encoding of the signature."""
    funnel: Annotated[bool, _BOOL] = True
    """Count visits, by the step that they reach."""
    attempt_retention_days: Annotated[int, _days(MIN_ATTEMPT_DAYS)] = 90
    """Days that booking attempts are kept after their last change; 0 is for ever."""
    delivery_retention_days: Annotated[int, _days(MIN_DELIVERY_DAYS)] = 90
    """Days that deliveries are kept, and known bookings after their time; 0 is for ever."""
    count_retention_days: Annotated[int, _days(MIN_COUNT_DAYS)] = 400
    """Days that the funnel's counts, and those of rejected deliveries, are kept; 0 is for ever."""
    consent_retention_days: Annotated[int, _days(MIN_CONSENT_DAYS)] = 1095
    """Days that proofs of consent are kept; 0 is for ever. Three years, in which claims can be made in many countries.
    """
    warming: Annotated[bool, _BOOL] = True
    """Refresh in the background what is popular, before a visitor has to wait for it. Needs `funnel`."""
    mail: Annotated[bool, _BOOL] = False
    """Send mail to customers from this site, besides Kordless's own."""
    mail_from: Annotated[
        str, Setting(is_sender, 'An email address, with or without a name: "Salon <bookings@salon.example>".')
    ] = ""
    """Sender of mails; "" for Django's DEFAULT_FROM_EMAIL."""
    site_url: Annotated[
        str,
        Setting(
            is_site_url,
            "An https:// URL, perhaps with a path, but no query; http:// only for this machine.",
            _strip_slash,
        ),
    ] = ""
    """URL of the site for links that leave it, without a trailing slash. `mail`, `messenger` and `index` need it."""
    inline_style: Annotated[bool, _BOOL] = True
    """The widget's own pages have their style sheet in their head, allowed by its hash, instead of linking it."""
    index: Annotated[bool, _BOOL] = False
    """Let search engines list the list of services and the page of each service."""
    reminder_hours: Annotated[
        int, Setting(integer_between(0, 336), "A whole number of hours from 1 to 336; 0 for no reminder.")
    ] = 24
    """Hours before an appointment at which its reminder is due. 0 is no reminder."""
    mails_per_recipient: Annotated[int, _COUNT] = 20
    """Mails that the site sends to one address in 24 hours, and messages to one phone number. 0 is no limit."""
    staff_email: Annotated[
        tuple[str, ...],
        Setting(
            lambda value: 0 < len(as_tuple(value)) <= MAX_STAFF_ADDRESSES and all(map(is_address, as_tuple(value))),
            f'An email address such as "desk@salon.example", or a list of at most {MAX_STAFF_ADDRESSES}.',
            as_tuple,
        ),
    ] = ()
    """Addresses of staff that get a mail about each change of a booking. None by default."""
    prefill: Annotated[str, Setting(matching(_DOTTED_PATH), "The dotted path of a function of the request.")] = ""
    """Dotted path of the site's function that knows the visitor, for the contact form; "" for none."""
    messenger: Annotated[
        str, Setting(matching(_DOTTED_PATH), "The dotted path of a function of to, text, kind and booking.")
    ] = ""
    """Dotted path of the site's function that sends text messages to phones; "" for none."""
    messenger_for: Annotated[str, _one_of("without_email", "all")] = "without_email"
    """Bookings whose customers get messages: those without a usable email address, or all with a phone number."""
    trusted_proxies: Annotated[int, Setting(integer_between(0, 20), "A whole number from 0 to 20.")] = 0
    """Number of proxies in front of the site, to find the client address in X-Forwarded-For."""

    @property
    def notifies(self) -> bool:
        """True when the site sends mails or messages to customers."""
        return self.mail or bool(self.messenger)

    @property
    def keeps_appointments(self) -> bool:
        """True when the site sends anything about bookings, to customers or to staff, and stores them for it."""
        return self.notifies or bool(self.staff_email)

    def __hash__(self) -> int:
        """Hash two fields only: each request looks up its account, and hashing all fields would take longer."""
        return hash((self.name, self.org_slug))

    def color_of(self, organization: "Organization | None") -> str | None:
        """Return the color of the account's pages and mails: ACCENT, else the organization's, which isn't validated."""
        return self.accent or (organization.branding.primary_color if organization else None)

    def service_settings(self, slug: str) -> ServiceSettings:
        """Return the settings of a service: its own in SERVICES, over the account's. Any slug will do."""
        own = self.services.get(slug, {})
        return ServiceSettings(
            contact_fields=ContactFields.from_setting({**self.contact_fields, **own.get("CONTACT_FIELDS", {})}),
            guests=own.get("GUESTS", self.guests),
            book_again_weeks=own.get("BOOK_AGAIN_WEEKS", self.book_again_weeks),
        )

    def extension_setting(self, key: str) -> Any:
        """Return the value of an extension's setting. Raises KeyError for a key that no extension has registered."""
        rule = dict(hooks.setting_rules.items())[key]
        # Read here, and not with the other settings: an extension registers its rules after the first may be read.
        return rule.convert(read_value(rule.is_valid, self.given[key])) if key in self.given else rule.default

    @property
    def asks_for_answers(self) -> bool:
        """True where the form of any service may ask questions, or for guests."""
        return bool(self.questions or self.guests or any(own.get("GUESTS") for own in self.services.values()))

    def asked_contacts(self) -> tuple[str, ...]:
        """Return which of "email" and "phone" the forms of this account ask for, in this order, of all services."""
        every = {name for slug in ("", *self.services) for name in self.service_settings(slug).contact_fields.contacts}
        return tuple(sorted(every))


_NO_SETTINGS: Final = frozenset({"name", "given"})
"""Fields of Account that aren't settings."""


def _declared_settings() -> dict[str, Setting]:
    # A field without Annotated[…] fails here, at import.
    return {
        column.name.upper(): get_args(column.type)[1] for column in fields(Account) if column.name not in _NO_SETTINGS
    }


SETTINGS: Final[Mapping[str, Setting]] = _declared_settings()
"""Rules of all settings by name, in the order of the table."""


@dataclass(frozen=True)
class SettingError:
    """One error in the settings."""

    kind: str
    """Key of `checks._IDS`, which determines the id of the system check."""
    text: str
    """Description of the error, with the key."""
    hint: str
    """Advice: the value to write instead."""


_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def accounts() -> Mapping[str, Account]:
    """Return all accounts by name. Raises ImproperlyConfigured with the first error if the settings are unusable."""
    return _accounts()


def get_account(name: str | None) -> Account:
    """Return the account with this name, or for a namespace that ends with it. With one account, any name will do.

    Raises ImproperlyConfigured if there are several accounts and none has this name.
    """
    found = accounts()
    if len(found) == 1:
        return next(iter(found.values()))
    name = name and name.rpartition(":")[2]
    if name is None or name not in found:
        raise ImproperlyConfigured(
            f"Unknown KORDLESS_BOOKING account {name!r}. Mount the URLs with "
            f"include('kordless_booking.urls', namespace=…) and one of: {', '.join(sorted(found))}."
        )
    return found[name]


def is_given(account: Account, key: str) -> bool:
    """Return whether the settings contain this key for the account, even with its default as the value."""
    raw = _raw()
    own = raw.get("ACCOUNTS", {}).get(account.name, {})
    return any(given.get(key) not in (None, "") for given in (raw, own))


def accounts_sharing_secret(account: Account) -> list[str]:
    """Return the names of the other accounts that have one of this account's webhook secrets."""
    return [
        other.name
        for other in accounts().values()
        if other.name != account.name and not set(account.webhook_secrets).isdisjoint(other.webhook_secrets)
    ]


def find_errors(raw: object) -> list[SettingError]:
    """Return all errors in a KORDLESS_BOOKING value, in reading order; an empty list if there are none."""
    if not isinstance(raw, Mapping):
        return [
            SettingError(
                "missing",
                "KORDLESS_BOOKING is not set.",
                'Add KORDLESS_BOOKING = {"API_KEY": "…", "ORG_SLUG": "your-org"} to your settings, '
                'or {"SANDBOX": True} to try it without a Kordless account.',
            )
        ]
    alone = "ACCOUNTS" not in raw
    by_name = raw.get("ACCOUNTS")
    if not alone and (not isinstance(by_name, Mapping) or not by_name):
        return [
            SettingError(
                "wrong",
                'KORDLESS_BOOKING["ACCOUNTS"] contains no account.',
                'Write {"name": {"API_KEY": "…", "ORG_SLUG": "…"}}, or remove ACCOUNTS if there is only one.',
            )
        ]
    return [error for name, values in _sections(raw) for error in _account_errors(name, values, alone=alone)]


def _sections(raw: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield each account's name and its settings, merged over the shared defaults."""
    if "ACCOUNTS" not in raw:
        yield DEFAULT_ACCOUNT, raw
        return
    shared = {key: value for key, value in raw.items() if key != "ACCOUNTS"}
    for name, own in raw["ACCOUNTS"].items():
        # An account that is no dictionary is passed on as it is: `_account_errors` reports it.
        yield str(name), {**shared, **own} if isinstance(own, Mapping) else own


def _missing_credentials(where: str, values: Mapping[str, Any]) -> Iterator[SettingError]:
    if not values.get("API_KEY"):
        yield SettingError(
            "api_key",
            f"{where} has no API_KEY.",
            'Create a key in Kordless and set "API_KEY", or set "SANDBOX": True to try it without an account.',
        )
    if not values.get("ORG_SLUG"):
        yield SettingError(
            "org_slug",
            f"{where} has no ORG_SLUG.",
            'Set "ORG_SLUG" to your organization\'s slug: the last part of its Kordless booking address.',
        )


def _hint_at_key(key: str, names: list[str]) -> str:
    if app := OPTIONAL_APP_OF_KEY.get(key):
        return f'It belongs to "kordless_booking.contrib.{app}": add that to INSTALLED_APPS, or remove the key.'
    matches = difflib.get_close_matches(key.upper(), names, n=1, cutoff=0.5)
    return f"Did you mean {matches[0]}?" if matches else f"Known keys: {', '.join(names)}."


def _public_cache_errors(where: str, values: Mapping[str, Any]) -> Iterator[SettingError]:
    if values.get("PUBLIC_CACHE_SECONDS") and values.get("BASE_TEMPLATE"):
        yield SettingError(
            "wrong",
            f"{where}: PUBLIC_CACHE_SECONDS is set together with BASE_TEMPLATE.",
            "Remove one of them: a template of your site may show who is logged in, and a CDN would show it to all.",
        )


def _account_errors(name: str, values: object, *, alone: bool) -> Iterator[SettingError]:
    where = "KORDLESS_BOOKING" if alone else f'KORDLESS_BOOKING["ACCOUNTS"]["{name}"]'
    if not _NAMESPACE.fullmatch(name):
        yield SettingError("wrong", f"{where}: invalid account name.", "Letters, digits, -, _ and . only.")
    if not isinstance(values, Mapping):
        yield SettingError("wrong", f"{where} is not a dictionary.", "Give it API_KEY and ORG_SLUG.")
        return
    rules: dict[str, Setting | hooks.ExtensionSetting] = {**dict(hooks.setting_rules.items()), **SETTINGS}
    names = sorted({*rules, "ACCOUNTS"} if alone else rules)
    # A key that is unknown is reported, but doesn't stop the site: see `_accounts`.
    for key in values:
        if key not in rules:
            yield SettingError("unknown", f"{where} has an unknown key {key!r}.", _hint_at_key(str(key), names))
    if not values.get("SANDBOX"):
        yield from _missing_credentials(where, values)
    values = _read_values(values, rules)
    # An empty string counts as absent, for settings read from the environment. Not so for a secret: a site that sets
    # one must not run without.
    absent = {key for key in values if values[key] is None or (values[key] == "" and key != "WEBHOOK_SECRETS")}
    wrong = {
        key
        for key, setting in rules.items()
        if key in values and key not in absent and not setting.is_valid(values[key])
    }
    for key, setting in rules.items():
        if key in wrong:
            yield SettingError("wrong", *_describe_wrong_value(f"{where}: {key} is invalid", setting, key, values))
    if values.get("MAIL") is True and not values.get("SITE_URL"):
        yield SettingError(
            "wrong",
            f"{where}: MAIL is on, but SITE_URL is missing.",
            'Set "SITE_URL" to the URL of your site, such as "https://salon.example": mails link to it.',
        )
    if values.get("MESSENGER") and "MESSENGER" not in wrong and not values.get("SITE_URL"):
        yield SettingError(
            "wrong",
            f"{where}: MESSENGER is set, but SITE_URL is missing.",
            'Set "SITE_URL" to the URL of your site, such as "https://salon.example": messages link to it.',
        )
    if values.get("INDEX") is True and not values.get("SITE_URL"):
        yield SettingError(
            "wrong",
            f"{where}: INDEX is on, but SITE_URL is missing.",
            'Set "SITE_URL" to the URL of your site, such as "https://salon.example": search engines list it.',
        )
    yield from _public_cache_errors(where, values)
    # Zero is rejected above, so `or` replaces only absent values.
    requests = values.get("REQUESTS_PER_MINUTE") or Account.requests_per_minute
    creations = values.get("CREATIONS_PER_MINUTE") or Account.creations_per_minute
    if wrong.isdisjoint({"REQUESTS_PER_MINUTE", "CREATIONS_PER_MINUTE"}) and creations >= requests:
        yield SettingError(
            "wrong",
            f"{where}: CREATIONS_PER_MINUTE must be less than REQUESTS_PER_MINUTE.",
            "Creations count as requests too, and pages need requests as well: "
            f"{CREATIONS_PER_MINUTE} of {REQUESTS_PER_MINUTE} unless agreed otherwise.",
        )
    yield from _decreasing_lifetimes(where, values, wrong)
    if wrong.isdisjoint({"CONTACT_FIELDS", "SERVICES"}):
        yield from _unreachable_customers(where, values)


def _read_values(values: Mapping[Any, Any], rules: Mapping[str, Setting | hooks.ExtensionSetting]) -> Mapping[Any, Any]:
    return {key: read_value(rules[key].is_valid, value) if key in rules else value for key, value in values.items()}


def _describe_wrong_value(
    where: str, setting: Setting | hooks.ExtensionSetting, key: str, values: Mapping[Any, Any]
) -> tuple[str, str]:
    """Return the text and the hint for an invalid value: both show what was written, as far as it is no secret."""
    value = values[key]
    if setting.secret:
        return f"{where}.", setting.hint
    if isinstance(setting, Setting) and setting.explain:
        # Shows the wrong part itself.
        return f"{where}.", _without_secrets(setting.explain(value), values)
    hint = setting.hint
    if isinstance(setting, Setting) and isinstance(value, str):
        near = difflib.get_close_matches(value.lower(), setting.choices, n=1)
        hint = f'Did you mean "{near[0]}"? {hint}' if near else hint
    shown = reprlib.repr(value)
    if isinstance(value, list | tuple | set | frozenset):
        # Where single entries are wrong, the first of them tells more than the list.
        wrong = [entry for entry in value if not setting.is_valid([entry])]
        if wrong:
            shown = f"its entry {reprlib.repr(wrong[0])}"
    return f"{where}: {_without_secrets(shown, values)}.", hint


_USER_INFO: Final = re.compile(r"(://)[^/@]*@")


def _without_secrets(text: str, values: Mapping[Any, Any]) -> str:
    """Return a text without passwords in URLs; "a secret" where it repeats the key or a webhook secret.

    Settings get mixed up, and messages end up in logs. Eight characters of a secret are enough to hide the text.
    """
    for key in ("API_KEY", "WEBHOOK_SECRETS"):
        for secret in as_tuple(values.get(key)):
            # reprlib keeps the beginning and the end of a long text.
            if isinstance(secret, str) and secret and (secret in text or any(_edges(secret, text))):
                return "a secret"
    return _USER_INFO.sub(r"\1…@", text)


def _edges(secret: str, text: str) -> Iterator[bool]:
    if len(secret) >= 8:
        yield secret[:8] in text
        yield secret[-8:] in text


def _unreachable_customers(where: str, values: Mapping[Any, Any]) -> Iterator[SettingError]:
    """Yield an error for each form, the account's and those of single services, that asks for no contact at all."""
    shared = values.get("CONTACT_FIELDS") or {}
    services = values.get("SERVICES") or {}
    forms = [("CONTACT_FIELDS", shared)]
    # A service that says nothing of the two has what the account has, where it is reported once.
    forms += [
        (f'SERVICES["{slug}"]', {**shared, **fields})
        for slug, own in services.items()
        if {"email", "phone"} & (fields := own.get("CONTACT_FIELDS", {})).keys()
    ]
    for key, given in forms:
        if hides_both_contacts(given):
            yield SettingError(
                "wrong",
                f'{where}: {key} has "email" and "phone" both "hidden".',
                "Kordless takes no booking without one of them, and nobody could find the booking again: show one.",
            )


def _decreasing_lifetimes(where: str, values: Mapping[Any, Any], wrong: set[str]) -> Iterator[SettingError]:
    """Yield an error for each age that is less than the one before it. Skips lifetimes with a `wrong` value."""
    for names in _LIFETIMES:
        if not wrong.isdisjoint(names):
            continue
        ages = [values.get(name) or getattr(Account, name.lower()) for name in names]
        for (shorter, low), (longer, high) in pairwise(zip(names, ages, strict=True)):
            if high < low:
                yield SettingError(
                    "wrong",
                    f"{where}: {longer} is less than {shorter}.",
                    f"Both count from the time of the request to Kordless: set {longer} to {low} or more.",
                )


_LIFETIMES: Final = (
    ("CATALOG_FRESH_SECONDS", "CATALOG_STALE_SECONDS", "CATALOG_STALE_IF_ERROR_SECONDS"),
    ("SLOTS_FRESH_SECONDS", "SLOTS_STALE_SECONDS", "SLOTS_STALE_IF_ERROR_SECONDS", "SLOTS_LAST_KNOWN_SECONDS"),
)
"""Ages until which a cached value is fresh, served while it is refreshed, and served in an outage: never decreasing."""


@cache
def _accounts() -> Mapping[str, Account]:
    # A site with a misspelled key still runs, with the default. The system check reports it.
    fatal = [error for error in find_errors(_raw()) if error.kind != "unknown"]
    if fatal:
        # No variable here holds the settings: Django's debug page would print the key with them.
        raise ImproperlyConfigured(f"{fatal[0].text} {fatal[0].hint}")
    return {name: _account(name, values) for name, values in _sections(_raw())}


def _raw() -> Any:
    return getattr(settings, "KORDLESS_BOOKING", None)


def _account(name: str, values: object) -> Account:
    assert isinstance(values, Mapping)  # noqa: S101 (find_errors has rejected anything else)
    present = {key: value for key, value in values.items() if value not in (None, "")}
    own = {
        key.lower(): rule.convert(read_value(rule.is_valid, value))
        for key, value in present.items()
        if (rule := SETTINGS.get(key))
    }
    return Account(name=name, given={key: present[key] for key in present.keys() - SETTINGS.keys()}, **own)


on_setting_change({"KORDLESS_BOOKING", "CACHES", "SECRET_KEY"}, _accounts.cache_clear)
