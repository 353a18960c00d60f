"""Settings: read once, typed, every mistake reported with advice, and the key never shown."""

import copy
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.api.session import validated_base_url
from kordless_booking.conf import SETTINGS, Account, Secret, accounts, find_errors, get_account
from kordless_booking.contact_fields import ContactFields
from kordless_booking.questions.question import parse_setting
from kordless_booking.upstream.read_through import INVALIDATION_SECONDS

KEY = "kb-canary-key-5f1d9c"
FLAT = {"API_KEY": KEY, "ORG_SLUG": "acme-salon"}

BOX = {"name": "rules", "label": "I have read the rules.", "version": "1"}

GOOD = {
    "API_KEY": ["k", "x" * 500, "sk_live_!~"],
    "ORG_SLUG": ["acme-salon", "a", "A.b_c-1"],
    "BASE_URL": [
        "https://api.kordless.example/v1",
        "https://api.kordless.example:8443/v1/",
        "http://127.0.0.1:8765/api",
        "http://localhost/api",
        "http://[::1]:80/api",
    ],
    "SANDBOX": [True, False, ":memory:", Path("/tmp/sandbox.sqlite3")],  # noqa: S108 (a name only)
    "PHONE_REGION": ["US", "GB", "DE", "IL"],
    "PRICE_PER": ["booking", "person"],
    "EMBED_ORIGINS": [
        [],
        ["https://shop.example"],
        ("https://*.shop.example", "'self'"),
        {"http://localhost:8000", "https://shop.example:8443"},
    ],
    "THEME": ["salon", "clinic", "studio"],
    "COLOR_SCHEME": ["auto", "light", "dark"],
    "ACCENT": ["#1f6f5c", "#D81B60"],
    "STYLE_SHEETS": [["my_site/booking.css"], ("a.css", "b/c-d.css"), []],
    "BASE_TEMPLATE": ["base.html", "my_site/booking base.html", "a.b-c/d.django-html"],
    "SUPPORT_EMAIL": ["help@acme.example"],
    "SUPPORT_PHONE": ["+1 (212) 555-0123", "030/901820"],
    "DONE_URL": [
        "https://salon.example",
        "https://salon.example/thanks?service={service}#top",
        "http://127.0.0.1:8000/thanks/",
    ],
    "ENFORCE_NOTICE": [True, False],
    "ASK_REASON": ["optional", "required"],
    "CONTACT_FIELDS": [
        {},
        {"email": "required"},
        {"email": "hidden", "phone": "optional", "notes": "required", "name": "full"},
        {"phone": "hidden", "notes": "hidden", "name": "first_last"},
    ],
    "SERVICES": [
        {},
        {"haircut": {}},
        {"haircut": {"CONTACT_FIELDS": {"phone": "required"}}, "späti": {"CONTACT_FIELDS": {"name": "first_last"}}},
    ],
    "QUESTIONS": [
        {},
        {"haircut": [], "*": [{"name": "allergies", "label": "Any allergies?", "kind": "text"}]},
        "my_site.booking.questions",
        lambda account, service: [],
    ],
    "PRIVACY_URL": ["https://salon.example/privacy", "/privacy/", {"en": "/privacy/", "de": "https://salon.example/d"}],
    "TERMS_URL": ["http://localhost:8000/terms/", "/terms/?a=1", {"pt-br": "/t/"}],
    "CONSENT": [
        [],
        (BOX,),
        [{**BOX, "required": True}, {**BOX, "name": "news", "marketing": True, "label": {"en": "News"}}],
    ],
    "BROWSE_SECONDS": [0.1, 4, 25],
    "BOOKING_SECONDS": [0.1, 12.5, 25],
    "CATALOG_FRESH_SECONDS": [1, 86400],
    "CATALOG_STALE_SECONDS": [1, 86400],
    "CATALOG_STALE_IF_ERROR_SECONDS": [1, 86400],
    "SLOTS_FRESH_SECONDS": [1, 3600],
    "SLOTS_STALE_SECONDS": [1, 86400],
    "SLOTS_STALE_IF_ERROR_SECONDS": [1, 86400],
    "SLOTS_LAST_KNOWN_SECONDS": [1, 86400],
    "LOCAL_CACHE_SECONDS": [0.5, 1],
    "REQUESTS_PER_MINUTE": [11, 1000],
    "CREATIONS_PER_MINUTE": [1, 59],
    "PROCESSES": [1, 64],
    "CACHE": ["default"],
    "DRAFT_SECONDS": [300, 86400],
    "MANAGE_LINK_DAYS": [1, 3650],
    "TRUSTED_PROXIES": [0, 2, 20],
    "MAILS_PER_RECIPIENT": [0, 1000],
    "BOOKINGS_PER_ADDRESS": [0, 1000],
    "LOOKUPS_PER_ADDRESS": [0, 1000],
    "CHANGES_PER_ADDRESS": [0, 1000],
    "MANAGE_VIEWS_PER_ADDRESS": [0, 1000],
    "FETCHES_PER_ADDRESS": [0, 100],
    "LOOKUPS_PER_NUMBER": [0, 1000],
    "BOOKINGS_PER_CONTACT": [0, 1000],
    "BOOKINGS_PER_CONTACT_DAILY": [0, 1000],
    "LOOKUPS_PER_NUMBER_AND_ADDRESS": [0, 1000],
    "MINIMUM_FILL_SECONDS": [0, 1.5, 5],
    "SPAM_CHECK": ["shop.checks.is_human"],
    "SPAM_CHECK_ORIGINS": [["https://puzzle.example"]],
    "WEBHOOK_SECRETS": [["whsec_new", "whsec_old"], ("x" * 500,), []],
    "WEBHOOK_SIGNED_PAYLOAD": ["timestamp.body", "body"],
    "WEBHOOK_SIGNATURE_ENCODING": ["hex", "base64"],
    "FUNNEL": [True, False],
    "GUESTS": [0, 1, 20, "party"],
    "BOOK_AGAIN_WEEKS": [0, 4, 52],
    "NEXT_FREE": [True, False],
    "ATTEMPT_RETENTION_DAYS": [0, 7, 3650],
    "DELIVERY_RETENTION_DAYS": [0, 40, 3650],
    "COUNT_RETENTION_DAYS": [0, 90, 3650],
    "CONSENT_RETENTION_DAYS": [0, 30, 3650],
    "WARMING": [True, False],
    "MAIL": [False],
    "MAIL_FROM": ["bookings@salon.example", "Acme Salon <bookings@salon.example>", '"Acme, Salon" <b@salon.example>'],
    "SITE_URL": ["https://salon.example", "https://salon.example:8443/shop", "http://127.0.0.1:8000"],
    "INDEX": [False],
    "INLINE_STYLE": [True, False],
    "PUBLIC_CACHE_SECONDS": [0, 60, 300],
    "REMINDER_HOURS": [0, 24, 336],
    "STAFF_EMAIL": [("desk@salon.example",), ("desk@salon.example", "owner@salon.example")],
    "PREFILL": ["shop.booking.prefill"],
    "MESSENGER": ["shop.messages.send"],
    "MESSENGER_FOR": ["without_email", "all"],
}
LIFETIMES = (
    ("CATALOG_FRESH_SECONDS", "CATALOG_STALE_SECONDS", "CATALOG_STALE_IF_ERROR_SECONDS"),
    ("SLOTS_FRESH_SECONDS", "SLOTS_STALE_SECONDS", "SLOTS_STALE_IF_ERROR_SECONDS", "SLOTS_LAST_KNOWN_SECONDS"),
)
NOT_A_NUMBER = ["twelve", "12 s", "1e2", True, float("nan"), float("inf"), [], object()]
NOT_WHOLE = [*NOT_A_NUMBER, 12.5, 60.0]
BAD = {
    "API_KEY": ["two words", "line\nbreak", "x" * 501, "clé", 7, "key\0"],
    "ORG_SLUG": ["acme salon", "../acme", "acme/salon", "-acme", "x" * 101, 7, "acme\n"],
    "BASE_URL": [
        "http://api.kordless.example",
        "api.kordless.example",
        "ftp://api.kordless.example",
        "https://user:pw@api.kordless.example",
        "https://:pw@api.kordless.example",
        "https://api.kordless.example/?q=1",
        "https://api.kordless.example/?",
        "https://api.kordless.example/#top",
        "https://api.kord\nless.example",
        " https://api.kordless.example",
        "https://api.kordless.example:99999",
        "https://api.kordless.example:0",
        "https://[::1",
        "https://",
        "http://127.0.0.1.evil.example",
        7,
    ],
    "SANDBOX": [7, ["x"], {"a": 1}],
    "PHONE_REGION": ["us", "USA", "UK", "XX", "U", 1],
    "PRICE_PER": ["Booking", "each", "person ", ["person"], 1, True],
    "EMBED_ORIGINS": [
        "https://shop.example",
        ["*"],
        ["https://*.com"],
        ["https://*"],
        ["https://shop.example/path"],
        ["http://shop.example"],
        ["javascript:alert(1)"],
        ["https://evil.example; script-src *"],
        ["https://evil.example\r\nX: y"],
        ["https://evil.example "],
        ["https://" + "x" * 3000],
        [7],
        7,
    ],
    "THEME": ["plain", "Salon", "../salon", 7],
    "COLOR_SCHEME": ["Light", "light dark", True],
    "ACCENT": ["1f6f5c", "#fff", "green", "#1f6f5c;}", 7],
    "BASE_TEMPLATE": ["/base.html", "../base.html", "a{% b", ["base.html"], 3, "x" * 201],
    "STYLE_SHEETS": [
        "a.css",
        ["/etc/a.css"],
        ["../a.css"],
        ["a/../../b.css"],
        ["https://x.example/a.css"],
        ["a.js"],
        [7],
    ],
    "SUPPORT_EMAIL": ["help", "a@b@c", "<a@b>", "a b@c", 7],
    "SUPPORT_PHONE": ["call us", "12", "1" * 31, 7],
    "DONE_URL": [
        "http://salon.example/thanks",
        "/thanks",
        "//salon.example/thanks",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user:pw@salon.example",
        "https://{service}.example",
        "https://salon.example/{name}",
        "https://salon.example/a b",
        "https://salon.example\\@evil.example",
        "https://salon.example/" + "x" * 300,
        7,
    ],
    "ENFORCE_NOTICE": [1, "yes", "False", []],
    "ASK_REASON": ["Optional", "always", True, ["required"], 1],
    "CONTACT_FIELDS": [
        "email",
        ["email"],
        7,
        {"e-mail": "required"},
        {7: "required"},
        {"email": "Required"},
        {"email": True},
        {"email": None},
        {"phone": ["required"]},
        {"notes": {"required": True}},
        {"name": "last_first"},
    ],
    "SERVICES": [
        "haircut",
        ["haircut"],
        7,
        {"": {}},
        {7: {}},
        {"haircut": None},
        {"haircut": "hidden"},
        {"haircut": {"MAIL": True}},
        {"haircut": {"contact_fields": {}}},
        {"haircut": {"CONTACT_FIELDS": None}},
        {"haircut": {"CONTACT_FIELDS": {"email": "never"}}},
    ],
    "QUESTIONS": [
        "questions",
        "my_site..questions",
        ["allergies"],
        7,
        {"": []},
        {"haircut": None},
        {"haircut": [{"name": "allergies"}]},
        {"*": [{"name": "allergies", "label": "Any allergies?", "kind": "color"}]},
    ],
    "PRIVACY_URL": [
        "http://salon.example/",
        "//evil.example",
        "javascript:alert(1)",
        "privacy",
        {},
        {"de": ""},
        ["/"],
        7,
    ],
    "TERMS_URL": ["ftp://salon.example/", {"german": "/x"}, {7: "/x"}, {"de": None}, 7],
    "CONSENT": ["rules", BOX, 7, [7], [{}], [BOX, BOX], [{**BOX, "marketing": True, "required": True}], [BOX] * 6],
    "BROWSE_SECONDS": [0, 0.05, 25.5, *NOT_A_NUMBER],
    "BOOKING_SECONDS": [0, -1, 26, *NOT_A_NUMBER],
    "CATALOG_FRESH_SECONDS": [0, 86401, *NOT_WHOLE],
    "CATALOG_STALE_SECONDS": [0, 86401, *NOT_WHOLE],
    "CATALOG_STALE_IF_ERROR_SECONDS": [0, 86401, *NOT_WHOLE],
    "SLOTS_FRESH_SECONDS": [0, 3601, *NOT_WHOLE],
    "SLOTS_STALE_SECONDS": [0, 86401, *NOT_WHOLE],
    "SLOTS_STALE_IF_ERROR_SECONDS": [0, 86401, *NOT_WHOLE],
    "SLOTS_LAST_KNOWN_SECONDS": [0, 86401, *NOT_WHOLE],
    "LOCAL_CACHE_SECONDS": [-1, *NOT_A_NUMBER],
    "REQUESTS_PER_MINUTE": [0, 2, 1001, *NOT_WHOLE],
    "CREATIONS_PER_MINUTE": [0, 1000, *NOT_WHOLE],
    "PROCESSES": [0, 10_001, *NOT_WHOLE],
    "CACHE": ["nowhere", 7],
    "DRAFT_SECONDS": [299, 86401, *NOT_WHOLE],
    "MANAGE_LINK_DAYS": [0, 3651, *NOT_WHOLE],
    "TRUSTED_PROXIES": [-1, 21, *NOT_WHOLE],
    "MAILS_PER_RECIPIENT": [-1, 1001, *NOT_WHOLE],
    "BOOKINGS_PER_ADDRESS": [-1, 1001, *NOT_WHOLE],
    "LOOKUPS_PER_ADDRESS": [-1, 1001, *NOT_WHOLE],
    "CHANGES_PER_ADDRESS": [-1, 1001, *NOT_WHOLE],
    "MANAGE_VIEWS_PER_ADDRESS": [-1, 1001, *NOT_WHOLE],
    "FETCHES_PER_ADDRESS": [-1, 101, *NOT_WHOLE],
    "LOOKUPS_PER_NUMBER": [-1, 1001, *NOT_WHOLE],
    "BOOKINGS_PER_CONTACT": [-1, 1001, *NOT_WHOLE],
    "BOOKINGS_PER_CONTACT_DAILY": [-1, 1001, *NOT_WHOLE],
    "LOOKUPS_PER_NUMBER_AND_ADDRESS": [-1, 1001, *NOT_WHOLE],
    "MINIMUM_FILL_SECONDS": [-1, 6, *NOT_A_NUMBER],
    "SPAM_CHECK": ["is_human", "shop..checks", "shop.checks()", 7],
    "SPAM_CHECK_ORIGINS": ["https://puzzle.example", ["*"], 7],
    "WEBHOOK_SECRETS": ["", [""], ["whsec_new", ""], [" padded"], "line\n", ["x" * 501], [None], [7], 7, b"bytes"],
    "WEBHOOK_SIGNED_PAYLOAD": ["body.timestamp", "id.timestamp.body", 7, True],
    "WEBHOOK_SIGNATURE_ENCODING": ["HEX", "base32", 7],
    "FUNNEL": [1, "yes", "False", []],
    "GUESTS": [-1, 21, "PARTY", "21", ["party"], *NOT_WHOLE],
    "BOOK_AGAIN_WEEKS": [-1, 53, *NOT_WHOLE],
    "NEXT_FREE": [1, "yes", "False", []],
    "ATTEMPT_RETENTION_DAYS": [-1, 1, 6, 3651, *NOT_WHOLE],
    "DELIVERY_RETENTION_DAYS": [-1, 1, 39, 3651, *NOT_WHOLE],
    "COUNT_RETENTION_DAYS": [-1, 1, 89, 3651, *NOT_WHOLE],
    "CONSENT_RETENTION_DAYS": [-1, 1, 29, 3651, *NOT_WHOLE],
    "WARMING": [1, "yes", "False", []],
    "MAIL": ["yes", 1, "False"],
    "MAIL_FROM": ["salon", "Acme <salon>", "a@b\nBcc: c@d", "a@b@c", "x" * 400 + "@b", 7],
    "SITE_URL": [
        "salon.example",
        "http://salon.example",
        "https://*.salon.example",
        "https://user@salon.example",
        "https://salon.example/?q",
        "https://salon.example/#top",
        "https://salon.example/a b",
        "https://salon.example\n",
        "javascript:alert(1)",
        7,
    ],
    "INDEX": ["yes", 1, "False", []],
    "INLINE_STYLE": ["yes", 1, "False", []],
    "PUBLIC_CACHE_SECONDS": [-1, 301, *NOT_WHOLE],
    "REMINDER_HOURS": [-1, 337, *NOT_WHOLE],
    "STAFF_EMAIL": [
        "desk",
        "Desk <desk@salon.example>",
        "a@b.example\nBcc: c",
        ["a@b.example", ""],
        [],
        7,
        ["a@b.c"] * 11,
    ],
    "PREFILL": ["prefill", "shop..booking", "shop.booking.prefill()", 7],
    "MESSENGER": ["send", "shop..messages", "shop.messages.send()", 7],
    "MESSENGER_FOR": ["none", "ALL", True],
}


