"""Configuration of the site, from the environment and a TOML file, and everything that is wrong with it at once.

The environment wins over the file. KORDLESS_CONFIG names the file; `--config` sets it, so that server processes read
the same. The file has the options as keys, and a table `[booking]` with further keys of KORDLESS_BOOKING::

    kordless_org_slug = "acme-salon"
    site_url = "https://book.acme.example"

    [booking]
    BOOK_AGAIN_WEEKS = 6
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kordless_booking import conf
from kordless_booking.serve.options import OPTIONS, InvalidValue, Option, build_mail_server

CONFIG: Final = "KORDLESS_CONFIG"
"""Variable with the path of the TOML file."""
BOOKING: Final = "booking"
"""Table of the file with keys of KORDLESS_BOOKING."""
MIN_SECRET_CHARACTERS: Final = 32
OPTION_OF_KEY: Final[Mapping[str, str]] = {
    **{option.key: name for name, option in OPTIONS.items() if option.key},
    "SITE_URL": "SITE_URL",
    "SANDBOX": "KORDLESS_SANDBOX",
    "MAIL": "MAIL",
    "PROCESSES": "WEB_CONCURRENCY",
}
"""Keys of KORDLESS_BOOKING that options decide."""
_INTEGER_BITS: Final = 64
_NAMED_OTHERWISE: Final = {"workers": "web_concurrency", "host": "listen_host"}
"""Options that the command's flags give other names."""
_TOML_HINT: Final = 'Texts stand in quotation marks, as in theme = "salon".'
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
"""Hosts that every site answers: health checks of a container come to them."""


