"""The system checks: each mistake under its number, with a hint, and silence when all is well."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf.urls.i18n import i18n_patterns
from django.core.checks import run_checks
from django.urls import include, path
from django.views.generic import TemplateView

from kordless_booking import checks
from kordless_booking.checks import (
    MIN_FORM_BYTES,
    MIN_FORM_FIELDS,
    check_apps,
    check_cache_folder,
    check_functions,
    check_host_settings,
    check_languages,
    check_mail_sender,
    check_mounts,
    check_page_permits,
    check_sandbox,
    check_settings,
    check_shared_cache,
    check_shared_webhook_secrets,
    check_style_sheets,
    check_templates,
    check_trusted_proxies,
    check_webhook_secrets,
)
from kordless_booking.conf import SETTINGS
from kordless_booking.doctor import settings_read
from tests.support.urlconfs import BEFORE_WIDGET, WITHOUT_WIDGET, mounted

ROOT = Path(__file__).parent.parent
FLAT = {"API_KEY": "kb-canary-key-5f1d9c", "ORG_SLUG": "acme-salon"}
TWO = {"ACCOUNTS": {"north": FLAT, "south": FLAT}}
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
REDIS = "django.core.cache.backends.redis.RedisCache"


def found(check) -> list[str]:
    """The ids that a check gives."""
    return [message.id for message in check()]


def ours(messages) -> list[str]:
    """The ids of this package among all that Django found."""
    return sorted(
        message.id
        for message in messages
        if (message.id or "").startswith("kordless_booking.") and not message.is_silenced()
    )


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        (FLAT, []),
        ({"SANDBOX": True}, []),
        (TWO, []),
        (None, ["E001"]),
        ({"ORG_SLUG": "acme"}, ["E002"]),
        ({"API_KEY": "k"}, ["E003"]),
        ({**FLAT, "PHONE_REGION": "us"}, ["E004"]),
        ({**FLAT, "PHONE_REGOIN": "US"}, ["E005"]),
        ({"PHONE_REGOIN": "us", "BROWSE_SECONDS": 99}, ["E005", "E002", "E003", "E004"]),
    ],
)
def test_each_mistake_in_the_settings_has_its_number_and_a_hint(settings, raw, ids):
    """As `manage.py check` shows them."""
    settings.KORDLESS_BOOKING = raw
    messages = check_settings()
    assert [message.id for message in messages] == [f"kordless_booking.{id_}" for id_ in ids]
    assert all(message.hint and message.is_serious() for message in messages)
    assert "canary" not in repr(messages)


def test_settings_that_are_not_there_at_all_are_the_first_mistake(settings):
    """Nobody has to know that they must exist."""
    del settings.KORDLESS_BOOKING
    assert found(check_settings) == ["kordless_booking.E001"]


def test_the_hint_is_the_nearest_known_key(settings):
    """Whatever one typed instead."""
    for name in SETTINGS:
        settings.KORDLESS_BOOKING = {**FLAT, name.replace("_", "") + "X": 1}
        (message,) = check_settings()
        assert message.hint == f"Did you mean {name}?"


def test_htmx_must_be_installed(settings):
    """E006, with the line to add."""
    assert check_apps() == []
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "django_htmx"]
    assert not apps.is_installed("django_htmx")
    (message,) = check_apps()
    assert (message.id, "django_htmx" in message.hint) == ("kordless_booking.E006", True)


@pytest.mark.parametrize(
    ("raw", "urls", "ids"),
    [
        (FLAT, mounted(None), []),
        (FLAT, mounted("anything"), []),
        (FLAT, mounted("one", "other"), []),
        (FLAT, WITHOUT_WIDGET, ["W001"]),
        (TWO, WITHOUT_WIDGET, ["W001"]),
        (TWO, mounted("north", "south"), []),
        (TWO, mounted("north"), []),
        (TWO, mounted("north", "west"), ["E007"]),
        (TWO, mounted(None), ["E007"]),
        (TWO, (path("deep/", include([path("deeper/", include(list(mounted("west"))))])),), ["E007"]),
        (TWO, (path("deep/", include((list(mounted("north")), "shop"))),), []),
        ({"ACCOUNTS": {"only": FLAT}}, mounted("elsewhere"), []),
        ({}, WITHOUT_WIDGET, []),
    ],
)
def test_every_mount_belongs_to_an_account(settings, raw, urls, ids):
    """A namespace of no account is E007, mounted nowhere W001; wrong settings are reported first."""
    settings.KORDLESS_BOOKING = raw
    settings.ROOT_URLCONF = urls
    messages = check_mounts()
    assert [message.id for message in messages] == [f"kordless_booking.{id_}" for id_ in ids]
    assert all(message.hint for message in messages)
    assert all(message.is_serious() == message.id.endswith("E007") for message in messages)


def test_a_site_without_urls_is_left_alone(settings):
    """A worker's settings may have no ROOT_URLCONF."""
    settings.KORDLESS_BOOKING = FLAT
    settings.ROOT_URLCONF = None
    assert check_mounts() == []


