"""Messages of the server: options and its own commands in the place of keys of KORDLESS_BOOKING and manage.py."""

from __future__ import annotations

import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from kordless_booking import conf
from kordless_booking.serve.configuration import CONFIG, OPTION_OF_KEY, read_configuration
from kordless_booking.serve.wording import OptionWording
from tests.support.serve import LOCAL
from tests.support.visitor import Page

SHOP = "https://shop.example"


@pytest.fixture
def owned(site: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site whose owner has options and no settings module."""
    site.KORDLESS_SETTING_WORDING = "kordless_booking.serve.wording.OptionWording"
    for name in (CONFIG, "EMBED_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    return site


def _missing(client: Client) -> tuple[str, str]:
    """Return the place that the snippet builder names for the missing line, and the line."""
    client.force_login(User.objects.create_user("anna", is_staff=True))
    place, line = Page("", client.get(f"/book/snippet/?site={SHOP}")).tree.css(".kb-snippet-warning code")
    return place.text(), line.text()


@pytest.mark.django_db
def test_the_builder_shows_the_line_of_the_configuration_file(
    owned: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pasted there, it allows the website."""
    file = tmp_path / "salon.toml"
    monkeypatch.setenv(CONFIG, str(file))
    place, line = _missing(client)
    assert place == "salon.toml"
    assert tomllib.loads(line) == {"embed_origins": [SHOP]}
    file.write_text(f"{line}\n")
    found = read_configuration({**LOCAL, CONFIG: str(file)})
    assert not found.problems
    assert found.kordless_booking()["EMBED_ORIGINS"] == [SHOP]


@pytest.mark.django_db
@pytest.mark.parametrize("has_file", [False, True])
def test_the_builder_shows_the_variable_where_the_environment_decides(
    owned: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, has_file: bool
) -> None:
    """Without a file, and where the variable would win over it."""
    if has_file:
        monkeypatch.setenv(CONFIG, "/etc/salon.toml")
        monkeypatch.setenv("EMBED_ORIGINS", "https://other.example")
    assert _missing(client) == ("environment", f"EMBED_ORIGINS={SHOP}")


@pytest.mark.parametrize(
    ("text", "reworded"),
    [
        (
            "set API_KEY and ORG_SLUG, and remove SANDBOX, to take real bookings",
            "set KORDLESS_API_KEY and KORDLESS_ORG_SLUG, and remove KORDLESS_SANDBOX, to take real bookings",
        ),
        ('set "REQUESTS_PER_MINUTE": 30', "set REQUESTS_PER_MINUTE = 30 in [booking]"),
        ('set "MAIL": True or a "MESSENGER"', "set EMAIL_URL or a MESSENGER in [booking]"),
        ('Mail is off: set "MAIL": True in KORDLESS_BOOKING.', "Mail is off: set EMAIL_URL."),
        ('KORDLESS_BOOKING["THEME"] is wrong', "THEME is wrong"),
        ("KORDLESS_BOOKING is valid for default", "The configuration is valid for default"),
        ("KORDLESS_API_KEY stays, and MAILING", "KORDLESS_API_KEY stays, and MAILING"),
        ("run manage.py kordless_warm", "run kordless-booking manage kordless_warm"),
        ("let cron run manage.py kordless_mail", "let cron run kordless-booking mail"),
    ],
)
def test_a_message_names_options_and_commands_of_the_server(text: str, reworded: str) -> None:
    """Also those of the table for further keys, and values as TOML has them."""
    assert OptionWording().reword(text) == reworded


@pytest.mark.parametrize("key", sorted({*conf.SETTINGS, *OPTION_OF_KEY}))
def test_every_key_has_a_name_that_the_configuration_knows(key: str) -> None:
    """An option, or a key of the table."""
    name = OptionWording().reword(f'set "{key}"').removeprefix("set ")
    assert name in {OPTION_OF_KEY.get(key), f"{key} in [booking]"}


@pytest.mark.django_db
def test_the_doctor_names_options(owned: Settings) -> None:
    """In findings and in advice, those of system checks as well."""
    owned.KORDLESS_BOOKING = {**owned.KORDLESS_BOOKING, "WEBHOOK_SECRETS": ["short"], "PREFILL": "no.such"}
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("kordless_doctor", stdout=output)
    text = output.getvalue()
    assert "list both in KORDLESS_WEBHOOK_SECRET until" in text
    assert "The PREFILL in [booking] of the account" in text
    assert "manage.py" not in text
    assert "KORDLESS_BOOKING" not in text


@pytest.mark.django_db
def test_the_doctor_of_a_django_site_names_keys(site: Settings) -> None:
    """Its owner has a settings module and manage.py."""
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("kordless_doctor", stdout=output)
    assert "set WEBHOOK_SECRETS to be notified" in output.getvalue()
