"""Command `kordless-booking`, as far as it gets without a complete configuration, and what it prints."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core import management
from django.db import OperationalError

from kordless_booking.serve import cli
from kordless_booking.serve.configuration import CONFIG
from kordless_booking.serve.example import example_file, options_table
from kordless_booking.serve.options import OPTIONS


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Variables that the command sets are gone after the test, and it runs in a folder of its own."""
    monkeypatch.setattr(os, "environ", {"STATE_FOLDER": str(tmp_path / "state")})
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", [["serve"], ["serve", "--check"], ["admin", "anna"], ["mail"], ["upgrade"]])
def test_no_command_begins_half_configured(command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """All that is missing is named, the exit code is 2, and nothing was made."""
    assert cli.main(command) == cli.EXIT_INCOMPLETE
    output = capsys.readouterr().err.splitlines()
    assert output[0] == "kordless-booking can't start yet."
    assert [line.split()[1] for line in output[1:]] == ["KORDLESS_API_KEY", "KORDLESS_ORG_SLUG", "SITE_URL"]
    assert list(tmp_path.iterdir()) == []


def test_the_sandbox_is_refused_together_with_a_key(capsys: pytest.CaptureFixture[str]):
    """Somebody who has an account would otherwise take bookings that reach nobody."""
    os.environ |= {"KORDLESS_API_KEY": "kb-canary", "KORDLESS_ORG_SLUG": "salon"}
    assert cli.main(["serve", "--sandbox"]) == cli.EXIT_INCOMPLETE
    output = capsys.readouterr().err
    assert "Remove one of them" in output
    assert "canary" not in output


def test_flags_are_options(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """They win over the environment, and a wrong one is named as the option."""
    os.environ["PORT"] = "8000"
    (tmp_path / "salon.toml").write_text('colour = "red"')
    assert cli.main(["serve", "--sandbox", "--port", "80000", "--config", "salon.toml"]) == cli.EXIT_INCOMPLETE
    assert os.environ["KORDLESS_SANDBOX"] == "1"
    assert os.environ[CONFIG] == str(tmp_path / "salon.toml")
    output = capsys.readouterr().err
    assert "PORT is '80000'" in output
    assert "unknown key 'colour'" in output


def test_a_state_folder_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Before anything is stored elsewhere."""
    (tmp_path / "state").write_text("")
    assert cli.main(["serve", "--sandbox"]) == cli.EXIT_INCOMPLETE
    assert f"STATE_FOLDER is {tmp_path / 'state'}, which can't be used" in capsys.readouterr().err


def test_a_secret_key_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Instead of a traceback out of the settings."""
    (tmp_path / "kordless-state").mkdir()
    (tmp_path / "kordless-state" / "secret_key").write_text("")
    os.environ.pop("STATE_FOLDER", None)
    assert cli.main(["serve", "--sandbox"]) == cli.EXIT_INCOMPLETE
    assert "its file secret_key is empty" in capsys.readouterr().err


def test_a_file_with_secrets_that_all_can_read_is_noticed(tmp_path: Path):
    """Only then: a file for its owner alone, a missing one and none at all are fine."""
    file = tmp_path / "kordless.toml"
    file.write_text("")
    file.chmod(0o644)
    assert cli.find_open_file(str(file)) == str(file)
    file.chmod(0o600)
    assert [cli.find_open_file(path) for path in (str(file), str(tmp_path / "none"), "")] == ["", "", ""]


def test_a_database_that_is_gone_is_a_sentence_and_no_traceback(monkeypatch: pytest.MonkeyPatch):
    """The timer of mail runs every five minutes, also while the database's server restarts."""

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(management, "execute_from_command_line", fail)
    with pytest.raises(cli.CommandFailed, match="The database can't be used: connection refused") as raised:
        cli._run_django(["kordless_mail"])
    assert raised.value.code == 1


def test_the_example_of_a_file_is_printed(capsys: pytest.CaptureFixture[str]):
    """It needs no configuration itself."""
    assert cli.main(["config"]) == 0
    assert capsys.readouterr().out == example_file()


def test_the_page_lists_every_option_with_its_purpose_and_default():
    """docs/serve.md has the table of options, in its order and under its headings."""
    page = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
    assert options_table() in page
    assert all(f"| `{name}` |" in page for name in OPTIONS)


@pytest.mark.parametrize("option", [["--config", "salon.toml"], ["--config=salon.toml"]])
def test_a_configuration_behind_the_command_of_manage_is_pointed_out(
    option: list[str], capsys: pytest.CaptureFixture[str]
):
    """Without a word it would be an argument of Django's command, and the site's options be called missing."""
    assert cli.main(["manage", "kordless_doctor", *option]) == cli.EXIT_INCOMPLETE
    assert "kordless-booking manage --config FILE kordless_doctor" in capsys.readouterr().err