def rows(table):
    """Each setting with each of its values."""
    return [
        pytest.param(name, value, id=f"{name}-{index}")
        for name, values in table.items()
        for index, value in enumerate(values)
    ]


def test_every_setting_has_its_rule_tested():
    """A new one needs good and bad examples here; only the test transport takes anything."""
    assert GOOD.keys() == BAD.keys() == SETTINGS.keys() - {"TRANSPORT"}


def beside(name: str, value: float) -> dict[str, float | str]:
    """The settings that another one needs.

    The other ages of a lifetime, so that they do not decrease: shorter ones at 1, longer ones equal.
    """
    if name == "MESSENGER":
        return {"SITE_URL": "https://salon.example"}
    for names in LIFETIMES:
        if name in names:
            return {other: 1 if names.index(other) < names.index(name) else value for other in names}
    return {}


@pytest.mark.parametrize(("name", "value"), rows(GOOD))
def test_a_good_value_is_taken(settings, name, value):
    """Without a word, and it reaches the account."""
    settings.KORDLESS_BOOKING = {**FLAT, **beside(name, value), name: value}
    assert find_errors(settings.KORDLESS_BOOKING) == []
    taken = getattr(get_account(None), name.lower())
    if name == "BASE_URL":
        assert taken == value.rstrip("/")
    elif name == "DONE_URL":
        assert taken in {value, f"{value}/"}
    elif name.endswith("ORIGINS"):
        assert taken == tuple(sorted(value))
    elif name in {"WEBHOOK_SECRETS", "STYLE_SHEETS"}:
        assert taken == tuple(value)
    elif name == "QUESTIONS":
        assert taken == parse_setting(value)
    elif name == "CONSENT":
        assert [(box.name, box.label, box.required) for box in taken] == [
            (box["name"], box["label"], box.get("required", False)) for box in value
        ]
    else:
        assert taken == value