@dataclass(frozen=True)
class Configuration:
    """All options with their values, and what keeps the site from starting."""

    values: Mapping[str, Any]
    """By the name of the option. What isn't set, or is wrong, has its default."""
    booking: Mapping[str, Any]
    """Further keys of KORDLESS_BOOKING, from the file."""
    problems: tuple[str, ...]
    """One sentence or more for each, without values of secrets. Empty when the site may start."""

    def __getitem__(self, name: str) -> Any:
        """Return the value of an option."""
        return self.values[name]

    @property
    def site_url(self) -> str:
        """Address of the site, without a slash at its end; "" while it is unknown."""
        if self["SITE_URL"]:
            return str(self["SITE_URL"])
        named = [host for host in self["ALLOWED_HOSTS"] if not host.startswith(("*", "."))]
        if public := [host for host in named if not is_local_name(host)]:
            return f"https://{public[0]}"
        # On the sandbox, or with names of this machine only.
        return f"http://127.0.0.1:{self['PORT']}" if named or self["KORDLESS_SANDBOX"] else ""

    @property
    def is_https(self) -> bool:
        """True where visitors come over https, so that a proxy is in front."""
        return self.site_url.startswith("https://")

    @property
    def allowed_hosts(self) -> list[str]:
        """Hosts that the site answers."""
        own = urlsplit(self.site_url).hostname
        return list(dict.fromkeys([*([own] if own else []), *self["ALLOWED_HOSTS"], *LOCAL_NAMES]))

    @property
    def state_folder(self) -> Path:
        """Folder for what must survive an upgrade, absolute."""
        return Path(self["STATE_FOLDER"] or "kordless-state").absolute()

    @property
    def mail_server(self) -> dict[str, Any] | None:
        """Arguments of Django's SMTP backend, or None without a mail server."""
        if self["EMAIL_URL"]:
            return dict(self["EMAIL_URL"])
        if not self["EMAIL_HOST"]:
            return None
        tls = "use_tls" if self["EMAIL_USE_TLS"] else "use_ssl" if self["EMAIL_USE_SSL"] else ""
        return build_mail_server(
            host=self["EMAIL_HOST"],
            port=self["EMAIL_PORT"] or {"use_tls": 587, "use_ssl": 465}.get(tls, 25),
            username=self["EMAIL_HOST_USER"] or "",
            password=self["EMAIL_HOST_PASSWORD"] or "",
            tls=tls,
        )

    def kordless_booking(self) -> dict[str, Any]:
        """Return KORDLESS_BOOKING, as far as options say it."""
        named = {option.key: self[name] for name, option in OPTIONS.items() if option.key and self[name] is not None}
        settings: dict[str, Any] = {**self.booking, **named}
        if self.site_url:
            settings["SITE_URL"] = self.site_url
        if self["KORDLESS_SANDBOX"]:
            settings["SANDBOX"] = self.state_folder / "sandbox.sqlite3"
        if not self["REDIS_URL"]:
            settings["PROCESSES"] = self["WEB_CONCURRENCY"]
        settings["MAIL"] = bool(self.mail_server) and self["MAIL"] is not False
        return settings


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Return the configuration that these variables and their file say. Never raises for what is in them."""
    problems: list[str] = []
    read = _read_file(environment.get(CONFIG, "").strip(), problems)
    texts, booking = read or ({}, {})
    for name in OPTIONS:
        if given := environment.get(name, "").strip():
            texts[name] = given
    if "STATE_FOLDER" not in texts and (given := environment.get("STATE_DIRECTORY", "").partition(":")[0]):
        texts["STATE_FOLDER"] = given
    values = {name: _read_option(option, texts.get(name, ""), problems) for name, option in OPTIONS.items()}
    configuration = Configuration(values, booking, ())
    if read is not None:
        # What a file that can't be read leaves out, nobody knows.
        problems += _find_problems(configuration, texts.keys())
    # Keys of optional apps are unknown until their apps are loaded; Django's system checks have their turn then.
    errors = conf.find_errors({**booking, "SANDBOX": True}) if booking else []
    problems += [f"{error.text} {error.hint}" for error in errors if error.kind != "unknown"]
    return Configuration(values, booking, tuple(problems))


def is_local_name(host: str) -> bool:
    """Return True for a host that can only be this machine."""
    return host.strip("[]").lower() in {"localhost", "127.0.0.1", "::1"}


def _read_file(path: str, problems: list[str]) -> tuple[dict[str, str], dict[str, Any]] | None:
    """Return the options in the file, as texts, and its further settings; None where it can't be read."""
    if not path:
        return {}, {}
    try:
        parsed = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        _refuse_huge_integers(parsed)
    except OSError as error:
        problems.append(f"{CONFIG} is {path}, which can't be read: {error.strerror}.")
        return None
    except (ValueError, RecursionError) as error:
        # ValueError: besides the parser's own, for bytes that aren't UTF-8, and for an integer of thousands of digits.
        # The message has the line, and nothing of what stands there, which may be a secret.
        problems.append(f"{path} is not valid TOML: {_locate_error(error)}. {_TOML_HINT}")
        return None
    booking = parsed.pop(BOOKING, {})
    if not isinstance(booking, dict):
        problems.append(f"{BOOKING} in {path} must be a table: write [{BOOKING}] on a line of its own.")
        booking = {}
    texts = {}
    for key, value in parsed.items():
        name = key.upper()
        if name not in OPTIONS:
            problems.append(f"{path} has the unknown key {key!r}.{_hint_at(key)}")
        elif (text := _as_text(value)) is None:
            problems.append(f"{key} in {path} must be a text, a number, true or false, or a list of texts.")
        elif text:
            texts[name] = text
    for key in sorted(OPTION_OF_KEY.keys() & booking.keys()):
        name = OPTION_OF_KEY[key].lower()
        problems.append(f"{key} in [{BOOKING}] of {path} has an option of its own: write {name} above the table.")
    if "ACCOUNTS" in booking:
        problems.append(f"ACCOUNTS in [{BOOKING}] of {path}: this server is for one business. Start one for each.")
    return texts, {key: value for key, value in booking.items() if key not in {*OPTION_OF_KEY, "ACCOUNTS"}}


def _refuse_huge_integers(value: object) -> None:
    """Raise ValueError for an integer of more than 64 bits: TOML has none, and str() of a much longer one raises."""
    if isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            _refuse_huge_integers(entry)
    elif isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        raise ValueError


def _locate_error(error: Exception) -> str:
    """Return where a file can't be parsed."""
    found = str(error).rpartition("(")[2].rstrip(")")
    return found if found.startswith(("at line", "at end")) else type(error).__name__


def _hint_at(key: str) -> str:
    near = difflib.get_close_matches(key.lower(), [name.lower() for name in OPTIONS], n=1)
    if key.lower() in _NAMED_OTHERWISE:
        return f" Did you mean {_NAMED_OTHERWISE[key.lower()]}?"
    if near:
        return f" Did you mean {near[0]}?"
    if key.upper() in conf.SETTINGS:
        return f" It belongs in the table [{BOOKING}]."
    return ""