@pytest.mark.parametrize(
    ("urls", "ids"),
    [
        ((*BEFORE_WIDGET, *mounted(None)), ["W012"]),
        ((*mounted(None), *BEFORE_WIDGET), []),
        ((path("0/webhook/", TemplateView.as_view()), *mounted(None)), ["W012"]),
        ((path("<slug:salon>/", include("kordless_booking.urls")), *BEFORE_WIDGET), []),
        (tuple(i18n_patterns(*mounted(None))), ["W013", "W013"]),
        ((*mounted(None), *i18n_patterns(*mounted("pages"))), []),
    ],
)
def test_what_leads_elsewhere_than_the_widget_is_named(settings, urls, ids):
    """A path that another pattern takes first is W012, one for each language where machines call it W013."""
    settings.KORDLESS_BOOKING = {**FLAT, "WEBHOOK_SECRETS": "z" * 24, "EMBED_ORIGINS": ["https://shop.example"]}
    settings.ROOT_URLCONF = urls
    messages = check_mounts()
    assert [message.id for message in messages] == [f"kordless_booking.{id_}" for id_ in ids]
    assert all(message.hint for message in messages)
    settings.KORDLESS_BOOKING = FLAT
    # Without a webhook and without embedding pages nobody but visitors uses the addresses.
    assert found(check_mounts) == [f"kordless_booking.{id_}" for id_ in ids if id_ != "W013"]


def test_the_message_names_the_view_that_is_in_front(settings):
    """And the path that leads there."""
    settings.KORDLESS_BOOKING = FLAT
    settings.ROOT_URLCONF = (*BEFORE_WIDGET, *mounted(None))
    (message,) = check_mounts()
    assert message.msg == "/0/ of the widget leads to something else: site-page."


@pytest.mark.parametrize("key", ["SPAM_CHECK", "QUESTIONS"])
@pytest.mark.parametrize(
    ("dotted_path", "problem"),
    [
        ("tests.support.spam.gone", "can't be imported (No module named 'tests.support.spam')"),
        ("nowhere.at.all", "can't be imported (No module named 'nowhere')"),
        ("tests.support.phone_messages.PHONE", "it is not a function"),
        ("tests.support.phone_messages.send", "it doesn't take "),
        ("operator.eq", ""),
    ],
)
def test_a_function_that_cannot_be_called_is_named(settings, key, dotted_path, problem):
    """E016, with the path and what is wrong with it, before the first visitor needs it."""
    settings.KORDLESS_BOOKING = {**FLAT, key: dotted_path}
    messages = check_functions()
    assert [message.id for message in messages] == ["kordless_booking.E016"] * bool(problem)
    assert all(key in each.msg and dotted_path in each.msg and problem in each.msg and each.hint for each in messages)


def test_the_message_names_the_mount_and_the_accounts(settings):
    """So that one sees which word to change."""
    settings.KORDLESS_BOOKING = TWO
    settings.ROOT_URLCONF = mounted("west")
    (message,) = check_mounts()
    assert "'west'" in message.msg
    assert "north, south" in message.hint