@pytest.mark.parametrize(("name", "value"), rows(BAD))
def test_a_bad_value_is_one_mistake_with_a_hint(settings, name, value):
    """It names the setting, shows the value or its wrong part, and stops the widget instead of surprising it later."""
    found = find_errors({**FLAT, name: value})
    assert [mistake.kind for mistake in found] == ["wrong"]
    assert found[0].text.startswith(f"KORDLESS_BOOKING: {name} is invalid")
    if SETTINGS[name].secret:
        assert found[0].text == f"KORDLESS_BOOKING: {name} is invalid."
    assert found[0].hint
    settings.KORDLESS_BOOKING = {**FLAT, name: value}
    with pytest.raises(ImproperlyConfigured, match=f"{name} is invalid"):
        accounts()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"PROCESSES": "four"}, "PROCESSES is invalid: 'four'."),
        ({"PROCESSES": "4.0"}, "PROCESSES is invalid: '4.0'."),
        ({"REMINDER_HOURS": True}, "REMINDER_HOURS is invalid: True."),
        ({"FUNNEL": "False"}, "FUNNEL is invalid: 'False'."),
        (
            {"EMBED_ORIGINS": ["https://a.example", "http://b.example", "*"]},
            "EMBED_ORIGINS is invalid: its entry 'http://b.example'.",
        ),
        ({"STYLE_SHEETS": ("a.css", "../b.css")}, "STYLE_SHEETS is invalid: its entry '../b.css'."),
        ({"EMBED_ORIGINS": "https://a.example"}, "EMBED_ORIGINS is invalid: 'https://a.example'."),
        ({"BASE_URL": "https://user:pw@a.example"}, "BASE_URL is invalid: 'https://…@a.example'."),
        ({"WEBHOOK_SECRETS": ["whsec_new", ""]}, "WEBHOOK_SECRETS is invalid."),
        ({"API_KEY": "two words"}, "API_KEY is invalid."),
    ],
)
def test_a_wrong_value_is_shown_by_its_entry_and_without_secrets(given, text):
    """Where the value comes from the environment, nobody sees it in the settings."""
    (mistake,) = find_errors({**FLAT, **given})
    assert mistake.text == f"KORDLESS_BOOKING: {text}"


