"""Recipes of docs/recipes that need nothing but the package: their code and files are the pages' own."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.sandbox import Sandbox
from tests.support.recipes import FOLDER, PAGES, read_blocks, read_files
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db
EMBEDDING = (FOLDER.parent / "embed.md").read_text(encoding="utf-8")


def plain_blocks(page: str) -> list[str]:
    """Return the code blocks of a page that have no language."""
    fences = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return [text for language, text in fences.findall((FOLDER / page).read_text(encoding="utf-8")) if not language]


def is_allowed(rules: str, address: str) -> bool:
    """Read robots.txt as RFC 9309 says: the longest pattern that matches decides, and `Allow` where two are as long."""
    found = [("", True)]
    for kind, pattern in re.findall(r"^(Allow|Disallow): (\S+)$", rules, re.MULTILINE):
        if re.match(re.escape(pattern).replace(r"\*", ".*"), address):
            found.append((pattern, kind == "Allow"))
    return max(found, key=lambda rule: (len(rule[0]), rule[1]))[1]


def test_every_recipe_is_in_the_table_and_says_what_was_run():
    """The table of the first page has all of them, and each tells what is run and what isn't."""
    table = (FOLDER / "index.md").read_text(encoding="utf-8")
    pages = [page for page in PAGES if page.name != "index.md"]
    assert {page.name for page in pages} == {*re.findall(r"\]\(([a-z0-9-]+\.md)\) \|", table)}
    silent = [page.name for page in pages if not re.search(r"run\s+here", page.read_text(), re.IGNORECASE)]
    assert silent == []


def test_a_frame_without_the_script_is_allowed_where_the_settings_say(client: Client, site: Settings, sandbox: Sandbox):
    """The page at its address is one for frames, in the scheme that it asks for, and other sites may not frame it."""
    added = {"KORDLESS_BOOKING": {**site.KORDLESS_BOOKING}}
    files = read_files("frame.md")
    exec(files["settings.py"], added)  # noqa: S102 (the page's)
    site.KORDLESS_BOOKING = added["KORDLESS_BOOKING"]
    frame = LexborHTMLParser(files["page.html"]).css_first("iframe")
    assert frame is not None
    assert frame.attributes["title"]
    address = (frame.attributes["src"] or "").removeprefix("https://salon.example")
    visitor = Visitor(client, {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"})
    page = visitor.open(address)
    assert "frame-ancestors 'self' https://shop.example" in page.response["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.response
    assert page.times
    form = visitor.open(next(iter(page.times.values())))
    assert "embed=1" in form.url
    assert "scheme=light" in form.url


def test_a_sandboxed_frame_needs_the_same_words_on_both_pages():
    """The list in the recipe is that of docs/embed.md."""
    words = re.compile(r"(allow-scripts[a-z\s-]+allow-downloads)")
    [recipe] = words.findall((FOLDER / "frame.md").read_text())
    [reference] = words.findall(EMBEDDING)
    assert recipe.split() == reference.split()


def test_robots_may_read_what_the_page_says(client: Client, site: Settings, tmp_path: Path):
    """The list and the services, but none of the many addresses with choices, and nothing of a booking."""
    file, added = plain_blocks("robots.md")
    visitor = Visitor(client)
    services = visitor.open("/book/")
    times = visitor.open("/book/haircut/")
    done = visitor.book()
    own = next(iter(done.links(".kb-onward a").values()))
    addresses = [*times.days.values(), *times.times.values(), "/book/haircut/zone/", done.url, own, "/book/manage/"]
    for text in (file, file + added):
        assert is_allowed(text, "/book/")
        assert is_allowed(text, services.link("Haircut").split("?")[0])
        assert [address for address in addresses if is_allowed(text, address)] == []
    assert not is_allowed(file, "/book/haircut/?lang=de")
    assert is_allowed(file + added, "/book/haircut/?lang=de")
    (tmp_path / "robots.txt").write_text(file)
    (tmp_path / "robots.py").write_text(read_files("robots.md")["salon/robots.py"])
    answer = runpy.run_path(str(tmp_path / "robots.py"))["robots"](None)
    assert (answer["Content-Type"], answer.content.decode()) == ("text/plain", file)


@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_the_scheduled_lines_run_a_command_that_exists(kind: str, site: Settings):
    """With the options as they stand there."""
    if kind == "cron":
        [line] = plain_blocks("scheduled.md")
        fields = line.split(maxsplit=5)
        assert fields[:5] == ["*/5", "*", "*", "*", "*"]
        command = fields[5].partition("&&")[2]
    else:
        unit = read_files("scheduled.md")["salon-mail.service"]
        command = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)[0]
        assert re.search(r"^OnCalendar=\*:0/5$", read_files("scheduled.md")["salon-mail.timer"], re.MULTILINE)
    _python, script, *arguments = shlex.split(command)
    assert Path(script).name == "manage.py"
    call_command(*arguments)


def test_the_expressions_for_prometheus_match_the_health_page(
    client: Client, site: Settings, monkeypatch: pytest.MonkeyPatch
):
    """While all is well, and not while the cache is down."""
    text = read_files("prometheus.md")["blackbox.yml"]
    expressions = dict(
        re.findall(r"^  (\w+):\n(?:    .+\n)+?      fail_if_body_not_matches_regexp: \['(.+)'\]$", text, re.M)
    )
    assert expressions.keys() == {"booking_kordless", "booking_cache"}
    target = re.findall(r"target: \[https://salon\.example(.+)\]", read_files("prometheus.md")["prometheus.yml"])[0]
    answer = client.get(target)
    assert answer.status_code == 200
    assert all(re.search(pattern, answer.content.decode()) for pattern in expressions.values()), answer.content
    for part, value in (("kordless", "circuit_open"), ("cache", "down")):
        worse = answer.content.decode().replace(f'"{part}": "ok"', f'"{part}": "{value}"')
        assert not re.search(expressions[f"booking_{part}"], worse)


def test_the_lines_for_site_builders_are_those_of_the_documentation():
    """What is pasted into a builder is what the journeys paste into a page."""
    assert read_blocks("site-builders.md", "html")[0] == re.findall(r"```html\n(.*?)```", EMBEDDING, re.DOTALL)[0]


def test_the_component_for_react_uses_what_the_script_offers():
    """Its event and its attribute are documented."""
    component = read_files("site-builders.md")["Booking.jsx"]
    assert "`kordless:booked`" in EMBEDDING
    assert "kordless:booked" in component
    assert "dataset.kordlessBooking" in component
