"""System checks: report errors in KORDLESS_BOOKING, and Django settings under which the widget can't work.

A check that needs valid accounts returns nothing while `check_settings` reports errors: those come first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 (Django's name for it)
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Node, Template
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode

from kordless_booking import conf
from kordless_booking.consent import find_missing_languages
from kordless_booking.dotted_paths import find_function_problem
from kordless_booking.messenger import find_messenger_problem
from kordless_booking.prefill import find_prefill_problem
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.presentation.site_texts import languages_without
from kordless_booking.presentation.stylesheet import find_static
from kordless_booking.questions.question import largest_answers
from kordless_booking.upstream.rate_limiter import Priority, Quota
from kordless_booking.urlconf import find_shadow, mounted_namespaces, varies_by_language

_IDS: Final = {
    "missing": "kordless_booking.E001",
    "api_key": "kordless_booking.E002",
    "org_slug": "kordless_booking.E003",
    "wrong": "kordless_booking.E004",
    "unknown": "kordless_booking.E005",
}
SECRET_BYTES: Final = 24
"""Minimum length of a webhook secret in bytes, 192 bits."""
MIN_FORM_FIELDS: Final = 20
"""Minimum of DATA_UPLOAD_MAX_NUMBER_FIELDS, without the boxes of CONSENT. The longest form has 16 fields, and a spam
check adds its own."""
MIN_FORM_BYTES: Final = 32_768
"""Minimum of DATA_UPLOAD_MAX_MEMORY_SIZE. 1,000 characters of notes take up to 12,000 bytes when URL-encoded, and each
token takes up to 4,096.
"""
MIN_PAGE_PERMITS: Final = 3
"""Minimum of requests a minute for pages: the first page of times takes as many, the list of services, the service's
settings and the slots."""
_PER_PROCESS_CACHES: Final = ("locmem.LocMemCache", "dummy.DummyCache", "filebased.FileBasedCache")
"""Backends that can't count for all processes. A file cache is shared, but its `add` is a race."""
_PROXY_SETTINGS: Final = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
"""Django's settings that only a site behind a proxy has."""