@pytest.mark.parametrize("name", ["ORG_SLUG", "BASE_URL", "PHONE_REGION", "SUPPORT_EMAIL", "CACHE", "SERVICES"])
@pytest.mark.parametrize("secret", ["kb canary key 5f1d9c", "kb-canary-key-" + "x" * 90])
def test_a_secret_in_the_wrong_place_is_not_shown(name, secret):
    """Whoever mixes up two lines gets no key into a log, not even its edges."""
    for mixed_up in (
        {"API_KEY": secret, name: secret},
        {"WEBHOOK_SECRETS": ["y" * 30, secret], name: [secret]},
    ):
        written = repr(find_errors({**FLAT, **mixed_up}))
        assert name in written
        assert "canary" not in written
        assert secret[-8:] not in written


def test_a_misspelled_word_gets_the_nearest_one():
    """Themes above all, which nobody knows by heart."""
    (mistake,) = find_errors({**FLAT, "THEME": "Saloon"})
    assert mistake.text == "KORDLESS_BOOKING: THEME is invalid: 'Saloon'."
    assert mistake.hint == 'Did you mean "salon"? One of: "clinic", "salon", "studio".'


NUMBERS = [name for name, values in GOOD.items() if any(type(value) in {int, float} for value in values)]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_may_be_given_as_text(settings, name):
    """As the environment gives it; the account has the number."""
    for value in GOOD[name]:
        if type(value) in {int, float}:
            settings.KORDLESS_BOOKING = {
                **FLAT,
                **{key: str(other) if name != "MESSENGER" else other for key, other in beside(name, value).items()},
                name: f" {value}",
            }
            assert find_errors(settings.KORDLESS_BOOKING) == []
            taken = getattr(get_account(None), name.lower())
            assert (taken, type(taken)) == (value, type(value))


