"""Files in deploy/: what docs/serve.md shows of them, and the options that they set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kordless_booking.serve.configuration import read_configuration
from kordless_booking.serve.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("language", "name"),
    [("dockerfile", "Containerfile"), ("yaml", "compose.yaml"), ("ini", "kordless-booking.service")],
)
def test_the_page_shows_the_files_of_deploy(language: str, name: str):
    """What a reader copies from the page is the file in the repository."""
    assert f"```{language}\n{(ROOT / 'deploy' / name).read_text()}```\n" in PAGE


def test_the_container_is_given_options_that_exist():
    """A misspelled variable would be ignored without a word."""
    container = (ROOT / "deploy" / "Containerfile").read_text()
    [given] = re.findall(r"^ENV (.+)$", container, re.MULTILINE)
    names = [pair.partition("=")[0] for pair in given.split()]
    compose = (ROOT / "deploy" / "compose.yaml").read_text().partition("  database:\n    image")[0]
    names += re.findall(r"^      ([A-Z_]+):", compose, re.MULTILINE)
    assert set(names) - {"PYTHONUNBUFFERED"} <= OPTIONS.keys()
    assert len(names) == 7


def test_the_variables_for_compose_are_a_complete_configuration():
    """With the database's URL, which the compose file adds, nothing is missing."""
    [block] = [
        block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if block.startswith("KORDLESS_API_KEY")
    ]
    given = dict(line.split("=", 1) for line in block.splitlines())
    whole = {
        **given,
        "SECRET_KEY": "q3v8Tn2xL0bY5sWk7dRz9mHc4pJ-q3v8Tn2x",
        "DATABASE_URL": "postgres://a:b@database/booking",
    }
    assert read_configuration(whole).problems == ()


def test_the_files_of_the_page_are_complete_configurations(tmp_path: Path):
    """Both blocks of TOML together start, as they stand there."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "kordless.toml").write_text("\n".join(blocks), encoding="utf-8")
    found = read_configuration({"KORDLESS_CONFIG": str(tmp_path / "kordless.toml")})
    assert found.problems == ()
    assert found.is_https


def test_caddy_keeps_slow_clients_from_the_threads():
    """It sends a form on while it still comes in, so only a limit of its own ends one that never does."""
    for page in ("serve.md", "recipes/web-servers.md"):
        text = (ROOT / "docs" / page).read_text()
        [limits] = re.findall(r"timeouts \{\s*read_header (\d+)s\s*read_body (\d+)s\s*\}", text)
        assert all(0 < int(seconds) <= 30 for seconds in limits)
