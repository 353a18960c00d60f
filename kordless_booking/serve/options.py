"""Options of `kordless-booking`: what each is called, which values it accepts, and what it means.

An option comes from the environment, or from a TOML file, where its name may be in small letters. Both are read as
text by the same rule. A message about a wrong value repeats it, unless it is a secret.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import global_settings
from django.utils.translation import to_language

from kordless_booking import conf

CONTRIB_APPS: Final = ("waitlist", "customers", "assistant", "json_api", "mcp")
"""Optional apps that APPS may name: the packages of `kordless_booking.contrib`."""
ON: Final = frozenset({"1", "true", "yes", "on"})
OFF: Final = frozenset({"0", "false", "no", "off"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and what Python makes of a variable's bytes that aren't UTF-8: no file or page could have it."""


class InvalidValue(ValueError):
    """Raised by a reader. The text says which values the option accepts, and repeats nothing of the wrong one."""


Reader = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option. An empty text counts as not set."""

    name: str
    """Name of the variable."""
    read: Reader
    """Function from a text to the value. Raises InvalidValue."""
    purpose: str
    """One sentence for docs/serve.md and the example file."""
    default: Any = None
    secret: bool = False
    """True where no message may show the value."""
    key: str = ""
    """Key in KORDLESS_BOOKING that has the value; "" for none."""


def read_text(text: str) -> str:
    """Return the text. Raises InvalidValue for line breaks, other control characters, and what isn't UTF-8."""
    if _CONTROL.search(text):
        raise InvalidValue("It must be a single line of UTF-8 text.")
    return text


def read_flag(text: str) -> bool:
    """Return True for 1, true, yes and on, False for their opposites."""
    if text.lower() in ON:
        return True
    if text.lower() in OFF:
        return False
    raise InvalidValue("Set it to 1 or 0.")


def read_list(text: str) -> list[str]:
    """Return the entries between commas, without the empty ones."""
    return [entry.strip() for entry in read_text(text).split(",") if entry.strip()]