def test_a_number_of_a_service_may_be_given_as_text(settings):
    """SERVICES has numbers too."""
    settings.KORDLESS_BOOKING = {**FLAT, "SERVICES": {"haircut": {"GUESTS": "3", "BOOK_AGAIN_WEEKS": "6"}}}
    own = get_account(None).service_settings("haircut")
    assert (own.guests, own.book_again_weeks) == (3, 6)


@given(text=st.text(max_size=12) | st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{0,3})?", fullmatch=True))
def test_any_text_for_a_number_is_read_or_reported(text):
    """Never is it taken for another number than the one that stands there."""
    found = find_errors({**FLAT, "REMINDER_HOURS": text})
    if found:
        assert not (text.isascii() and text.isdecimal() and 0 <= int(text) <= 336 and len(text) < 10)
    else:
        assert text == "" or 0 <= int(text) <= 336


@fast(max_examples=60, deadline=None)
@given(
    value=st.text(max_size=30)
    | st.from_regex(r"https?://[^/]{0,12}[/?#]?.{0,8}", fullmatch=True)
    | st.sampled_from([7, None, b"https://x.example"])
)
def test_a_base_url_that_passes_is_one_that_the_wire_takes(value):
    """The check promises what the client keeps."""
    if value and not find_errors({**FLAT, "BASE_URL": value}):
        assert validated_base_url(value)


@pytest.mark.parametrize(
    ("every", "creations"),
    [
        ({"REQUESTS_PER_MINUTE": 10}, {}),
        ({}, {"CREATIONS_PER_MINUTE": 60}),
        ({"REQUESTS_PER_MINUTE": 30}, {"CREATIONS_PER_MINUTE": 30}),
    ],
)
def test_creations_leave_something_of_the_rate_limit(every, creations):
    """Else nobody could look at times or cancel."""
    (mistake,) = find_errors({**FLAT, **every, **creations})
    assert (mistake.kind, "CREATIONS_PER_MINUTE" in mistake.text) == ("wrong", True)


@pytest.mark.parametrize(("shorter", "longer"), [pair for names in LIFETIMES for pair in pairwise(names)])
def test_a_lifetime_that_is_shorter_than_the_one_before_it_is_a_mistake(shorter, longer):
    """A value can't be shown in an outage for less long than it is fresh; an equal age is fine."""
    ages = {name: 100 for names in LIFETIMES for name in names}
    assert find_errors({**FLAT, **ages}) == []
    ages = {**ages, longer: 99} if longer in {names[-1] for names in LIFETIMES} else {**ages, shorter: 101}
    (mistake,) = find_errors({**FLAT, **ages})
    assert mistake.text == f"KORDLESS_BOOKING: {longer} is less than {shorter}."
    assert f"set {longer} to " in mistake.hint


