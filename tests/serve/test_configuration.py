"""Configuration of `kordless-booking`: environment and file, and everything that is wrong at once."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.serve.configuration import CONFIG, Configuration, read_configuration
from kordless_booking.serve.example import example_file
from kordless_booking.serve.options import OPTIONS
from tests.support.serve import ACCOUNT, LOCAL, MAIL, POSTGRES, PROXY, PUBLIC, SECRET


def configured(folder: Path, toml: str, **environment: str) -> Configuration:
    """Return what this file and these variables say."""
    path = folder / "kordless.toml"
    path.write_text(toml, encoding="utf-8")
    return read_configuration({CONFIG: str(path), **environment})


@pytest.mark.parametrize(
    "environment",
    [
        LOCAL,
        PUBLIC,
        {**PUBLIC, **SECRET, **POSTGRES, **MAIL, "REDIS_URL": "redis://cache.example", "WEB_CONCURRENCY": "4"},
        {"KORDLESS_SANDBOX": "1"},
        {"KORDLESS_SANDBOX": "1", **PROXY, "SITE_URL": "https://demo.salon.example"},
        {**ACCOUNT, **PROXY, "ALLOWED_HOSTS": "book.salon.example"},
        {**ACCOUNT, "ALLOWED_HOSTS": "127.0.0.1"},
    ],
)
def test_what_is_set_in_full_starts(environment: dict[str, str]):
    """An account and an address are enough on this machine; a public address needs its proxy as well."""
    assert read_configuration(environment).problems == ()


def test_everything_that_is_missing_is_named_at_once():
    """Nobody starts five times to learn of five variables."""
    problems = read_configuration({}).problems
    assert [problem.partition(" ")[0] for problem in problems] == ["KORDLESS_API_KEY", "KORDLESS_ORG_SLUG", "SITE_URL"]
    assert "--sandbox" in problems[0]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"KORDLESS_ORG_SLUG": "salon", "SITE_URL": "http://localhost"}, ["KORDLESS_API_KEY is missing"]),
        ({**LOCAL, "KORDLESS_ORG_SLUG": ""}, ["KORDLESS_ORG_SLUG is missing"]),
        (ACCOUNT, ["SITE_URL is missing"]),
        ({**LOCAL, "KORDLESS_SANDBOX": "1"}, ["Remove one of them"]),
        (
            {**ACCOUNT, "SITE_URL": "https://book.salon.example"},
            ["TRUSTED_PROXIES is missing", "SECURE_PROXY_SSL_HEADER is missing"],
        ),
        ({**LOCAL, **POSTGRES}, ["SECRET_KEY is missing"]),
        ({**LOCAL, "SECRET_KEY": "canary"}, ["SECRET_KEY is too weak"]),
        ({**LOCAL, "SECRET_KEY": "django-insecure-" + "canary" * 9}, ["SECRET_KEY is too weak"]),
        ({**LOCAL, "EMAIL_URL": MAIL["EMAIL_URL"]}, ["MAIL_FROM is missing"]),
        ({**LOCAL, **MAIL, "EMAIL_HOST": "mail.example"}, ["EMAIL_URL and EMAIL_HOST are both set"]),
        (
            {**LOCAL, "STAFF_EMAIL": "desk@salon.example", "MAIL_FROM": "a@salon.example"},
            ["MAIL_FROM is set, but no mail server", "STAFF_EMAIL is set, but no mail server"],
        ),
        (
            {**LOCAL, "EMAIL_HOST": "a", "MAIL_FROM": "a@b.example", "EMAIL_USE_TLS": "1", "EMAIL_USE_SSL": "1"},
            ["both on"],
        ),
        ({**LOCAL, "PORT": "http", "TIME_ZONE": "Mars"}, ["TIME_ZONE is 'Mars'", "PORT is 'http'"]),
    ],
)
def test_a_half_configuration_is_refused_in_plain_words(environment: dict[str, str], expected: list[str]):
    """Each problem is named once, and none with the value of a secret."""
    problems = read_configuration(environment).problems
    assert len(problems) == len(expected)
    assert all(text in problem for text, problem in zip(expected, problems, strict=True))
    assert "canary" not in "".join(problems)


def test_the_environment_wins_over_the_file(tmp_path: Path):
    """A file has what stays, a variable what differs this once."""
    found = configured(tmp_path, 'kordless_org_slug = "north"\nport = 8100\nindex = true', KORDLESS_ORG_SLUG="south")
    assert (found["KORDLESS_ORG_SLUG"], found["PORT"], found["INDEX"]) == ("south", 8100, True)


def test_lists_and_further_settings_of_the_file_are_read(tmp_path: Path):
    """A list of TOML is a list, and the table has any setting of KORDLESS_BOOKING that has no option."""
    toml = """
    embed_origins = ["https://a.example", "https://b.example"]
    [booking]
    BOOK_AGAIN_WEEKS = 6
    CONTACT_FIELDS = { email = "required" }
    """
    found = configured(tmp_path, toml, **PUBLIC)
    assert found.problems == ()
    settings = found.kordless_booking()
    assert settings["EMBED_ORIGINS"] == ["https://a.example", "https://b.example"]
    assert settings["BOOK_AGAIN_WEEKS"] == 6
    assert settings["CONTACT_FIELDS"] == {"email": "required"}


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('kordless_org_slg = "salon"', "Did you mean kordless_org_slug?"),
        ("workers = 2", "Did you mean web_concurrency?"),
        ("GUESTS = 3", "It belongs in the table [booking]."),
        ('colour = "red"', "unknown key 'colour'"),
        ("port = 8000.5", "must be a text, a number"),
        ("port = [8000]", "must be a text, a number"),
        ('booking = "x"', "must be a table"),
        ('[booking]\nAPI_KEY = "kb-canary"', "write kordless_api_key above the table"),
        ("[booking]\nBOOK_AGAIN_WEEKS = 600", "BOOK_AGAIN_WEEKS"),
        ("[booking.ACCOUNTS.north]", "one business"),
        ('secret_key = "canary', "not valid TOML: at end of document"),
        ("theme = salon", "not valid TOML: at line 1, column 9. Texts stand in quotation marks"),
        (f"port = {'9' * 5000}", "not valid TOML"),
        (f"port = 0x{'f' * 5000}", "not valid TOML"),
        (f"[booking]\nQUESTIONS = {{ cut = [0x{'f' * 5000}] }}", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, toml: str, expected: str):
    """Unknown keys get a suggestion, and no message has a secret."""
    [problem] = configured(tmp_path, toml, **PUBLIC).problems
    assert expected in problem
    assert "canary" not in problem


@given(
    name=st.sampled_from(sorted(OPTIONS)),
    value=st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs", "Cc"])),
        st.lists(st.one_of(st.integers(0, 9), st.text(st.characters(exclude_categories=["Cs", "Cc"])))),
    ),
)
def test_no_value_of_a_file_breaks_the_reader(name: str, value: object):
    """Each is taken, or named with the option; none raises."""
    with TemporaryDirectory() as folder:
        found = configured(Path(folder), f"{name.lower()} = {json.dumps(value)}", **PUBLIC)
    assert found[name] is not None or OPTIONS[name].default is None
    assert all(isinstance(problem, str) and problem for problem in found.problems)


@pytest.mark.parametrize("name", sorted(name for name, option in OPTIONS.items() if option.default is None))
def test_a_variable_that_is_not_utf_8_is_refused(name: str):
    """Python passes its bytes on as lone surrogates, at which a page, a mail or a log line would break later."""
    given = "postgres://\udcff/x" if name == "DATABASE_URL" else f"https://\udcff{'a' * 40}"
    problems = read_configuration({**PUBLIC, name: given}).problems
    assert any(problem.startswith(f"{name} ") for problem in problems)
    assert "\udcff" not in "".join(problems)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    """Nothing starts with half a configuration because the other half wasn't found."""
    [problem] = read_configuration({**PUBLIC, CONFIG: str(tmp_path / "none.toml")}).problems
    assert "none.toml, which can't be read" in problem


