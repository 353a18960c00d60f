"""Options of `kordless-booking`: what each reader accepts, and what it says about the rest."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.serve.configuration import read_configuration
from kordless_booking.serve.options import OPTIONS, InvalidValue, Option, read_flag, read_list, read_mail_server

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
HOST_LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("SITE_URL", "https://book.salon.example/", "https://book.salon.example"),
        ("SITE_URL", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ALLOWED_HOSTS", " a.example, ,b.example ", ["a.example", "b.example"]),
        ("TRUSTED_PROXIES", "2", 2),
        ("SECURE_PROXY_SSL_HEADER", "HTTP_X_FORWARDED_PROTO, https", ("HTTP_X_FORWARDED_PROTO", "https")),
        ("KORDLESS_SANDBOX", "Yes", True),
        ("PORT", "8123", 8123),
        ("LANGUAGES", "en,de,pt_BR", ["en", "de", "pt-br"]),
        ("LANGUAGE_CODE", "de", "de"),
        ("TIME_ZONE", "Europe/Berlin", "Europe/Berlin"),
        ("THEME", "salon", "salon"),
        ("EMBED_ORIGINS", "https://a.example,https://*.b.example", ["https://a.example", "https://*.b.example"]),
        ("INDEX", "0", False),
        ("APPS", "waitlist,customers", ["waitlist", "customers"]),
        ("REMINDER_HOURS", "48", 48),
        ("REDIS_URL", "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
    ],
)
def test_an_option_is_read_from_text(name: str, text: str, value: Any):
    """Environment and file give the same text, and an option has one rule for it."""
    assert OPTIONS[name].read(text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("SITE_URL", "http://book.salon.example", "https://"),
        ("SITE_URL", "https://salon.example/book", "https:// and a host"),
        ("TRUSTED_PROXIES", "one", "whole number"),
        ("SECURE_PROXY_SSL_HEADER", "X-Forwarded-Proto: https", "HTTP_X_FORWARDED_PROTO,https"),
        ("KORDLESS_SANDBOX", "perhaps", "1 or 0"),
        ("PORT", "0", "from 1 to 65535"),
        ("PORT", "9" * 5000, "from 1 to 65535"),
        ("LANGUAGES", "en,tlh", "de"),
        ("LANGUAGE_CODE", "en,de", "one language"),
        ("TIME_ZONE", "Berlin", "Europe/Berlin"),
        ("THEME", "saloon", "salon"),
        ("EMBED_ORIGINS", "*", "A list of origins"),
        ("APPS", "crm", "waitlist"),
        ("DATABASE_URL", "postgres", "postgres://"),
        ("DATABASE_URL", "postgres://db.example", "name of a database"),
        ("REDIS_URL", "http://127.0.0.1", "redis://"),
        ("EMAIL_URL", "mail.example", "smtp+tls://"),
        ("EMAIL_URL", "smtp://mail.example:none", "smtp+tls://"),
        ("KORDLESS_API_KEY", "two words", "without spaces"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_refused_with_what_it_can(name: str, text: str, message: str):
    """The message says which values are possible."""
    with pytest.raises(InvalidValue, match=None) as caught:
        OPTIONS[name].read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
@given(text=ANY_TEXT)
def test_no_text_breaks_the_reader_of_an_option(option: Option, text: str):
    """Any text is a value or a refusal, never another exception; a refusal repeats no secret."""
    secret, refusal = f"canary-{text}", ""
    try:
        option.read(secret)
    except InvalidValue as error:
        refusal = str(error)
    assert "canary" not in refusal
    problems = read_configuration({option.name: secret}).problems
    assert not option.secret or not any("canary" in problem for problem in problems)


@given(st.text(max_size=20))
def test_a_flag_is_on_off_or_refused(text: str):
    """Nothing is taken for off because it isn't on."""
    try:
        assert read_flag(text) is (text.lower() in {"1", "true", "yes", "on"})
    except InvalidValue:
        assert text.lower() not in {"0", "false", "no", "off"}


@given(st.lists(st.from_regex(r"[a-z.]{1,10}", fullmatch=True)))
def test_a_list_is_what_stands_between_commas(entries: list[str]):
    """Spaces around an entry, and empty entries, change nothing."""
    assert read_list(" , ".join(entries)) == entries
    assert read_list(",," + ",,".join(entries)) == entries


@given(
    scheme=st.sampled_from([("smtp", False, False), ("smtp+tls", True, False), ("smtps", False, True)]),
    host=HOST_LABEL,
    port=st.integers(1, 65535),
    username=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    password=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
)
def test_a_mail_server_is_what_its_url_says(
    scheme: tuple[str, bool, bool], host: str, port: int, username: str, password: str
):
    """Name and password may have any characters, percent-encoded."""
    name, tls, ssl = scheme
    found = read_mail_server(f"{name}://{quote(username, safe='')}:{quote(password, safe='')}@{host}:{port}")
    assert (found["host"], found["port"]) == (host, port)
    assert (found["username"], found["password"]) == (username, password)
    assert (found["use_tls"], found["use_ssl"]) == (tls, ssl)