def read_number(low: int, high: int) -> Reader:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        # No more digits than that: int() of a long text takes quadratic time.
        if not re.fullmatch("[0-9]{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise InvalidValue(f"Set it to a whole number from {low} to {high}.")
        return int(text)

    return read


def read_word(*words: str) -> Reader:
    """Return a reader of one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise InvalidValue(f"Set it to one of: {', '.join(words)}.")
        return text

    return read


def read_words(*words: str) -> Reader:
    """Return a reader of a list of these words."""

    def read(text: str) -> list[str]:
        if not set(found := read_list(text)) <= set(words):
            raise InvalidValue(f"Set it to some of: {', '.join(words)}.")
        return found

    return read


def read_setting(key: str, read: Reader = read_text) -> Reader:
    """Return a reader of a value that this key of KORDLESS_BOOKING accepts."""
    rule = conf.SETTINGS[key]

    def read_valid(text: str) -> Any:
        value = conf.read_value(rule.is_valid, read(text))
        if not rule.is_valid(value):
            raise InvalidValue(rule.hint)
        return value

    return read_valid


def read_languages(text: str) -> list[str]:
    """Return language codes that visitors can be given."""
    known = known_languages()
    found = [code.lower().replace("_", "-") for code in read_list(text)]
    if not set(found) <= set(known):
        raise InvalidValue(f"Set it to some of: {', '.join(known)}.")
    return found


def read_language(text: str) -> str:
    """Return one language code that visitors can be given."""
    if len(found := read_languages(text)) != 1:
        raise InvalidValue("Set it to one language, such as de.")
    return found[0]


def known_languages() -> list[str]:
    """Return the codes of the languages that both the widget and Django have, and of their regional ones."""
    folders = (Path(__file__).parent.parent / "locale").iterdir()
    own = {"en", *(to_language(folder.name) for folder in folders if folder.is_dir())}
    return sorted(
        code for code, _name in global_settings.LANGUAGES if code in own or code.partition("-")[0] in own - {"zh", "pt"}
    )


def read_zone(text: str) -> str:
    """Return the name of a time zone."""
    if text not in _known_zones():
        raise InvalidValue("Set it to the name of a time zone, such as Europe/Berlin.")
    return text


@cache
def _known_zones() -> set[str]:
    # Reads hundreds of files.
    return zoneinfo.available_timezones()


def read_site_url(text: str) -> str:
    """Return an origin without a slash at its end."""
    url = text.rstrip("/")
    if not conf.is_site_url(url) or urlsplit(url).path:
        raise InvalidValue("Set it to https:// and a host: https://book.salon.example; http:// only on localhost.")
    return url


_PROXY_HEADER: Final = re.compile(r"HTTP_[A-Z0-9_]+\s*,\s*[a-z]+", re.ASCII)


def read_proxy_header(text: str) -> tuple[str, str]:
    """Return a header, as in META, and its value."""
    if not _PROXY_HEADER.fullmatch(text):
        # Another form would be ignored without a word, and every page would seem to be on http.
        raise InvalidValue("Set it to a header and a value: HTTP_X_FORWARDED_PROTO,https.")
    header, _, value = text.partition(",")
    return header.strip(), value.strip()


def read_database(text: str) -> dict[str, Any]:
    """Return Django's settings of a database. Raises InvalidValue also where its client isn't installed."""
    try:
        import dj_database_url  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InvalidValue('Its reader is missing: pip install "kordless-booking[serve]".') from None
    try:
        found: dict[str, Any] = {**dj_database_url.parse(read_text(text))}
    except (ValueError, KeyError):
        raise InvalidValue("Set it to a URL such as postgres://user:password@host/name.") from None
    if not found.get("ENGINE") or not found.get("NAME"):
        raise InvalidValue("Set it to a URL with the name of a database, such as postgres://user:password@host/name.")
    if found["ENGINE"].endswith("postgresql") and not _is_installed("psycopg"):
        raise InvalidValue('PostgreSQL needs its client: pip install "kordless-booking[serve,postgres]".')
    return found


def read_redis(text: str) -> str:
    """Return the URL of a Redis server. Raises InvalidValue also where its client isn't installed."""
    if not _is_url(text, {"redis", "rediss", "unix"}):
        raise InvalidValue("Set it to a URL such as redis://127.0.0.1:6379/0.")
    if not _is_installed("redis"):
        raise InvalidValue('Its client is missing: pip install "kordless-booking[serve]".')
    return text


_TLS_OF_SCHEME: Final = {"smtp": "", "smtp+tls": "use_tls", "smtps": "use_ssl"}
_SMTP_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def read_mail_server(text: str) -> dict[str, Any]:
    """Return the arguments of Django's SMTP backend for a URL such as smtp+tls://name:password@mail.example:587.

    smtp:// is without encryption, smtp+tls:// with STARTTLS, smtps:// with TLS from the start.
    """
    hint = "Set it to a URL such as smtp+tls://name:password@mail.example:587, or smtps://… for TLS from the start."
    if not _is_url(text, set(_TLS_OF_SCHEME)):
        raise InvalidValue(hint)
    parts = urlsplit(text)
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidValue(hint)
    return build_mail_server(
        host=parts.hostname,
        port=parts.port or _SMTP_PORTS[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=_TLS_OF_SCHEME[parts.scheme],
    )


MAIL_SECONDS: Final = 20
"""Timeout of a mail server. Without one, a server that hangs would hang the process that sends."""


def build_mail_server(*, host: str, port: int, username: str, password: str, tls: str) -> dict[str, Any]:
    """Return the arguments of Django's SMTP backend. `tls` is "use_tls", "use_ssl" or ""."""
    return {
        "host": host,
        "port": port,
        "username": username,
        "password": password,
        "use_tls": tls == "use_tls",
        "use_ssl": tls == "use_ssl",
        "timeout": MAIL_SECONDS,
    }


def _is_url(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(read_text(text))
        # Reading the port raises for what is none.
        found = parts.scheme in schemes and parts.port != 0
    except ValueError:
        return False
    return found


def _is_installed(package: str) -> bool:
    try:
        __import__(package)
    except ImportError:
        return False
    return True


def _booking_option(key: str, purpose: str, read: Reader = read_text, **more: Any) -> Option:
    return Option(name=key, read=read_setting(key, read), purpose=purpose, key=key, **more)


SECTIONS: Final[Mapping[str, tuple[Option, ...]]] = {
    "Your Kordless account": (
        Option(
            name="KORDLESS_API_KEY",
            read=read_setting("API_KEY"),
            purpose="The API key that you create in Kordless. Required.",
            secret=True,
            key="API_KEY",
        ),
        Option(
            name="KORDLESS_ORG_SLUG",
            read=read_setting("ORG_SLUG"),
            purpose="Your organization's slug in Kordless. Required.",
            key="ORG_SLUG",
        ),
        Option(
            name="KORDLESS_WEBHOOK_SECRET",
            read=read_setting("WEBHOOK_SECRETS", read_list),
            purpose="Secret of the webhook that you set up in Kordless for `/webhook/`; several with commas.",
            secret=True,
            key="WEBHOOK_SECRETS",
        ),
        Option(
            name="KORDLESS_BASE_URL",
            read=read_setting("BASE_URL"),
            purpose="URL of the Booking API, if it isn't the usual one.",
            key="BASE_URL",
        ),
        Option(
            name="KORDLESS_SANDBOX",
            read=read_flag,
            purpose="1 for a first look without an account: an invented business, whose bookings reach nobody.",
            default=False,
        ),
    ),
    "Your site": (
        Option(
            name="SITE_URL",
            read=read_site_url,
            purpose="The address that visitors open, such as `https://book.salon.example`. Required.",
        ),
        Option(
            name="ALLOWED_HOSTS",
            read=read_list,
            purpose="Further hosts that the site answers, besides that of `SITE_URL` and this machine.",
            default=(),
        ),
        Option(
            name="TRUSTED_PROXIES",
            read=read_setting("TRUSTED_PROXIES"),
            purpose="How many proxies in front append to `X-Forwarded-For`. Required where `SITE_URL` is https.",
            default=0,
            key="TRUSTED_PROXIES",
        ),
        Option(
            name="SECURE_PROXY_SSL_HEADER",
            read=read_proxy_header,
            purpose="Header and value by which the proxy says that it was reached over https: "
            "`HTTP_X_FORWARDED_PROTO,https`. Required where `SITE_URL` is https. The proxy must always set it.",
        ),
        Option(
            name="HSTS_SECONDS",
            read=read_number(0, 63_072_000),
            purpose="Seconds for which browsers use nothing but https for this host, once they were here; 0 for never.",
            default=2_592_000,
        ),
        Option(
            name="SECRET_KEY",
            read=read_text,
            purpose="Encrypts what is stored. Without it, one is made and kept in the state folder. "
            "Required where `DATABASE_URL` names a server.",
            secret=True,
        ),
        Option(
            name="SECRET_KEY_FALLBACKS",
            read=read_list,
            purpose="Former values of `SECRET_KEY`, so that what they encrypted can still be read.",
            default=(),
            secret=True,
        ),
    ),
    "Looks and texts": (
        _booking_option("THEME", "A theme: `salon`, `clinic` or `studio`."),
        _booking_option("ACCENT", "Your color, such as `#1f6f5c`; that of Kordless by default."),
        Option(
            name="LANGUAGES",
            read=read_languages,
            purpose="Languages that visitors get if their browser asks for them, such as `en,de`; all that there are "
            "by default.",
        ),
        Option(
            name="LANGUAGE_CODE",
            read=read_language,
            purpose="Language of everybody else, of the admin, and of mail to staff; English by default.",
        ),
        Option(
            name="TIME_ZONE",
            read=read_zone,
            purpose="Time zone of the admin, such as `Europe/Berlin`. Visitors see their own, or the business's.",
            default="UTC",
        ),
        _booking_option("PRIVACY_URL", "Your privacy policy, linked at the button that books."),
        _booking_option("TERMS_URL", "Your terms, in the same sentence."),
        _booking_option("SUPPORT_EMAIL", "Shown to visitors when something goes wrong."),
        _booking_option("SUPPORT_PHONE", "Shown to visitors when something goes wrong."),
        _booking_option("PHONE_REGION", "Country of phone numbers without a country code, such as `DE`."),
        _booking_option(
            "EMBED_ORIGINS",
            "Websites that may embed the widget, with commas: `https://salon.example`.",
            read_list,
        ),
        _booking_option("INDEX", "1 to let search engines list your services; there is a sitemap then.", read_flag),
        _booking_option(
            "NEXT_FREE",
            "Whether the list of services says when each is free next, as far as it is known without asking Kordless.",
            read_flag,
            default=True,
        ),
        Option(
            name="APPS",
            read=read_words(*CONTRIB_APPS),
            purpose=f"Optional features, with commas: {', '.join(f'`{name}`' for name in CONTRIB_APPS)}.",
            default=(),
        ),
    ),
    "Mail": (
        Option(
            name="EMAIL_URL",
            read=read_mail_server,
            purpose="Your mail server: `smtp+tls://name:password@mail.example:587`, or `smtps://` for TLS at once. "
            "With it, the site writes to customers.",
            secret=True,
        ),
        Option(name="EMAIL_HOST", read=read_text, purpose="The same in parts, instead of `EMAIL_URL`: the host."),
        Option(name="EMAIL_PORT", read=read_number(1, 65535), purpose="Its port."),
        Option(name="EMAIL_HOST_USER", read=read_text, purpose="The name to log in with."),
        Option(name="EMAIL_HOST_PASSWORD", read=read_text, purpose="The password.", secret=True),
        Option(name="EMAIL_USE_TLS", read=read_flag, purpose="1 for STARTTLS.", default=False),
        Option(name="EMAIL_USE_SSL", read=read_flag, purpose="1 for TLS from the start.", default=False),
        _booking_option("MAIL_FROM", "Sender, such as `Salon <bookings@salon.example>`. Required with a mail server."),
        Option(
            name="MAIL",
            read=read_flag,
            purpose="0 for no mail to customers, because Kordless writes to them; mail to staff is sent all the same.",
        ),
        _booking_option("STAFF_EMAIL", "Addresses that get a mail about each change, with commas.", read_list),
        _booking_option("REMINDER_HOURS", "Hours before an appointment at which its reminder is sent; 0 for none."),
    ),
    "The server": (
        Option(
            name="LISTEN_HOST",
            read=read_text,
            purpose="Address to listen on; `0.0.0.0` in a container.",
            default="127.0.0.1",
        ),
        Option(name="PORT", read=read_number(1, 65535), purpose="Port to listen on.", default=8000),
        Option(
            name="WEB_CONCURRENCY",
            read=read_number(1, 64),
            purpose="Number of processes. Give them a `REDIS_URL` where there are several.",
            default=1,
        ),
        Option(name="THREADS", read=read_number(1, 256), purpose="Threads of each process.", default=32),
        Option(
            name="STATE_FOLDER",
            read=read_text,
            purpose="Folder for what must survive an upgrade: SQLite's database, the kept secret key, collected files. "
            "By default what systemd gives (`StateDirectory`), else `kordless-state` in the current folder.",
        ),
        Option(
            name="DATABASE_URL",
            read=read_database,
            purpose="A database server; SQLite in the state folder by default.",
            secret=True,
        ),
        Option(name="REDIS_URL", read=read_redis, purpose="Cache that all processes share.", secret=True),
        Option(
            name="LOG_FORMAT", read=read_word("text", "json"), purpose="`json` for one object per line.", default="text"
        ),
    ),
}
"""All options, by the heading in docs/serve.md and in the example file."""
OPTIONS: Final[Mapping[str, Option]] = {option.name: option for group in SECTIONS.values() for option in group}