@pytest.mark.parametrize("toml", [None, "theme = salon"])
def test_what_stands_in_a_file_that_cannot_be_read_is_not_called_missing(tmp_path: Path, toml: str | None):
    """The file is the one thing to mend: who looks for the key in it would find it there."""
    path = tmp_path / "salon.toml"
    if toml:
        path.write_text(toml, encoding="utf-8")
    [problem] = read_configuration({CONFIG: str(path)}).problems
    assert str(path) in problem


def test_the_example_file_names_every_option_and_is_valid_in_full():
    """Without its comment marks, each line is TOML, and has the default."""
    example = example_file()
    assert tomllib.loads(example) == {}
    set_all = tomllib.loads("\n".join(re.findall(r"^# ([a-z_]+ = .+)$", example, re.MULTILINE)))
    assert {name.upper() for name in set_all} == OPTIONS.keys()


def test_the_state_folder_is_systemds_where_it_gives_one(tmp_path: Path):
    """StateDirectory of a unit needs no variable of ours, and may be several folders."""
    assert read_configuration({"STATE_DIRECTORY": f"{tmp_path}:/other"}).state_folder == tmp_path
    assert read_configuration({"STATE_DIRECTORY": "/no", "STATE_FOLDER": str(tmp_path)}).state_folder == tmp_path
    assert read_configuration({}).state_folder == Path.cwd() / "kordless-state"


def test_the_site_answers_its_own_host_and_this_machine():
    """Health checks come to localhost; everything else to the host of SITE_URL."""
    hosts = read_configuration({**PUBLIC, "ALLOWED_HOSTS": "www.salon.example"}).allowed_hosts
    assert hosts == ["book.salon.example", "www.salon.example", "localhost", "127.0.0.1", "[::1]"]


def test_several_processes_without_a_shared_cache_divide_the_quota():
    """With Redis they count together, and PROCESSES isn't set."""
    assert read_configuration({**PUBLIC, "WEB_CONCURRENCY": "3"}).kordless_booking()["PROCESSES"] == 3
    shared = {**PUBLIC, "WEB_CONCURRENCY": "3", "REDIS_URL": "redis://cache.example"}
    assert "PROCESSES" not in read_configuration(shared).kordless_booking()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (False, None)),
        (MAIL, (True, ("mail.example", 587, True))),
        ({**MAIL, "MAIL": "0"}, (False, ("mail.example", 587, True))),
        ({"EMAIL_HOST": "m.example", "MAIL_FROM": "a@b.example"}, (True, ("m.example", 25, False))),
        (
            {"EMAIL_HOST": "m.example", "EMAIL_PORT": "2525", "MAIL_FROM": "a@b.example"},
            (True, ("m.example", 2525, False)),
        ),
        (
            {"EMAIL_HOST": "m.example", "EMAIL_USE_TLS": "1", "MAIL_FROM": "a@b.example"},
            (True, ("m.example", 587, True)),
        ),
    ],
)
def test_mail_is_on_where_there_is_a_mail_server(environment: dict[str, str], expected: tuple[bool, object]):
    """By one URL, or by Django's usual names."""
    found = read_configuration({**LOCAL, **environment})
    server = found.mail_server
    assert found.problems == ()
    assert (
        found.kordless_booking()["MAIL"],
        server and (server["host"], server["port"], server["use_tls"]),
    ) == expected
