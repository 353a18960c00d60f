"""The tutorial, pasted block by block: each command runs, and the bookings that it promises are made."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from tests.support.pasted_blocks import ROOT, commands_of, paste_file, read_blocks, run_pasted

BLOCKS = read_blocks(ROOT / "docs" / "tutorial.md")
SKIPPED = ("python -m venv .venv", ". .venv/bin/activate", "pip install ~/kordless-booking")
"""Commands that the tests of the wheel run: they need the package index."""
BOOK = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
import django
django.setup()
from django.test import Client
from tests.support.visitor import JANE, Visitor
from tests.support.wait_until import wait_until
visitor = Visitor(Client(HTTP_HOST="localhost"))
url = sys.argv[1]
visitor.open(url)
if url == "/book/":
    visitor.follow("Haircut")
visitor.show_last_day()
visitor.open(list(visitor.page.times.values())[0])
visitor.send(visitor.page, "Book appointment", **JANE)
def is_settled():  # a form that comes back within a second is held, and its page loads itself again
    return not visitor.page.refresh or not visitor.reload().refresh
wait_until(is_settled)
print("Number:", visitor.page.number or visitor.page.text)
"""


def book(folder: Path, url: str, **environment: str) -> tuple[str, str]:
    """Book on the last free day from a page of the site on; return the confirmation number and all that was printed."""
    (folder / "book.py").write_text(BOOK)
    output = run_pasted(f"python book.py {url}", folder, **environment)
    [number] = re.findall(r"^Number: (\S+)$", output, re.MULTILINE)
    return number, output


def test_each_block_of_the_tutorial_is_a_command_or_a_file() -> None:
    """Commands are in `sh`; every other block says in its first line which file it belongs to, and where."""
    assert {block.language for block in BLOCKS} == {"sh", "python", "django"}
    samples = [block for block in BLOCKS if block.language != "sh"]
    assert [block.text for block in samples if not block.file] == []
    assert {block.place for block in samples} == {"", "at the end", "in the place of the sandbox"}
    assert not any("…" in block.text for block in BLOCKS)
    commands = [command for block in BLOCKS if block.language == "sh" for command in commands_of(block)]
    assert set(SKIPPED) < set(commands)


@pytest.mark.long
def test_a_reader_of_the_tutorial_books_on_the_sandbox_and_then_with_an_account(tmp_path: Path) -> None:
    """A booking on the widget's own page, one on a page of the site, a signal, and one over HTTP with an API key."""
    numbers: list[str] = []
    environment: dict[str, str] = {}
    with closing(Sandbox(":memory:", limits=Limits.off())) as kordless, kordless.serve() as site:
        for block in BLOCKS:
            if block.language != "sh":
                if block.place == "in the place of the sandbox":
                    settings = tmp_path / "mysite" / "settings.py"
                    text = settings.read_text()
                    settings.write_text(re.sub(r"^KORDLESS_BOOKING = .+\n", "", text, flags=re.MULTILINE))
                paste_file(block, tmp_path)
                continue
            for command in commands_of(block):
                if command == "python manage.py runserver":
                    numbers.append(book(tmp_path, "/book/")[0])
                elif command.startswith("export "):
                    assert command == "export KORDLESS_API_KEY=your-key KORDLESS_ORG_SLUG=your-slug"
                    numbers.append(book(tmp_path, "/visit/")[0])
                    environment = {"KORDLESS_API_KEY": SANDBOX_KEY, "KORDLESS_ORG_SLUG": SANDBOX_ORG}
                elif command not in SKIPPED:
                    if environment:
                        # The sandbox of another process stands for Kordless itself.
                        with (tmp_path / "mysite" / "settings.py").open("a") as settings_file:
                            settings_file.write(f'KORDLESS_BOOKING["BASE_URL"] = "{site}"\n')
                    run_pasted(command, tmp_path, **environment)
        number, output = book(tmp_path, "/visit/", **environment)
        assert f"Booked: {number} " in output
        assert [booking["number"] for booking in kordless.bookings()] == [number]
    assert len({*numbers, number}) == 3