def _as_text(value: object) -> str | None:
    """Return a TOML value as the text that a variable would have; None for one that no variable could have."""
    match value:
        case bool():
            return "1" if value else "0"
        case int() | str():
            return str(value).strip()
        case list() if all(isinstance(entry, str) and "," not in entry for entry in value):
            return ",".join(value)
        case _:
            return None


def _read_option(option: Option, text: str, problems: list[str]) -> Any:
    if not text:
        return option.default
    try:
        return option.read(text)
    except InvalidValue as error:
        problem = "can't be used" if option.secret else f"is {text[:80]!r}, which can't be used"
        problems.append(f"{option.name} {problem}. {error}")
        return option.default


def _find_problems(configuration: Configuration, set_names: Any) -> Iterator[str]:
    """Yield what is missing, and what contradicts something else. `set_names` has the names of what is set."""
    yield from _find_account_problems(configuration, set_names)
    yield from _find_site_problems(configuration, set_names)
    yield from _find_secret_problems(configuration, set_names)
    yield from _find_mail_problems(configuration, set_names)


def _find_account_problems(configuration: Configuration, set_names: Any) -> Iterator[str]:
    if configuration["KORDLESS_SANDBOX"]:
        if "KORDLESS_API_KEY" in set_names:
            yield "KORDLESS_API_KEY is set, and the sandbox is on, whose bookings reach nobody. Remove one of them."
        return
    if "KORDLESS_API_KEY" not in set_names:
        yield (
            "KORDLESS_API_KEY is missing: create an API key in Kordless. For a first look without an account, "
            "start with --sandbox."
        )
    if "KORDLESS_ORG_SLUG" not in set_names:
        yield "KORDLESS_ORG_SLUG is missing: the slug of your organization in Kordless."


def _find_site_problems(configuration: Configuration, set_names: Any) -> Iterator[str]:
    if not configuration.site_url and "SITE_URL" not in set_names:
        yield "SITE_URL is missing: the address that visitors open, such as https://book.salon.example."
    if not configuration.is_https:
        return
    why = f"{configuration.site_url} is https, so a proxy in front must end TLS"
    if not configuration["TRUSTED_PROXIES"]:
        yield (
            f"TRUSTED_PROXIES is missing: {why}. Set it to the number of proxies, such as 1; otherwise all visitors "
            "would share the limits of one."
        )
    if "SECURE_PROXY_SSL_HEADER" not in set_names:
        yield (
            f"SECURE_PROXY_SSL_HEADER is missing: {why}. Set it to HTTP_X_FORWARDED_PROTO,https and let the proxy "
            "always set the header X-Forwarded-Proto."
        )


def _find_secret_problems(configuration: Configuration, set_names: Any) -> Iterator[str]:
    secret = configuration["SECRET_KEY"]
    how = 'python -c "import secrets; print(secrets.token_urlsafe(50))" makes one.'
    if secret is not None and (len(secret) < MIN_SECRET_CHARACTERS or secret.startswith("django-insecure-")):
        yield f"SECRET_KEY is too weak: it needs at least {MIN_SECRET_CHARACTERS} random characters. {how}"
    database = configuration["DATABASE_URL"]
    if secret is None and database and not database["ENGINE"].endswith("sqlite3"):
        # The key that is kept in the state folder could be lost while the database stays.
        yield f"SECRET_KEY is missing: it encrypts what DATABASE_URL stores, and must outlive this machine. {how}"


def _find_mail_problems(configuration: Configuration, set_names: Any) -> Iterator[str]:
    if "EMAIL_URL" in set_names and "EMAIL_HOST" in set_names:
        yield "EMAIL_URL and EMAIL_HOST are both set. Remove one of them."
    if configuration["EMAIL_USE_TLS"] and configuration["EMAIL_USE_SSL"]:
        yield "EMAIL_USE_TLS and EMAIL_USE_SSL are both on. STARTTLS, usually on port 587, is EMAIL_USE_TLS."
    if not {"EMAIL_URL", "EMAIL_HOST"} & set_names:
        for name in ("MAIL_FROM", "STAFF_EMAIL"):
            if name in set_names:
                yield f"{name} is set, but no mail server. Set EMAIL_URL, such as smtp+tls://name:password@mail.example."
    elif "MAIL_FROM" not in set_names:
        yield "MAIL_FROM is missing: the sender of mail, such as Salon <bookings@salon.example>."