@pytest.mark.parametrize(
    ("backend", "more", "warned"),
    [
        (LOCMEM, {}, True),
        (LOCMEM, {"PROCESSES": ""}, True),
        (LOCMEM, {"PROCESSES": 1}, False),
        (LOCMEM, {"PROCESSES": 4}, False),
        ("django.core.cache.backends.filebased.FileBasedCache", {}, True),
        ("django.core.cache.backends.dummy.DummyCache", {}, True),
        (REDIS, {}, False),
        ("django.core.cache.backends.memcached.PyMemcacheCache", {}, False),
    ],
)
def test_a_cache_of_one_process_is_warned_of_before_deploying(settings, backend, more, warned):
    """Unless it is said how many processes share the key."""
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.KORDLESS_BOOKING = {**FLAT, **more}
    messages = check_shared_cache()
    assert [message.id for message in messages] == ["kordless_booking.W002"] * warned
    assert all("Redis" in message.hint and "PROCESSES" in message.hint for message in messages)


def test_each_cache_is_judged_once(settings):
    """Two accounts on one LocMem cache are one warning; an account on Redis is none."""
    settings.CACHES = {
        "default": {"BACKEND": LOCMEM},
        "shared": {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1/0"},
    }
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"a": FLAT, "b": FLAT, "c": {**FLAT, "CACHE": "shared"}}}
    assert found(check_shared_cache) == ["kordless_booking.W002"]


def test_wrong_settings_hide_the_cache_check(settings):
    """One thing after the other."""
    settings.KORDLESS_BOOKING = {**FLAT, "CACHE": "nowhere"}
    assert check_shared_cache() == []
    assert check_cache_folder() == []


@pytest.mark.parametrize(("mode", "warned"), [(0o700, False), (0o755, False), (0o770, True), (0o1777, True)])
def test_a_cache_folder_that_others_may_write_to_is_warned_of(settings, tmp_path, mode, warned):
    """Django unpickles what lies there; a folder that isn't there yet is made by Django, for its own user."""
    settings.KORDLESS_BOOKING = FLAT
    folder = tmp_path / "cache"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(folder)}
    }
    assert check_cache_folder() == []
    folder.mkdir()
    folder.chmod(mode)
    assert found(check_cache_folder) == ["kordless_booking.W006"] * warned
    settings.CACHES = {"default": {"BACKEND": LOCMEM, "LOCATION": str(folder)}}
    assert check_cache_folder() == []


def test_a_style_sheet_that_is_not_there_is_named(settings):
    """One that is found is nobody's business; wrong settings are another check's."""
    settings.KORDLESS_BOOKING = {**FLAT, "STYLE_SHEETS": ["my_site/booking.css", "kordless_booking/snippet.css"]}
    [message] = check_style_sheets()
    assert message.id == "kordless_booking.E008"
    assert "'my_site/booking.css'" in message.msg
    settings.KORDLESS_BOOKING = {**FLAT, "STYLE_SHEETS": "my_site/booking.css"}
    assert found(check_style_sheets) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
        ("USE_X_FORWARDED_HOST", True),
        ("USE_X_FORWARDED_PORT", True),
    ],
)
@pytest.mark.django_db  # Django 6.1 asks the database in its own checks
def test_a_proxy_that_the_settings_show_must_be_trusted(settings, name, value):
    """W009 for each account whose TRUSTED_PROXIES is 0, with --deploy."""
    settings.KORDLESS_BOOKING = TWO
    assert check_trusted_proxies() == []
    setattr(settings, name, value)
    messages = check_trusted_proxies()
    assert [message.id for message in messages] == ["kordless_booking.W009"] * 2
    assert all(name in message.msg and message.hint for message in messages)
    assert "kordless_booking.W009" in ours(run_checks(include_deployment_checks=True))
    assert "kordless_booking.W009" not in ours(run_checks())
    settings.KORDLESS_BOOKING = {**TWO, "TRUSTED_PROXIES": 1}
    assert check_trusted_proxies() == []


@pytest.mark.django_db  # Django 6.1 asks the database in its own checks
def test_a_sandbox_without_debug_is_warned_of(settings):
    """W007 for each account on it, on every start: what is booked there reaches nobody."""
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"real": FLAT, "toy": {"SANDBOX": True}}}
    [message] = check_sandbox()
    assert message.id == "kordless_booking.W007"
    assert "'toy'" in message.msg
    assert "kordless_booking.W007" in [each.id for each in run_checks()]
    settings.DEBUG = True
    assert check_sandbox() == []
    settings.DEBUG = False
    settings.KORDLESS_BOOKING = {}
    assert check_sandbox() == []


