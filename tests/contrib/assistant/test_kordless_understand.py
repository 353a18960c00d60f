"""The grammar as a command: phrases in, JSON out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from kordless_booking.contrib.assistant.management.commands.kordless_understand import Command

CONTEXT_ARGUMENTS = ("--lang", "en", "--now", "2026-12-02T10:00", "--tz", "Europe/Berlin")
NEXT_TUESDAY = {
    "understood": True,
    "first": "2026-12-08",
    "last": "2026-12-08",
    "after": "15:00",
    "before": None,
    "service": None,
    "host": None,
    "party": None,
    "unparsed": [],
}


def understand(*arguments: str, **options: object) -> list[dict[str, object]]:
    """Run the command; return the objects that it printed."""
    written = io.StringIO()
    # By itself: the command is there for a site that installs the app.
    call_command(Command(), *arguments, stdout=written, **options)
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_phrase_is_printed_as_json() -> None:
    """All that was understood, None for an open end, and the words that weren't."""
    assert understand("next tuesday after 3", *CONTEXT_ARGUMENTS) == [NEXT_TUESDAY]


def test_file_has_a_phrase_on_each_line(tmp_path: Path) -> None:
    """One object a line, in their order."""
    path = tmp_path / "phrases"
    path.write_text("next tuesday after 3\n\nasdf\r\n")
    found = understand("--file", str(path), *CONTEXT_ARGUMENTS)
    assert found[0] == NEXT_TUESDAY
    assert (found[1]["understood"], found[1]["unparsed"]) == (False, ["asdf"])
    assert understand("--file", "-", *CONTEXT_ARGUMENTS, stdin=io.StringIO("next tuesday after 3")) == [NEXT_TUESDAY]


def test_names_are_given_as_options() -> None:
    """Services and people that may be named, with the keys that stand for them."""
    names = ("--service", "Haircut=haircut", "--host", "Sarah=host_sarah")
    found = understand("haircut with sarah for two", *names, *CONTEXT_ARGUMENTS)[0]
    assert (found["service"], found["host"], found["party"]) == ("haircut", "host_sarah", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("friday", "--file", "phrases"),
        ("--file", "no such file"),
        ("friday", "--lang", "xx"),
        ("friday", "--now", "soon"),
        ("friday", "--tz", "Mars/Olympus"),
        ("friday", "--opening", "9"),
        ("friday", "--host", "Sarah"),
    ],
)
def test_mistake_is_reported(arguments: tuple[str, ...]) -> None:
    """A message and exit code 2, never a traceback."""
    with pytest.raises(CommandError):
        understand(*arguments)
