"""Django settings of a host site that are unusual and allowed: visitors book, and manage, all the same."""

import re
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.support.matrix import thinned
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

BACKENDS = "django.core.cache.backends"
ENGINE: dict[str, Any] = configured.TEMPLATES[0]
TEXT_ENGINE = {"BACKEND": "django.template.backends.dummy.TemplateStrings", "APP_DIRS": True}
LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]


def middleware(*without: str, first: str = "") -> list[str]:
    """The plain project's middleware but for what has one of these words in its name, after `first`."""
    kept = [name for name in configured.MIDDLEWARE if not any(word in name for word in without)]
    return [first, *kept] if first else kept


def engine(**options: Any) -> dict[str, Any]:
    """The plain project's template engine with other options."""
    return {**ENGINE, "OPTIONS": {**ENGINE["OPTIONS"], **options}}


def cache(backend: str, **more: Any) -> dict[str, Any]:
    """CACHES with one of Django's backends."""
    return {"CACHES": {"default": {"BACKEND": f"{BACKENDS}.{backend}", **more}}}


FINE: dict[str, dict[str, Any]] = {
    "no translation": {"USE_I18N": False},
    "no translation, in German": {"USE_I18N": False, "LANGUAGE_CODE": "de"},
    "a regional language": {"LANGUAGE_CODE": "de-at"},
    "a language and script": {"LANGUAGE_CODE": "zh-hans"},
    "one language that is not ours": {"LANGUAGES": [("xx", "Nothing")]},
    "German separators": {"USE_THOUSAND_SEPARATOR": True, "LANGUAGE_CODE": "de"},
    "Arabic separators": {"USE_THOUSAND_SEPARATOR": True, "LANGUAGE_CODE": "ar"},
    "an odd time zone": {"TIME_ZONE": "Asia/Kathmandu"},
    "a fixed time zone": {"TIME_ZONE": "Etc/GMT+12"},
    "a cache that keeps nothing": cache("dummy.DummyCache"),
    "a cache for one entry": cache("locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 1}),
    "a cache with a strange prefix": cache("locmem.LocMemCache", KEY_PREFIX="a b", VERSION=3, TIMEOUT=None),
    "no middleware": {"MIDDLEWARE": []},
    "no sessions": {"MIDDLEWARE": middleware("sessions", "auth", "messages")},
    "no HtmxMiddleware": {"MIDDLEWARE": middleware("django_htmx")},
    "no CSRF protection": {"MIDDLEWARE": middleware("csrf")},
    "CSRF tokens in sessions": {"CSRF_USE_SESSIONS": True},
    "LocaleMiddleware": {"MIDDLEWARE": middleware(first="django.middleware.locale.LocaleMiddleware")},
    "conditional answers": {"MIDDLEWARE": middleware(first="django.middleware.http.ConditionalGetMiddleware")},
    "a cache of whole pages": {
        "MIDDLEWARE": [
            "django.middleware.cache.UpdateCacheMiddleware",
            *configured.MIDDLEWARE,
            "django.middleware.cache.FetchFromCacheMiddleware",
        ]
    },
    "no appended slash": {"APPEND_SLASH": False},
    "few fields in a form": {"DATA_UPLOAD_MAX_NUMBER_FIELDS": 20},
    "small forms": {"DATA_UPLOAD_MAX_MEMORY_SIZE": 32_768},
    "no limit to forms": {"DATA_UPLOAD_MAX_MEMORY_SIZE": None, "DATA_UPLOAD_MAX_NUMBER_FIELDS": None},
    "no staticfiles": {
        "INSTALLED_APPS": [name for name in configured.INSTALLED_APPS if name != "django.contrib.staticfiles"]
    },
    "static files elsewhere": {"STATIC_URL": "https://cdn.example/static/"},
    "a prefix of the server": {"FORCE_SCRIPT_NAME": "/deep"},
    "another engine first": {"TEMPLATES": [TEXT_ENGINE, ENGINE]},
    "two engines": {"TEMPLATES": [{**ENGINE, "NAME": "one"}, {**ENGINE, "NAME": "two"}]},
    "no context processors": {"TEMPLATES": [engine(context_processors=[])]},
    "loaders by name": {"TEMPLATES": [{**engine(loaders=LOADERS), "APP_DIRS": False}]},
    "forms from templates of the site": {
        "FORM_RENDERER": "django.forms.renderers.TemplatesSetting",
        "INSTALLED_APPS": [*configured.INSTALLED_APPS, "django.forms"],
    },
    "a secret key of bytes": {"SECRET_KEY": b"k" * 50},
    "a secret key of letters beyond ASCII": {"SECRET_KEY": "\u043a\u043b\u044e\u0447" * 20},
    "no referrer policy": {"SECURE_REFERRER_POLICY": None},
}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no time zones": ({"USE_TZ": False}, "E009"),
    "templates are not found": ({"TEMPLATES": [{**ENGINE, "APP_DIRS": False}]}, "E010"),
    "no engine": ({"TEMPLATES": [TEXT_ENGINE]}, "E010"),
    "Latin-1": ({"DEFAULT_CHARSET": "iso-8859-1"}, "E011"),
    "no form is small enough": ({"DATA_UPLOAD_MAX_MEMORY_SIZE": 10}, "E012"),
    "no form has so few fields": ({"DATA_UPLOAD_MAX_NUMBER_FIELDS": 2}, "E012"),
    "static files are nowhere": ({"STATIC_URL": None}, "E013"),
}