def test_a_short_webhook_secret_is_named(settings):
    """One warning for an account that has any; a long one, or none, is fine."""
    settings.KORDLESS_BOOKING = {
        "ACCOUNTS": {
            "a": {**FLAT, "WEBHOOK_SECRETS": ["x" * 23, "y" * 24]},
            "b": {**FLAT, "WEBHOOK_SECRETS": "z" * 24},
            "c": FLAT,
        }
    }
    [message] = check_webhook_secrets()
    assert message.id == "kordless_booking.W003"
    assert "'a'" in message.msg
    assert "xxx" not in message.msg + message.hint
    settings.KORDLESS_BOOKING = {**FLAT, "WEBHOOK_SECRETS": ""}
    assert check_webhook_secrets() == []


def test_a_webhook_secret_of_two_accounts_is_named(settings):
    """One warning for each account that shares one, without the secret; secrets of their own are fine."""
    settings.KORDLESS_BOOKING = {
        "ACCOUNTS": {
            "a": {**FLAT, "WEBHOOK_SECRETS": ["x" * 24, "y" * 24]},
            "b": {**FLAT, "WEBHOOK_SECRETS": "x" * 24},
            "c": {**FLAT, "WEBHOOK_SECRETS": "z" * 24},
        }
    }
    messages = check_shared_webhook_secrets()
    assert [message.id for message in messages] == ["kordless_booking.W008"] * 2
    assert ["'a'" in message.msg and "'b'" in message.msg for message in messages] == [True, True]
    assert all("xxx" not in message.msg + message.hint for message in messages)
    settings.KORDLESS_BOOKING = {**FLAT, "WEBHOOK_SECRETS": "x" * 24}
    assert check_shared_webhook_secrets() == []


@pytest.mark.parametrize(
    ("path", "ids", "problem"),
    [
        ("", [], ""),
        ("tests.support.phone_messages.send", [], ""),
        ("builtins.print", [], ""),
        ("tests.support.phone_messages.gone", ["kordless_booking.E014"], "can't be imported"),
        ("nowhere.at.all", ["kordless_booking.E014"], "can't be imported"),
        ("tests.support.phone_messages.PHONE", ["kordless_booking.E014"], "not a function"),
        ("tests.support.phone_messages.send_async", ["kordless_booking.E014"], "async"),
        ("tests.support.phone_messages.send_without_booking", ["kordless_booking.E014"], "to, text, kind and booking"),
    ],
)
def test_a_messenger_that_cannot_be_called_is_named(settings, path, ids, problem):
    """Before the first message is due; nothing is sent."""
    settings.KORDLESS_BOOKING = {**FLAT, "MESSENGER": path, "SITE_URL": "https://salon.example"}
    messages = check_functions()
    assert [message.id for message in messages] == ids
    assert all(problem in message.msg and message.hint for message in messages)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", ""),
        ("tests.support.site_prefill.known_user", ""),
        ("tests.support.site_prefill.gone", "can't be imported"),
        ("tests.support.site_prefill.CALLS", "not a function"),
        ("tests.support.site_prefill.known_async", "async"),
        ("tests.support.site_prefill.without_request", "doesn't take request"),
    ],
)
def test_a_prefill_that_cannot_be_called_is_named(settings, path, problem):
    """Before the first form is shown; it isn't called."""
    settings.KORDLESS_BOOKING = {**FLAT, "PREFILL": path}
    messages = check_functions()
    assert [message.id for message in messages] == (["kordless_booking.E017"] if problem else [])
    assert all(problem in message.msg and message.hint for message in messages)


def test_messages_need_the_address_that_their_links_begin_with(settings):
    """SITE_URL, as mails do."""
    settings.KORDLESS_BOOKING = {**FLAT, "MESSENGER": "tests.support.phone_messages.send"}
    [message] = check_settings()
    assert message.id == "kordless_booking.E004"
    assert "SITE_URL" in message.msg
    assert check_functions() == []