@register("kordless_booking")
def check_settings(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report missing, wrong and unknown keys in KORDLESS_BOOKING: E001 to E005."""
    errors = conf.find_errors(getattr(settings, "KORDLESS_BOOKING", None))
    return [Error(error.text, hint=error.hint, id=_IDS[error.kind]) for error in errors]


@register("kordless_booking")
def check_apps(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report that django_htmx, which serves htmx, is not installed: E006."""
    if apps.is_installed("django_htmx"):
        return []
    return [
        Error(
            "django_htmx is not in INSTALLED_APPS.",
            hint='Add "django_htmx" beside "kordless_booking": it serves the script of htmx.',
            id="kordless_booking.E006",
        )
    ]


@register("kordless_booking")
def check_mounts(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report URLs that are mounted nowhere (W001), behind another pattern (W012) or once for each language (W013).

    And those in a namespace that is the name of no account: E007. With a single account, any namespace will do.
    """
    if check_settings() or not getattr(settings, "ROOT_URLCONF", None):
        return []
    names = conf.accounts()
    found = mounted_namespaces()
    if not found:
        return [
            Warning(
                "kordless_booking.urls is not mounted.",
                hint='Add path("book/", include("kordless_booking.urls")) to your URLconf.',
                id="kordless_booking.W001",
            )
        ]
    return [*_foreign_mounts(found, names), *_shadowed_mounts(found), *_mounts_by_language(found)]


def _foreign_mounts(found: Sequence[str], names: Collection[str]) -> list[CheckMessage]:
    if len(names) == 1:
        return []
    return [
        Error(
            f"kordless_booking.urls is mounted with the namespace {mount!r}, but no account has this name.",
            hint=f"Use include('kordless_booking.urls', namespace=…) with one of: {', '.join(sorted(names))}.",
            id="kordless_booking.E007",
        )
        for mount in (each.rpartition(":")[2] for each in found)
        if mount not in names
    ]


def _shadowed_mounts(found: Sequence[str]) -> list[CheckMessage]:
    return [
        Warning(
            f"{path} of the widget leads to something else: {view}.",
            hint="Put the widget's line above it in the URLconf: Django takes the first pattern that matches.",
            id="kordless_booking.W012",
        )
        for namespace in found
        if (shadow := find_shadow(namespace))
        for path, view in [shadow]
    ]


def _mounts_by_language(found: Sequence[str]) -> list[CheckMessage]:
    """Report addresses that other machines use and that i18n_patterns gives one for each language: W013."""
    # One mount outside is enough: it is what the other machines are told of.
    if not all(map(varies_by_language, found)):
        return []
    return [
        Warning(
            f"The addresses of the account {account.name!r} for {what} depend on the language (i18n_patterns).",
            hint=f"{path} without a language is redirected, which Kordless and embedding pages may not follow. Mount "
            "the widget outside of i18n_patterns: its pages have their visitor's language anyway.",
            id="kordless_booking.W013",
        )
        for account in conf.accounts().values()
        for what, path in [
            *([("the webhook", "webhook/")] if account.webhook_secrets else []),
            *([("embedding pages", "embed.js")] if account.embed_origins else []),
        ]
    ]


@register("kordless_booking")
def check_style_sheets(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report entries of STYLE_SHEETS that aren't static files of the site: E008."""
    if check_settings():
        return []
    return [
        Error(
            f"The account {account.name!r} has {name!r} in STYLE_SHEETS, but no such static file is found.",
            hint="Put it into a static/ folder of an app or of STATICFILES_DIRS, and name it as in {% static %}.",
            id="kordless_booking.E008",
        )
        for account in conf.accounts().values()
        for name in account.style_sheets
        if find_static(name) is None
    ]


@register("kordless_booking")
def check_base_template(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report a BASE_TEMPLATE that can't be used or has no place for the widget (E015), or none for its head (W011)."""
    if check_settings():
        return []
    found: list[CheckMessage] = []
    for account in conf.accounts().values():
        if not account.base_template:
            continue
        where = f"The BASE_TEMPLATE of the account {account.name!r}, {account.base_template!r},"
        try:
            blocks = _block_names(account.base_template)
        except (TemplateDoesNotExist, TemplateSyntaxError, OSError, UnicodeError) as error:
            text = f"{where} can't be used ({type(error).__name__}), so pages come without the site's frame."
            found.append(Error(text, hint=_base_template_hint(error), id="kordless_booking.E015"))
            continue
        if blocks is None:
            continue
        if "kordless_content" not in blocks:
            hint = "Add {% block kordless_content %}{% endblock %} where the content of a page belongs."
            text = f"{where} has no block kordless_content, so pages come without the site's frame."
            found.append(Error(text, hint=hint, id="kordless_booking.E015"))
        elif "kordless_head" not in blocks:
            hint = "Add {% block kordless_head %}{% endblock %} inside its <head>, after your own style sheets."
            text = f"{where} has no block kordless_head, so the style sheet stands in the body and comes late."
            found.append(Warning(text, hint=hint, id="kordless_booking.W011"))
    return found


@register("kordless_booking")
def check_public_cache(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report templates of the site's in the place of ours while a CDN may hold pages: E018."""
    if check_settings() or not any(account.public_cache_seconds for account in conf.accounts().values()):
        return []
    replaced = sorted(find_replaced_templates())
    if not replaced:
        return []
    return [
        Error(
            f"PUBLIC_CACHE_SECONDS is set, and the site has its own {', '.join(replaced)}.",
            hint="Remove the setting or the templates: what they show of one visitor, a CDN would show to all.",
            id="kordless_booking.E018",
        )
    ]


def find_replaced_templates() -> Iterator[str]:
    """Yield the names of the widget's templates that Django finds elsewhere than in the package."""
    folder = Path(__file__).parent / "templates"
    for part in ("layouts", "parts", "steps", "problems"):
        for path in (folder / "kordless_booking" / part).glob("*.html"):
            name = path.relative_to(folder).as_posix()
            with suppress(TemplateDoesNotExist, TemplateSyntaxError):  # E010 reports the cause
                origin = getattr(get_template(name), "origin", None)
                if origin is None or Path(str(origin.name)).resolve() != path.resolve():
                    yield name


def _base_template_hint(error: Exception) -> str:
    if not isinstance(error, TemplateDoesNotExist):
        return "Name a template as in {% extends %}."
    # In a new project no folder of the project's own is listed, and few know it.
    folders = [str(folder) for engine in settings.TEMPLATES for folder in engine.get("DIRS", [])]
    listed = f"lists {', '.join(folders)}" if folders else "is empty"
    return (
        f'Django finds no {str(error)!r}: "DIRS" in TEMPLATES {listed}, and no app has it in its templates/ folder. '
        "Name it as in {% extends %}."
    )


def _block_names(name: str) -> set[str] | None:
    """Return the blocks of a template and of all that it extends; None where it extends what only a request says.

    Raises what loading a template raises.
    """
    names: set[str] = set()
    seen: list[Any] = []
    found: Any = get_template(name)
    template = getattr(found, "template", None)
    if not isinstance(template, Template):
        raise TemplateDoesNotExist(name)  # of an engine whose templates no {% extends %} of ours finds
    engine = template.engine
    while True:
        seen.append(template.origin)
        nodes = template.nodelist.get_nodes_by_type(Node)
        names |= {node.name for node in nodes if isinstance(node, BlockNode)}
        parent: Any = next((node.parent_name for node in nodes if isinstance(node, ExtendsNode)), None)
        if parent is None:
            return names
        if not isinstance(parent.var, str) or parent.filters:
            return None
        # As {% extends %} does: a template may extend another one of its own name.
        template, _origin = engine.find_template(parent.var, skip=seen)


@register("kordless_booking", deploy=True)
def check_shared_cache(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report a cache that processes don't share, because then each process uses the whole quota: W002."""
    if check_settings():
        return []
    # PROCESSES shows that the site has considered it, 1 as well: each process then takes its part of the quota. The
    # doctor has the same rule.
    aliases = {account.cache for account in conf.accounts().values() if not conf.is_given(account, "PROCESSES")}
    return [
        Warning(
            f"The cache {alias!r} is not shared between processes, so each one uses the whole quota.",
            hint='Use Redis, or set "PROCESSES" to the number of server processes, which may be 1.',
            id="kordless_booking.W002",
        )
        for alias in sorted(aliases)
        if settings.CACHES[alias]["BACKEND"].endswith(_PER_PROCESS_CACHES)
    ]


@register("kordless_booking")
def check_page_permits(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report a quota of which bookings reserve more than half, or that leaves pages less than one of them takes: W014.

    Whoever books has looked at pages before, so that such a quota carries fewer bookings than one with fewer reserved.
    Where processes don't share a cache, each has a part of the quota.
    """
    if check_settings():
        return []
    warnings: list[CheckMessage] = []
    for account in conf.accounts().values():
        is_shared = not settings.CACHES[account.cache]["BACKEND"].endswith(_PER_PROCESS_CACHES)
        processes = 1 if is_shared else account.processes
        quota = Quota(account.requests_per_minute, account.creations_per_minute).share(processes)
        for_pages = len(quota.permits(Priority.BROWSE))
        if for_pages >= max(quota.creations, MIN_PAGE_PERMITS):
            continue
        whose = f" in each of {processes} processes" if processes > 1 else ""
        warnings.append(
            Warning(
                f"The account {account.name!r} leaves pages {for_pages} of {quota.requests} requests a minute{whose}.",
                hint="Lower CREATIONS_PER_MINUTE to what your key allows and your visitors need, at most half of "
                "REQUESTS_PER_MINUTE; and let many processes share a cache, such as Redis.",
                id="kordless_booking.W014",
            )
        )
    return warnings


@register("kordless_booking", deploy=True)
def check_cache_folder(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report a file cache whose folder other users can write to: W006.

    Django unpickles the files of its file cache, so whoever can write there can run code in every process.
    """
    if check_settings():
        return []
    return [
        Warning(
            f"Other users can write to the folder of the cache {alias!r}, and so run code in all processes.",
            hint="Make the folder accessible only to the user that the site runs as (chmod 700), or use Redis.",
            id="kordless_booking.W006",
        )
        for alias in sorted({account.cache for account in conf.accounts().values()})
        if settings.CACHES[alias]["BACKEND"].endswith("filebased.FileBasedCache")
        and _is_open_to_others(Path(settings.CACHES[alias].get("LOCATION", "")))
    ]


def _is_open_to_others(folder: Path) -> bool:
    """Return True if a user other than this one and root can write to the folder; False if that can't be determined."""
    if not hasattr(os, "getuid"):
        return False  # Windows, which has another permission model
    try:
        found = folder.stat()
    except OSError:
        return False  # no such folder: Django creates it with the mode 700
    # An owner can make the folder writable at any time, so a foreign owner counts too.
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) or found.st_uid not in {os.getuid(), 0}


@register("kordless_booking")
def check_sandbox(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report the embedded sandbox in production: visitors would get confirmations that reach nobody. W007.

    Without DEBUG a site is taken to be in production, whether or not somebody asks with --deploy.
    """
    if settings.DEBUG or check_settings():
        return []
    return [
        Warning(
            f"The account {account.name!r} uses the embedded sandbox: its bookings never reach Kordless.",
            hint="Set API_KEY and ORG_SLUG, and remove SANDBOX; a demo names W007 in SILENCED_SYSTEM_CHECKS.",
            id="kordless_booking.W007",
        )
        for account in conf.accounts().values()
        if account.sandbox
    ]


@register("kordless_booking", deploy=True)
def check_trusted_proxies(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report a site behind a proxy whose TRUSTED_PROXIES is 0, as far as Django's settings show a proxy: W009."""
    named = [name for name in _PROXY_SETTINGS if getattr(settings, name, None)]
    if check_settings() or not named:
        return []
    return [
        Warning(
            f"{named[0]} says that there is a proxy, but the account {account.name!r} has TRUSTED_PROXIES 0.",
            hint='Set "TRUSTED_PROXIES" to the number of proxies: visitors\' limits go by their addresses.',
            id="kordless_booking.W009",
        )
        for account in conf.accounts().values()
        if not account.trusted_proxies
    ]


@register("kordless_booking")
def check_webhook_secrets(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report short webhook secrets: they can be found by brute force from one observed delivery. W003."""
    if check_settings():
        return []
    return [
        Warning(
            f"The account {account.name!r} has a webhook secret shorter than {SECRET_BYTES} bytes.",
            hint="Create a new one in Kordless, and list both in WEBHOOK_SECRETS until Kordless uses the new one.",
            id="kordless_booking.W003",
        )
        for account in conf.accounts().values()
        if any(len(secret.encode()) < SECRET_BYTES for secret in account.webhook_secrets)
    ]


@register("kordless_booking")
def check_shared_webhook_secrets(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report accounts that share a webhook secret: what is signed for one is genuine for the other. W008."""
    if check_settings():
        return []
    return [
        Warning(
            f"The account {account.name!r} shares a webhook secret with: {', '.join(map(repr, others))}.",
            hint="Create a secret for each webhook in Kordless: a delivery doesn't say whose it is.",
            id="kordless_booking.W008",
        )
        for account in conf.accounts().values()
        if (others := sorted(conf.accounts_sharing_secret(account)))
    ]


@register("kordless_booking")
def check_mail_sender(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report mail that would come from Django's default webmaster@localhost, which most servers reject: W004."""
    if check_settings() or settings.DEFAULT_FROM_EMAIL != "webmaster@localhost":
        return []
    return [
        Warning(
            f"The account {account.name!r} sends mail from webmaster@localhost.",
            hint='Set "MAIL_FROM", or Django\'s DEFAULT_FROM_EMAIL, to an address of your own domain.',
            id="kordless_booking.W004",
        )
        for account in conf.accounts().values()
        if (account.mail or account.staff_email) and not account.mail_from
    ]


@register("kordless_booking")
def check_languages(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report texts and addresses by language that lack one of the languages that the site offers: W010.

    Visitors would agree to a text that they can't read.
    """
    if check_settings():
        return []
    languages = supported_languages()
    found: list[CheckMessage] = []
    for account in conf.accounts().values():
        missing = {
            f'"{name}" in CONSENT': codes for name, codes in find_missing_languages(account.consent, languages).items()
        }
        for name, value in (("PRIVACY_URL", account.privacy_url), ("TERMS_URL", account.terms_url)):
            if codes := languages_without(value, languages):
                missing[name] = codes
        found += [
            Warning(
                f"The account {account.name!r} has no {what} for these languages of the site: {', '.join(codes)}.",
                hint="Add them. Until then visitors get another language; or offer fewer languages in LANGUAGES.",
                id="kordless_booking.W010",
            )
            for what, codes in missing.items()
        ]
    return found


@register("kordless_booking")
def check_functions(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report settings whose function can't be imported, or doesn't take what it is called with: E014, E016 and E017.

    E014 is MESSENGER, E016 SPAM_CHECK and QUESTIONS, E017 PREFILL. Else the first visitor who needs it would get an
    error, or a form without what it adds.
    """
    if check_settings():
        return []
    return [
        Error(f"The {what} of the account {account.name!r} can't be used: {problem}.", hint=hint, id=check_id)
        for account in conf.accounts().values()
        for what, problem, hint, check_id in _functions_of(account)
        if problem
    ]


def _functions_of(account: conf.Account) -> Iterator[tuple[str, str, str, str]]:
    """Yield for each function that the account may name: its setting, what is wrong or "", hint and id of the check."""
    yield (
        "MESSENGER",
        find_messenger_problem(account.messenger),
        "Name a function send(to, text, kind, booking) by its dotted path.",
        "kordless_booking.E014",
    )
    for key, path, arguments in (
        ("SPAM_CHECK", account.spam_check, ("request", "form")),
        ("QUESTIONS", getattr(account.questions, "path", ""), ("account", "service")),
    ):
        yield (
            f"{key} {path!r}",
            find_function_problem(path, *arguments),
            f"Name a function of {' and '.join(arguments)} by its dotted path.",
            "kordless_booking.E016",
        )
    yield (
        "PREFILL",
        find_prefill_problem(account.prefill),
        "Name a function prefill(request) by its dotted path.",
        "kordless_booking.E017",
    )


@register("kordless_booking")
def check_host_settings(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report Django settings under which no page, or no booking, works: E009, E011, E012 and E013.

    Django accepts each of them, and the site's own pages may well run with them.
    """
    found: list[CheckMessage] = []
    if not settings.USE_TZ:
        # Datetimes are stored and compared as aware ones, so the first submitted form would fail.
        found.append(
            Error(
                "USE_TZ is False, but bookings need aware datetimes: every booking would fail.",
                hint="Set USE_TZ = True, Django's default.",
                id="kordless_booking.E009",
            )
        )
    if settings.DEFAULT_CHARSET.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        found.append(
            Error(
                f"DEFAULT_CHARSET is {settings.DEFAULT_CHARSET!r}, which can't encode all pages.",
                hint='Set DEFAULT_CHARSET = "utf-8", Django\'s default.',
                id="kordless_booking.E011",
            )
        )
    asked_bytes, asked_fields = _form_of_questions()
    for name, least in (
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", MIN_FORM_BYTES + asked_bytes),
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", MIN_FORM_FIELDS + asked_fields + _most_boxes()),
    ):
        configured = getattr(settings, name)
        # None means no limit.
        if configured is not None and configured < least:
            found.append(
                Error(
                    f"{name} is {configured}, less than the booking form needs: Django would reject the form.",
                    hint=f"Set {name} to {least} or more.",
                    id="kordless_booking.E012",
                )
            )
    if not settings.STATIC_URL:
        found.append(
            Error(
                "STATIC_URL is not set, so no page can link its scripts.",
                hint='Set STATIC_URL = "static/".',
                id="kordless_booking.E013",
            )
        )
    return found


def _form_of_questions() -> tuple[int, int]:
    """Return the most bytes and fields that the questions of any service add to its form.

    What a function of the site returns isn't known here: it counts as nothing.
    """
    if check_settings():
        return 0, 0
    settings_of_all = [account.questions for account in conf.accounts().values() if not callable(account.questions)]
    forms = [questions for each in settings_of_all for questions in each.values()]
    lengths = (largest_answers(questions) for questions in forms)
    # A box to check is a field for each that is checked.
    counts = (sum(max(1, len(question.choices)) for question in questions) for questions in forms)
    return max(lengths, default=0), max(counts, default=0)


def _most_boxes() -> int:
    return 0 if check_settings() else max(len(account.consent) for account in conf.accounts().values())


@register("kordless_booking")
def check_templates(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Report a template engine that doesn't find our templates, doesn't escape (E010) or is set to debug (W005)."""
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
        return []  # E006, or Django's own check of TEMPLATES, reports the cause
    if not engine.autoescape:
        # Names, descriptions and notes come from outside, and our templates rely on the engine for escaping.
        return [
            Error(
                "The template engine that finds our templates has autoescape off: any text could run as a script.",
                hint="Remove autoescape from its OPTIONS, or add a second engine for output that is not HTML.",
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