def posted(any_visitor: Visitor, page: Page, **answers: str) -> Page:
    """Send the page's only form that is posted, whatever language its button is in."""
    (form,) = [form for form in page.tree.css("form") if form.attributes.get("method") == "post"]
    fields = {field.attributes["name"] or "": field.attributes.get("value") or "" for field in form.css("[name]")}
    return any_visitor.open(form.attributes.get("action") or page.url, {**fields, **answers})


@pytest.mark.long
@pytest.mark.parametrize("name", thinned(list(FINE), ids=str))
def test_a_booking_is_made_and_canceled_under_unusual_settings(
    site: Settings, client: Client, sandbox: Sandbox, name: str
) -> None:
    """From the free times to the cancellation, with no page that fails."""
    for setting, value in FINE[name].items():
        setattr(site, setting, value)
    prefix = FINE[name].get("FORCE_SCRIPT_NAME", "")
    any_visitor = Visitor(client, base=f"{prefix}/book/", prefix=prefix)
    confirmed = posted(any_visitor, any_visitor.choose(), **JANE)
    assert confirmed.number
    manage = next(url for url in confirmed.links().values() if re.search("/manage/.{20}", url))
    assert confirmed.number in any_visitor.open(manage).text
    posted(any_visitor, any_visitor.open(f"{manage.partition('?')[0]}cancel/"))
    assert [row["status"] for row in sandbox.bookings()] == ["canceled"]
    assert not [page.url for page in any_visitor.responses if page.status >= 400]


def test_a_booking_is_made_inside_the_hosts_transaction(site: Settings, client: Client, sandbox: Sandbox) -> None:
    """ATOMIC_REQUESTS wraps the host's own views; ours opt out of it."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    any_visitor = Visitor(client)
    try:
        assert posted(any_visitor, any_visitor.choose(), **JANE).number
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_bookings_is_a_system_check_error(site: Settings, client: Client, name: str) -> None:
    """A site finds out from `manage.py check`, not from its first visitor."""
    changed, number = BROKEN[name]
    for setting, value in changed.items():
        setattr(site, setting, value)
    assert f"kordless_booking.{number}" in [message.id for message in run_checks(tags=["kordless_booking"])]
    client.raise_request_exception = False
    any_visitor = Visitor(client)
    page = any_visitor.open("/book/haircut/")
    if page.status == 200:
        page = posted(any_visitor, any_visitor.open(next(iter(page.times.values()))), **JANE)
    assert page.status >= 400