@pytest.mark.parametrize(
    ("requests", "creations", "processes", "backend", "left"),
    [
        (60, 10, 1, LOCMEM, None),
        (60, 30, 1, LOCMEM, None),
        (60, 31, 1, LOCMEM, 29),
        (1000, 999, 1, REDIS, 1),
        (4, 1, 1, REDIS, None),
        (3, 1, 1, REDIS, 2),
        (60, 10, 12, LOCMEM, None),
        (60, 10, 30, LOCMEM, 2),
        (60, 10, 30, REDIS, None),
    ],
)
def test_a_quota_that_leaves_pages_too_few_requests_is_named(settings, requests, creations, processes, backend, left):
    """W014, with what is left; in each process where they share no cache."""
    limits = {"REQUESTS_PER_MINUTE": requests, "CREATIONS_PER_MINUTE": creations, "PROCESSES": processes}
    settings.KORDLESS_BOOKING = {**FLAT, **limits}
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://nowhere.invalid"}}
    messages = check_page_permits()
    assert [message.id for message in messages] == ([] if left is None else ["kordless_booking.W014"])
    assert all(f"leaves pages {left} of" in message.msg and message.hint for message in messages)


def test_a_quota_that_leaves_pages_nothing_is_an_error_alone(settings):
    """As many creations as requests: E004 says so, and W014 nothing more."""
    settings.KORDLESS_BOOKING = {**FLAT, "REQUESTS_PER_MINUTE": 10, "CREATIONS_PER_MINUTE": 10}
    assert (found(check_settings), found(check_page_permits)) == (["kordless_booking.E004"], [])


@pytest.mark.django_db  # Django 6.1 asks the database in its own checks
def test_django_runs_them_all(settings):
    """Registered by the app: the everyday ones always, the cache only with --deploy."""
    settings.KORDLESS_BOOKING = TWO
    settings.ROOT_URLCONF = mounted("north", "west")
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "django_htmx"]
    assert ours(run_checks()) == ["kordless_booking.E006", "kordless_booking.E007"]
    assert ours(run_checks(include_deployment_checks=True)) == [
        "kordless_booking.E006",
        "kordless_booking.E007",
        "kordless_booking.W002",
    ]


@pytest.mark.parametrize("project", ["plain", "several", "strict", "elsewhere"])
@pytest.mark.django_db  # Django 6.1 asks the database in its own checks
def test_the_test_projects_pass_their_own_checks(settings, project):
    """They are examples of how to do it."""
    module = __import__(f"tests.projects.{project}.settings", fromlist=["settings"])
    settings.KORDLESS_BOOKING = module.KORDLESS_BOOKING
    settings.ROOT_URLCONF = module.ROOT_URLCONF
    assert ours(run_checks()) == []


def test_every_check_has_its_row_in_the_documentation():
    """The ids in the source are those of the table in docs/settings.md, each once and in order."""
    rows = re.findall(r"^\| `(kordless_booking\.[EW]\d{3})` \|", (ROOT / "docs/settings.md").read_text("utf-8"), re.M)
    assert rows == sorted(set(re.findall(r"kordless_booking\.[EW]\d{3}", Path(checks.__file__).read_text("utf-8"))))


def test_mail_has_a_sender_of_its_own(settings):
    """Django's own default reaches nobody; what isn't sent needs no sender."""
    on = {**FLAT, "MAIL": True, "SITE_URL": "https://salon.example"}
    settings.KORDLESS_BOOKING = on
    assert found(check_mail_sender) == ["kordless_booking.W004"]
    settings.DEFAULT_FROM_EMAIL = "desk@salon.example"
    assert found(check_mail_sender) == []
    settings.DEFAULT_FROM_EMAIL = "webmaster@localhost"
    for fine in ({**on, "MAIL_FROM": "desk@salon.example"}, FLAT, None):
        settings.KORDLESS_BOOKING = fine
        assert found(check_mail_sender) == []


def test_a_text_without_one_of_the_offered_languages_is_named(settings):
    """W010 for each box and address by language, with the languages; the doctor reports it, too."""
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("pt-br", "Portuguese")]
    box = {"name": "rules", "version": "1"}
    label = {"en": "Rules", "de": "Regeln"}
    settings.KORDLESS_BOOKING = {
        **FLAT,
        "CONSENT": [{**box, "label": label}, {**box, "name": "plain", "label": "Rules"}],
        "PRIVACY_URL": {"en": "/privacy/"},
        "TERMS_URL": "/terms/",
    }
    rules, privacy = check_languages()
    assert rules.id == privacy.id == "kordless_booking.W010"
    assert rules.msg.endswith('has no "rules" in CONSENT for these languages of the site: pt-br.')
    assert privacy.msg.endswith("has no PRIVACY_URL for these languages of the site: de, pt-br.")
    assert "W010" in [finding.code for finding in settings_read.examine()]
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    settings.KORDLESS_BOOKING = {**FLAT, "CONSENT": [{**box, "label": label}]}
    assert check_languages() == []
    settings.KORDLESS_BOOKING = None
    assert check_languages() == []


