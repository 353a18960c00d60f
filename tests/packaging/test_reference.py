"""Reference pages of the docs: they have each name that the code has, and no other."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
from django.dispatch import Signal
from django.test import Client
from django.urls import URLPattern
from pytest_django import Settings

from kordless_booking import hooks, python_api, signals
from kordless_booking.templatetags import kordless_booking as tags
from kordless_booking.urls import build_urlpatterns
from kordless_booking.views.program_bookings import State
from tests.support.command_reference import SECTION, TABLE, build_table, find_commands
from tests.support.deliveries import NEW, delivery

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
PUBLIC_URLS = {"services", "slots", "manage-find", "webhook", "health", "health-booking", "snippet", "embed"}


def read_section(page: str, heading: str) -> str:
    """Return the text below a heading of a page, up to the next heading of its level."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(section)


def first_cells(section: str) -> list[str]:
    """Return the names in the first column of a section's tables, in their order."""
    cells = [re.match(r"\| (.*?) \|", line) for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells if cell for name in re.findall(r"`([^`]+)`", cell[1])]


@contextmanager
def connected(signal: Signal, receiver: Callable[..., None]) -> Iterator[None]:
    """Connect a receiver in this context."""
    signal.connect(receiver)
    yield
    signal.disconnect(receiver)


@pytest.mark.parametrize("name", ["booking_widget", "next_free"])
def test_the_page_of_the_template_tags_has_each_argument_with_its_default(name: str) -> None:
    """In the order of the signature."""
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? *\|", read_section("template-tags", f"`{name}`"), re.MULTILINE)
    signature = inspect.signature(getattr(tags, name)).parameters.values()
    expected = [
        (each.name, "" if each.default is each.empty else repr(each.default).replace("'", '"'))
        for each in signature
        if each.name != "context"
    ]
    assert rows == expected


def test_the_page_of_the_commands_has_each_command_with_its_options() -> None:
    """The tables are what `--help` says; `python -m tests.support.command_reference` writes them anew."""
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    documented = {each["name"]: "".join(TABLE.findall(each["text"])) for each in SECTION.finditer(page)}
    assert documented == {name: build_table(command, name) for name, command in find_commands().items()}


def test_the_page_of_the_urls_has_each_name_with_its_path() -> None:
    """The public ones apart; a path is the pattern's, with its arguments in angle brackets."""
    with hooks.temporary_hooks():
        patterns = [each for each in build_urlpatterns() if isinstance(each, URLPattern) and each.name]
    expected = {}
    for pattern in patterns:
        route = re.sub(r"<str:(\w+)>", r"<\1>", str(pattern.pattern))
        expected[pattern.name] = (
            re.sub(r"\(\?P<(\w+)>(?:\([^)]*\)|[^()])*\)", r"<\1>", route).strip("^$").replace("\\", "")
        )
    public = first_cells(read_section("urls", "Public names"))
    assert set(public) == PUBLIC_URLS
    page = (DOCS / "urls.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (.+?) \|", page, re.MULTILINE)
    documented = {}
    for names, paths in rows:
        given = re.findall(r"`/book/(.*?)`", paths) or [paths]
        documented |= dict(zip(re.findall(r"`(.+?)`", names), given, strict=True))
    assert documented.pop("nowhere") == "any other"
    expected.pop("nowhere")
    assert documented == expected


@pytest.mark.django_db
def test_the_page_of_the_signals_has_each_signal_and_argument(
    site: Settings, account_settings: dict[str, Any], client: Client
) -> None:
    """The arguments are those that a receiver gets when Kordless reports a new booking."""
    site.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": [NEW]}
    received: dict[str, set[str]] = {}

    def receive_event(**arguments: Any) -> None:
        received["Arguments of `event_received`"] = set(arguments) - {"signal"}

    def receive_change(**arguments: Any) -> None:
        received["Arguments of the changes"] = set(arguments) - {"signal"}

    with (
        connected(signals.event_received, receive_event),
        connected(signals.booking_created, receive_change),
    ):
        assert delivery().post(client).status_code == 200
    page = (DOCS / "signals.md").read_text(encoding="utf-8")
    assert set(first_cells(page.partition("\n## ")[0])) == set(signals.__all__) - {"ChangeSource"}
    for heading, names in received.items():
        assert set(re.findall(r"^\| `(\w+)` \|", read_section("signals", heading), re.MULTILINE)) == names
    assert len(received) == 2


def test_the_page_of_the_hooks_has_each_registry_and_type() -> None:
    """Everything in `__all__`, the lists of slots apart, which stand in docs/extending.md."""
    page = (DOCS / "hooks.md").read_text(encoding="utf-8")
    named = re.findall(r"^\.\. auto\w+:: (?:kordless_booking\.hooks\.)?(\w+)", page, re.MULTILINE)
    assert sorted(named) == sorted(set(hooks.__all__) - {"PRIVATE_SLOTS", "SHARED_SLOTS"})


def test_the_page_of_the_python_api_has_each_function_and_state() -> None:
    """The signatures are made of the code; the table has each state of a result."""
    page = (DOCS / "python-api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)", page, re.MULTILINE)) == sorted(python_api.__all__)
    assert set(first_cells(read_section("python-api", "Book"))) >= set(get_args(State))


def test_the_page_of_the_events_has_each_event_and_message() -> None:
    """The types that the frame sends are those that the scripts name, and most become an event of the link."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "frontend").rglob("*.js"))
    sent = set(re.findall(r'postToHost\("(\w+)"', sources))
    messages = set(first_cells(read_section("events", "Messages of the frame")))
    changes = {"booked", "rescheduled", "cancelled"}
    assert messages == {"hello", *sent, *changes}
    dispatched = {*sent - {"close", "view"}, *changes, *re.findall(r'dispatch\("(\w+)"\)', sources)}
    named = set(re.findall(r"`kordless:(\w+)`", read_section("events", "DOM events")))
    assert named == dispatched


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_external_links_are_addresses_on_the_secure_web(path: Path) -> None:
    """For form only: nothing is fetched. Samples on this machine aside."""
    for url in re.findall(r"\]\(([a-z]+:[^)\s]+)\)|<(https?:[^>\s]+)>", path.read_text(encoding="utf-8")):
        parts = urlsplit("".join(url))
        assert parts.hostname, url
        assert parts.scheme == "https" or parts.hostname == "127.0.0.1", url


def test_every_page_of_the_docs_has_its_place_in_the_contents() -> None:
    """Each page stands once in one of the four parts; `make docs` says where one is listed that there isn't."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"```\{toctree\}\n:caption: (.+)\n:hidden:\n\n([^`]*)```", index)
    assert [caption for caption, _ in trees] == ["Tutorial", "How-to guides", "Reference", "Explanation"]
    listed = [name for _, names in trees for name in names.split()]
    assert len(listed) == len(set(listed))
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert pages - set(listed) == set()


def test_the_documentation_is_built_from_the_group_of_its_own() -> None:
    """The names in the group are what Read the Docs installs, and `make docs` treats each warning as an error."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert [re.split("[>=]", each)[0] for each in groups["docs"]] == ["furo", "myst-parser", "sphinx"]
    assert {"include-group": "docs"} in groups["dev"]
    assert "--group docs" in (ROOT / ".readthedocs.yaml").read_text()
    assert "fail_on_warning: true" in (ROOT / ".readthedocs.yaml").read_text()
    assert re.search(r"sphinx -W --keep-going -n .* docs build/docs\n", (ROOT / "Makefile").read_text())
