"""Every page is valid HTML, by the validator of the standard's own authors (vnu)."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.journeys.demo import Demo
from tests.support.visitor import HttpTransport, Visitor

SHEET = re.compile("<style>.*?</style>", re.DOTALL)
"""The widget's own: its rules are newer than the validator's parser, and other tests read them."""
JAR = os.environ.get("VNU_JAR", "")

# Said on purpose: Safari takes a list without bullets for no list, unless it is told.
NEEDED = "The “list” role is unnecessary"

pytestmark = pytest.mark.skipif(
    not (JAR and shutil.which("java")), reason="set VNU_JAR to the jar of the npm package vnu-jar, and have java"
)


def pages_of_both_ways(demo: Demo) -> dict[str, str]:
    """The HTML of each page of both ways, by address."""
    visitor = Visitor(HttpTransport(demo.url))
    visitor.open(f"{demo.url}/")
    visitor.open("/book/manage/")
    visitor.send(visitor.page, "Find booking", number="KB-NONE", contact="nobody@example.com")
    seen = {f"not found: {visitor.page.url}": visitor.page.html}
    visitor.open("/book/")
    visitor.follow("Styling class")
    visitor.open("/book/")
    visitor.follow("Haircut")
    visitor.follow("Change time zone")
    visitor.open("/book/")
    visitor.follow("Haircut")
    visitor.follow("/contact/")
    visitor.send(visitor.page, "Book appointment", name="")
    seen["contact with errors"] = visitor.page.html
    visitor.send(visitor.page, "Book appointment", name='Ada <b>Lovelace</b> & "sons"', email="valid@example.com")
    visitor.follow("Change or cancel")
    booking = visitor.page.url
    visitor.send(visitor.page, "Cancel booking")
    visitor.open(booking)
    visitor.send(visitor.page, "Reschedule")
    visitor.follow("/reschedule/confirm/")
    visitor.open("/book/haircut/?embed=1&accent=1f6f5c&scheme=dark")
    visitor.open("/snippet/?site=https://shop.example&accent=red&service=haircut")
    pages = {page.url: page.html for page in visitor.responses if "Location" not in page.response}
    return {**pages, **seen}


@pytest.mark.matrix
def test_every_page_is_valid(demo: Demo, tmp_path: Path):
    """No errors and no warnings on any page of the visitor's and the customer's way."""
    names = {}
    for number, (address, html) in enumerate(pages_of_both_ways(demo).items()):
        file = tmp_path / f"{number}.html"
        file.write_text(SHEET.sub("", html, count=1))
        names[file.name] = address
    assert len(names) >= 14
    command = [
        "java",
        "-jar",
        JAR,
        "--format",
        "json",
        "--exit-zero-always",
        *map(str, sorted(tmp_path.glob("*.html"))),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (the test's own files)
    complaints = [
        f"{names[Path(message['url']).name]} line {message.get('lastLine')}: {message['message']}"
        for message in json.loads(done.stderr or done.stdout)["messages"]
        if message["type"] == "error" or message.get("subType") == "warning"
        if not message["message"].startswith(NEEDED)
    ]
    assert complaints == [], "\n".join(complaints)
    inline = re.compile(r"\sstyle=|<style|<script>|\son[a-z]+=")
    assert [names[file.name] for file in tmp_path.glob("*.html") if inline.search(file.read_text())] == []