def test_each_box_needs_a_field_more(settings):
    """The least number of fields that Django has to accept grows with the boxes of the account that has most."""
    box = {"label": "x", "version": "1"}
    boxes = [{**box, "name": "a"}, {**box, "name": "b"}]
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"north": FLAT, "south": {**FLAT, "CONSENT": boxes}}}
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = MIN_FORM_FIELDS + 1
    assert found(check_host_settings) == ["kordless_booking.E012"]
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = MIN_FORM_FIELDS + 2
    assert found(check_host_settings) == []


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("USE_TZ", False, ["E009"]),
        ("USE_TZ", True, []),
        ("DEFAULT_CHARSET", "iso-8859-1", ["E011"]),
        ("DEFAULT_CHARSET", "utf-16", ["E011"]),
        ("DEFAULT_CHARSET", "UTF-8", []),
        ("DEFAULT_CHARSET", "utf_8", []),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", MIN_FORM_BYTES - 1, ["E012"]),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", MIN_FORM_BYTES, []),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", None, []),
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", MIN_FORM_FIELDS - 1, ["E012"]),
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", None, []),
        ("STATIC_URL", None, ["E013"]),
    ],
)
def test_django_settings_under_which_no_booking_works_are_rejected(settings, name, value, ids):
    """Each has its number, names the setting, and says what to write instead."""
    setattr(settings, name, value)
    messages = check_host_settings()
    assert [message.id for message in messages] == [f"kordless_booking.{id_}" for id_ in ids]
    assert all(name in message.msg and name in message.hint and message.is_serious() for message in messages)


def test_a_form_with_questions_needs_more_of_django(settings):
    """A field for each answer and each box to check, and bytes for what is typed; of the service that asks most."""
    choices = [str(number) for number in range(30)]
    questions = [
        {"name": "style", "label": "Style", "kind": "choices", "choices": choices},
        {"name": "story", "label": "Story", "kind": "long_text", "max_length": 1000},
    ]
    settings.KORDLESS_BOOKING = {**FLAT, "QUESTIONS": {"haircut": questions, "*": questions[1:]}}
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = MIN_FORM_FIELDS + 30
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = MIN_FORM_BYTES
    assert [message.hint for message in check_host_settings()] == [
        f"Set DATA_UPLOAD_MAX_MEMORY_SIZE to {MIN_FORM_BYTES + 12_000} or more.",
        f"Set DATA_UPLOAD_MAX_NUMBER_FIELDS to {MIN_FORM_FIELDS + 31} or more.",
    ]
    settings.KORDLESS_BOOKING = {**FLAT, "QUESTIONS": "my_site.booking.questions"}
    assert check_host_settings() == []


@pytest.mark.parametrize(
    ("engine", "options", "ids"),
    [
        ({}, {}, []),
        ({"APP_DIRS": False}, {}, ["E010"]),
        ({"APP_DIRS": False}, {"loaders": ["django.template.loaders.app_directories.Loader"]}, []),
        ({}, {"autoescape": False}, ["E010"]),
        ({}, {"string_if_invalid": "(%s)"}, ["W005"]),
    ],
)
def test_template_engines_that_break_or_endanger_pages_are_named(settings, engine, options, ids):
    """They must find our templates and escape what is put into them."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], **engine, "OPTIONS": options}]
    messages = check_templates()
    assert [message.id for message in messages] == [f"kordless_booking.{id_}" for id_ in ids]
    assert all(message.hint for message in messages)


def test_another_engine_of_the_site_is_left_alone(settings):
    """The engine that finds our templates counts: the site may write its letters unescaped with another."""
    plain_text = {"BACKEND": "django.template.backends.django.DjangoTemplates", "NAME": "letters"}
    settings.TEMPLATES = [{**plain_text, "OPTIONS": {"autoescape": False}}, *settings.TEMPLATES]
    assert check_templates() == []
    settings.TEMPLATES = []
    assert found(check_templates) == ["kordless_booking.E010"]