def test_a_lifetime_is_compared_with_the_defaults_of_those_that_are_not_set():
    """Free times that are fresh for an hour need a longer life in an outage too, and the hint says so."""
    found = find_errors({**FLAT, "SLOTS_FRESH_SECONDS": 3600})
    assert [mistake.text for mistake in found] == [
        "KORDLESS_BOOKING: SLOTS_STALE_SECONDS is less than SLOTS_FRESH_SECONDS."
    ]


def test_an_invalidation_outlasts_the_longest_lifetime_that_can_be_set():
    """Else a value that was invalidated would count as known again."""
    for *_, longest in LIFETIMES:
        assert find_errors({**FLAT, longest: INVALIDATION_SECONDS - 1}) != []


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"CONTACT_FIELDS": "email"}, "'email' is not a dictionary."),
        (
            {"CONTACT_FIELDS": {"mail": "required"}},
            '\'mail\' is not a field: use "email", "phone", "notes" or "name".',
        ),
        (
            {"CONTACT_FIELDS": {"email": "mandatory"}},
            '"email" is \'mandatory\': use "required", "optional" or "hidden".',
        ),
        ({"CONTACT_FIELDS": {"name": "required"}}, '"name" is \'required\': use "full" or "first_last".'),
        (
            {"SERVICES": {"haircut": {"CONTACT_FIELDS": {"phone": False}}}},
            'CONTACT_FIELDS of "haircut": "phone" is False: use "required", "optional" or "hidden".',
        ),
        (
            {"SERVICES": {"haircut": {"GUESTS": "many"}}},
            'GUESTS of "haircut": \'many\'. "party", or a whole number from 0 to 20; 0 for no guests.',
        ),
        (
            {"SERVICES": {"haircut": {"CONTACTS": {}}}},
            "\"haircut\" has an unknown key 'CONTACTS'. Known keys: CONTACT_FIELDS, GUESTS, BOOK_AGAIN_WEEKS.",
        ),
        ({"SERVICES": {"haircut": ["email"]}}, "\"haircut\" is ['email'], not a dictionary of settings."),
    ],
)
def test_the_hint_of_a_setting_with_parts_shows_the_wrong_part(given, hint):
    """Which key, its value, and the values that it may have."""
    (mistake,) = find_errors({**FLAT, **given})
    assert mistake.hint == hint


def test_the_hint_of_a_setting_with_parts_stays_short():
    """A whole configuration that was written there by mistake isn't printed."""
    (mistake,) = find_errors({**FLAT, "CONTACT_FIELDS": {"email": {"x" * 10_000: 1}}})
    assert len(mistake.hint) < 200


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"CONTACT_FIELDS": {"email": "hidden", "phone": "hidden"}}, ["CONTACT_FIELDS"]),
        (
            {"CONTACT_FIELDS": {"email": "hidden"}, "SERVICES": {"haircut": {"CONTACT_FIELDS": {"phone": "hidden"}}}},
            ['SERVICES["haircut"]'],
        ),
        (
            {
                "CONTACT_FIELDS": {"email": "hidden", "phone": "hidden"},
                "SERVICES": {
                    "haircut": {"CONTACT_FIELDS": {"notes": "hidden"}},
                    "styling": {"CONTACT_FIELDS": {"phone": "required"}},
                },
            },
            ["CONTACT_FIELDS"],
        ),
    ],
)
def test_a_form_without_any_contact_is_a_mistake(settings, given, where):
    """Also where only a service's own setting, over the account's, makes it so; it is reported once."""
    settings.KORDLESS_BOOKING = {**FLAT, **given}
    found = find_errors(settings.KORDLESS_BOOKING)
    assert [mistake.text for mistake in found] == [
        f'KORDLESS_BOOKING: {key} has "email" and "phone" both "hidden".' for key in where
    ]
    with pytest.raises(ImproperlyConfigured, match='both "hidden"'):
        accounts()


@pytest.mark.parametrize(
    ("account", "service", "fields"),
    [
        ({}, {}, ContactFields()),
        ({"email": "required"}, {}, ContactFields(email="required")),
        ({"email": "required"}, {"email": "optional"}, ContactFields()),
        # What is shown alone is required, whatever else is said of it.
        ({"email": "hidden"}, {}, ContactFields(email="hidden", phone="required")),
        ({"phone": "hidden"}, {"email": "optional"}, ContactFields(email="required", phone="hidden")),
        # A service replaces single keys.
        (
            {"email": "hidden", "name": "first_last"},
            {"email": "required", "notes": "hidden"},
            ContactFields(email="required", notes="hidden", name="first_last"),
        ),
    ],
)
def test_a_service_has_the_accounts_settings_but_for_its_own(settings, account, service, fields):
    """Each key by itself; a service that isn't mentioned has the account's."""
    settings.KORDLESS_BOOKING = {
        **FLAT,
        "CONTACT_FIELDS": account,
        "SERVICES": {"haircut": {"CONTACT_FIELDS": service}},
    }
    found = get_account(None)
    assert found.service_settings("haircut").contact_fields == fields
    assert found.service_settings("other").contact_fields == ContactFields.from_setting(account)


@pytest.mark.parametrize(
    ("account", "service", "contacts"),
    [
        ({}, {}, ("email", "phone")),
        ({"phone": "hidden"}, {}, ("email",)),
        ({"email": "hidden"}, {}, ("phone",)),
        ({"email": "hidden"}, {"notes": "hidden"}, ("phone",)),
        ({"email": "hidden"}, {"email": "required"}, ("email", "phone")),
    ],
)
def test_an_account_asks_for_what_any_of_its_services_asks_for(settings, account, service, contacts):
    """Bookings of all services are looked up by one form."""
    settings.KORDLESS_BOOKING = {
        **FLAT,
        "CONTACT_FIELDS": account,
        "SERVICES": {"haircut": {"CONTACT_FIELDS": service}},
    }
    assert get_account(None).requested_contacts() == contacts


def test_changing_the_sites_own_dictionary_changes_no_account(settings):
    """An account has a copy, however deep."""
    fields, services = {"email": "required"}, {"haircut": {"CONTACT_FIELDS": {"phone": "required"}}}
    settings.KORDLESS_BOOKING = {**FLAT, "CONTACT_FIELDS": fields, "SERVICES": services}
    before = get_account(None).service_settings("haircut")
    fields["email"] = "hidden"
    services["haircut"]["CONTACT_FIELDS"]["phone"] = "hidden"
    assert get_account(None).service_settings("haircut") == before


@fast(max_examples=80, deadline=None)
@given(
    fields=st.recursive(
        st.none() | st.booleans() | st.text(max_size=8) | st.sampled_from(["required", "optional", "hidden"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["email", "phone", "notes", "name", "CONTACT_FIELDS", "x"]), inner)
        ),
        max_leaves=6,
    )
)
def test_any_value_of_the_contact_fields_is_taken_or_explained(fields):
    """Nothing raises, and what is taken leaves a way to reach the customer."""
    raw = {**FLAT, "CONTACT_FIELDS": fields, "SERVICES": {"haircut": {"CONTACT_FIELDS": fields}}}
    found = find_errors(raw)
    assert all(mistake.hint for mistake in found)
    if not found:
        for value in (fields or {}, {}):
            assert ContactFields.from_setting(value).contacts


@pytest.mark.parametrize("raw", [None, [], "key", 7])
def test_without_settings_it_says_what_to_add(settings, raw):
    """Also when they are something else than a dictionary."""
    (mistake,) = find_errors(raw)
    assert mistake.kind == "missing"
    assert '"API_KEY"' in mistake.hint
    settings.KORDLESS_BOOKING = raw
    with pytest.raises(ImproperlyConfigured, match="is not set"):
        accounts()


@pytest.mark.parametrize(
    ("raw", "kinds"),
    [
        ({}, ["api_key", "org_slug"]),
        ({"API_KEY": None, "ORG_SLUG": ""}, ["api_key", "org_slug"]),
        ({"API_KEY": KEY}, ["org_slug"]),
        ({"ORG_SLUG": "acme"}, ["api_key"]),
        ({"SANDBOX": True}, []),
        ({"SANDBOX": False}, ["api_key", "org_slug"]),
        ({"ACCOUNTS": {}}, ["wrong"]),
        ({"ACCOUNTS": None}, ["wrong"]),
        ({"ACCOUNTS": ["north"]}, ["wrong"]),
        ({"ACCOUNTS": {"north": None}}, ["wrong"]),
        ({"ACCOUNTS": {"north:1": FLAT}}, ["wrong"]),
        ({"ACCOUNTS": {"": FLAT}}, ["wrong"]),
        ({"ACCOUNTS": {"x" * 101: FLAT}}, ["wrong"]),
        ({"ACCOUNTS": {"north": {}, "south": FLAT}}, ["api_key", "org_slug"]),
        ({"PHONE_REGION": "us", "BROWSE_SECONDS": 0, "CACHE": 7}, ["api_key", "org_slug", "wrong", "wrong", "wrong"]),
    ],
)
def test_all_mistakes_are_reported_at_once(raw, kinds):
    """In one go, so that nobody fixes them one by one."""
    assert [mistake.kind for mistake in find_errors(raw)] == kinds


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("APIKEY", "API_KEY"),
        ("api_key", "API_KEY"),
        ("ORG", "ORG_SLUG"),
        ("BASEURL", "BASE_URL"),
        ("PHONE_REGIONS", "PHONE_REGION"),
        ("EMBED_ORIGIN", "EMBED_ORIGINS"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("ACCOUNT", "ACCOUNTS"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(settings, typed, meant):
    """Misspelt settings are not silently ignored; but they don't close the site either."""
    settings.KORDLESS_BOOKING = raw = {**FLAT, typed: "x"}
    (mistake,) = find_errors(raw)
    assert (mistake.kind, mistake.hint) == ("unknown", f"Did you mean {meant}?")
    assert accounts()


@pytest.mark.parametrize("typed", ["XYZZY", 7, ("a",)])
def test_an_unknown_key_like_no_other_gets_the_list(typed):
    """All there are."""
    (mistake,) = find_errors({**FLAT, typed: "x"})
    assert "API_KEY" in mistake.hint
    assert "TRUSTED_PROXIES" in mistake.hint


def test_a_mistake_in_an_account_says_in_which(settings):
    """By the path that stands in the settings."""
    raw = {"ACCOUNTS": {"north": FLAT, "default": {**FLAT, "PHONE_REGION": "us"}}}
    (mistake,) = find_errors(raw)
    assert mistake.text == 'KORDLESS_BOOKING["ACCOUNTS"]["default"]: PHONE_REGION is invalid: \'us\'.'


def test_keys_beside_the_accounts_are_defaults_for_all(settings):
    """And each may say otherwise."""
    settings.KORDLESS_BOOKING = {
        "API_KEY": KEY,
        "PHONE_REGION": "GB",
        "ACCOUNTS": {"north": {"ORG_SLUG": "n"}, "south": {"ORG_SLUG": "s", "PHONE_REGION": "DE", "API_KEY": "other"}},
    }
    north, south = get_account("north"), get_account("south")
    assert (north.name, north.api_key, north.phone_region) == ("north", KEY, "GB")
    assert (south.name, south.api_key, south.phone_region) == ("south", "other", "DE")
    assert list(accounts()) == ["north", "south"]


@pytest.mark.parametrize("name", [None, "", "kordless_booking", "west"])
def test_with_several_accounts_the_namespace_must_be_one(settings, name):
    """Else the message says which there are."""
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"north": FLAT, "south": FLAT}}
    with pytest.raises(ImproperlyConfigured, match="one of: north, south"):
        get_account(name)


@pytest.mark.parametrize("name", [None, "kordless_booking", "anything"])
@pytest.mark.parametrize("raw", [FLAT, {"ACCOUNTS": {"only": FLAT}}])
def test_a_single_account_answers_to_any_namespace(settings, raw, name):
    """One business needs none of this."""
    settings.KORDLESS_BOOKING = raw
    assert get_account(name).org_slug == "acme-salon"


def test_empty_values_are_the_defaults(settings):
    """`os.environ.get` gives None or "" for what isn't set. Only an empty secret is a mistake: it would be guessed."""
    unset = dict.fromkeys(SETTINGS.keys() - FLAT.keys(), "")
    settings.KORDLESS_BOOKING = {**FLAT, **unset, "PHONE_REGION": None, "WEBHOOK_SECRETS": None}
    assert get_account(None) == Account(api_key=Secret(KEY), org_slug="acme-salon")


def test_one_webhook_secret_may_stand_alone(settings):
    """A list is only needed while one takes the other's place."""
    settings.KORDLESS_BOOKING = {**FLAT, "WEBHOOK_SECRETS": "whsec_alone"}
    assert get_account(None).webhook_secrets == ("whsec_alone",)
    assert "whsec" not in repr(get_account(None))


def test_an_account_is_frozen_and_hashable(settings):
    """Clients are cached by it."""
    settings.KORDLESS_BOOKING = {**FLAT, "EMBED_ORIGINS": ["https://b.example", "https://a.example"]}
    account = get_account(None)
    assert hash(account) == hash(copy.copy(account))
    with pytest.raises(AttributeError):
        account.org_slug = "other"


def test_settings_are_read_once_and_again_after_a_change(settings):
    """The same object for every request, another one after `setting_changed`, also for the caches they name."""
    settings.KORDLESS_BOOKING = FLAT
    first = accounts()
    assert accounts() is first
    settings.KORDLESS_BOOKING = {**FLAT, "ORG_SLUG": "other"}
    assert get_account(None).org_slug == "other"
    settings.KORDLESS_BOOKING = {**FLAT, "CACHE": "second"}
    with pytest.raises(ImproperlyConfigured):
        accounts()
    settings.CACHES = {**settings.CACHES, "second": settings.CACHES["default"]}
    assert get_account(None).cache == "second"


def test_mail_needs_to_know_where_the_site_is(settings):
    """Its links must not come from whatever host a request names."""
    [mistake] = find_errors({**FLAT, "MAIL": True})
    assert (mistake.kind, "SITE_URL" in mistake.text) == ("wrong", True)
    settings.KORDLESS_BOOKING = {**FLAT, "MAIL": True, "SITE_URL": "https://salon.example/"}
    assert (get_account(None).mail, get_account(None).site_url) == (True, "https://salon.example")


def test_index_needs_to_know_where_the_site_is(settings):
    """The addresses that search engines list must not come from whatever host a request names."""
    [mistake] = find_errors({**FLAT, "INDEX": True})
    assert (mistake.kind, "SITE_URL" in mistake.text) == ("wrong", True)
    settings.KORDLESS_BOOKING = {**FLAT, "INDEX": True, "SITE_URL": "https://salon.example/"}
    assert (get_account(None).index, get_account(None).site_url) == (True, "https://salon.example")
