"""The command that copies templates for editing, and says after an upgrade which copies are outdated."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.doctor import templates as doctor
from kordless_booking.views import template_copies
from kordless_booking.views.template_copies import CopyState, find_copies, find_copy, shipped_names

CARD = "kordless_booking/parts/service_card.html"


def run(*arguments: str, **options: Any) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("kordless_templates", *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def folder(site: Settings, tmp_path: Path) -> Path:
    """A site's own templates folder, in which Django looks first."""
    own = tmp_path / "templates"
    own.mkdir()
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [own]}]
    return own


def edit(folder: Path, name: str, before: str, after: str) -> None:
    """Change a copy as its owner would."""
    text = (folder / name).read_text()
    assert before in text
    (folder / name).write_text(text.replace(before, after))


def upgrade(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """Let the package have a newer original of a template."""
    newer = tmp_path / "newer.html"
    newer.write_text(template_copies.read_original(name) + "<!-- newer -->")
    monkeypatch.setitem(template_copies._shipped(), name, newer)


def pages(client: Client) -> list[bytes]:
    """Some pages of the widget."""
    return [client.get(path).content for path in ("/book/", "/book/haircut/", "/book/manage/")]


def states() -> dict[str, CopyState]:
    return {copy.name: copy.state for copy in find_copies()}


def test_a_copy_can_be_edited_at_once(folder: Path):
    """By a name with or without the package's folder; Django finds it, and it adds nothing to a page."""
    before = render_to_string(CARD, {"service": {"name": "Haircut", "url": "/book/haircut/"}})
    output = run("parts/service_card.html")
    assert output == f"{folder / CARD} is yours to edit.\n"
    assert render_to_string(CARD, {"service": {"name": "Haircut", "url": "/book/haircut/"}}) == before
    assert states() == {CARD: CopyState.UNCHANGED}
    edit(folder, CARD, "<li", "<li data-mine")
    assert states() == {CARD: CopyState.CURRENT}
    with pytest.raises(CommandError, match="is there already"):
        run(CARD)
    assert "data-mine" in (folder / CARD).read_text()


@pytest.mark.django_db
def test_pages_of_copies_are_the_same_as_of_the_originals(site: Settings, client: Client, tmp_path: Path):
    """The comment in each copy is before {% extends %}, inside tags and in mails without a trace."""
    shown = []
    for folder in (tmp_path / "first", tmp_path / "none", tmp_path / "copies"):
        if folder.name == "copies":
            run(*shipped_names(), to=str(folder))
        # No page comes from the response cache. Of the first ones, none knew what the others have read.
        site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [folder]}]
        shown.append(pages(client))
    assert shown[2] == shown[1]
    assert set(states().values()) == {CopyState.UNCHANGED}


def test_where_django_does_not_look_the_command_says_what_to_set(site: Settings, tmp_path: Path):
    """As startproject leaves it: DIRS is empty, and the folder isn't there."""
    site.BASE_DIR = tmp_path
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": []}]
    output = run("parts/foot.html")
    assert (tmp_path / "templates/kordless_booking/parts/foot.html").is_file()
    assert 'TEMPLATES = [{…, "DIRS": [BASE_DIR / "templates"], …}]' in output
    assert f'"DIRS": ["{tmp_path / "elsewhere"}"]' in run("parts/foot.html", to=str(tmp_path / "elsewhere")).replace(
        'BASE_DIR / "elsewhere"', f'"{tmp_path / "elsewhere"}"'
    )


def test_another_copy_that_django_finds_first_is_named(site: Settings, folder: Path, tmp_path: Path):
    """A copy in a later folder would be edited in vain."""
    later = tmp_path / "later"
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [folder, later]}]
    run("parts/foot.html")
    later.mkdir()
    output = run("parts/foot.html", to=str(later))
    assert f"Django finds {folder}/kordless_booking/parts/foot.html first" in output


def test_after_an_upgrade_the_outdated_copies_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """With the version that each was copied from; once it is compared and marked, no more."""
    run(CARD, "parts/foot.html")
    edit(folder, CARD, "<li", "<li data-mine")
    assert run("--check") == "No copy is outdated.\n"
    upgrade(monkeypatch, tmp_path, CARD)
    assert states()[CARD] is CopyState.OUTDATED
    out = StringIO()
    with pytest.raises(CommandError, match="1 to look at"):
        call_command("kordless_templates", "--check", stdout=out)
    assert out.getvalue() == f"{CARD}: yours, based on an older original (0.1.0), {folder / CARD}\n"
    changes = run("--diff", CARD)
    assert "-</li><!-- newer -->" in changes or "-<!-- newer -->" in changes
    assert "+<li data-mine" in changes
    assert "sha256" not in changes
    run("--reviewed", CARD)
    assert run("--check") == "No copy is outdated.\n"
    assert "data-mine" in (folder / CARD).read_text()


def test_a_copy_made_by_hand_is_of_an_unknown_original(folder: Path):
    """Also one with other ends of lines, which alone are no change; marking it makes it known."""
    own = folder / CARD
    own.parent.mkdir(parents=True)
    own.write_bytes(template_copies.read_original(CARD).replace("\n", "\r\n").encode())
    assert states() == {CARD: CopyState.UNCHANGED}
    edit(folder, CARD, "<li", "<li data-mine")
    assert states() == {CARD: CopyState.UNKNOWN}
    run("--reviewed", "parts/service_card.html")
    assert states() == {CARD: CopyState.CURRENT}
    assert (folder / CARD).read_text().count("kordless_templates") == 1


def test_a_copy_whose_original_is_gone_is_listed(folder: Path):
    """A template that the package has renamed: the copy changes nothing anymore."""
    own = folder / "kordless_booking/parts/renamed.html"
    own.parent.mkdir(parents=True)
    own.write_text("Mine.")
    assert states() == {"kordless_booking/parts/renamed.html": CopyState.UNUSED}
    assert "the package has no template of this name" in run()


def test_the_list_has_every_template_and_marks_those_of_the_site(folder: Path):
    """One a line."""
    run(CARD)
    lines = run().splitlines()
    assert lines[: len(shipped_names())] == [
        f"{name}: {CopyState.UNCHANGED.value}, {folder / name}" if name == CARD else name for name in shipped_names()
    ]
    assert f"{len(shipped_names())} templates, 1 of them yours." in lines


@pytest.mark.parametrize("wrong", ["parts/servicecard.html", "../settings.py", "", "/etc/passwd"])
def test_a_name_that_is_none_is_refused(folder: Path, wrong: str):
    """With the nearest one where there is one; nothing is written."""
    with pytest.raises(CommandError, match="has no template"):
        run(wrong)
    with pytest.raises(CommandError, match="has no template"):
        run("--diff", wrong or "x")
    assert list(folder.rglob("*")) == []


def test_the_packages_own_template_has_nothing_to_compare(folder: Path):
    """Neither changes nor a mark."""
    for option in ("--diff", "--reviewed"):
        with pytest.raises(CommandError, match="you have no copy"):
            run(option, "parts/foot.html")


def test_a_folder_that_can_not_be_written_is_reported(folder: Path, tmp_path: Path):
    """In one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="can't be written"):
        run("parts/foot.html", to=str(tmp_path / "file"))


def test_the_doctor_lists_what_a_site_replaces(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Nothing for a site that replaces nothing; else each state with its advice."""
    assert list(doctor.examine()) == []
    run(CARD, "parts/foot.html")
    own = folder / "kordless_booking/parts/top.html"
    own.write_text("Mine.")
    (folder / "kordless_booking/parts/gone.html").write_text("Mine.")
    edit(folder, CARD, "<li", "<li data-mine")
    upgrade(monkeypatch, tmp_path, CARD)
    found = {finding.code: finding for finding in doctor.examine()}
    assert list(found) == ["templates", "templates_outdated", "templates_unknown", "templates_unused"]
    assert found["templates"].text.startswith("3 templates are the site's own, rendered for each visitor: ")
    assert CARD in found["templates_outdated"].text
    assert "top.html" in found["templates_unknown"].text
    assert "gone.html" in found["templates_unused"].text
    assert "--diff" in found["templates_outdated"].advice


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=60))
def test_no_text_of_a_copy_breaks_its_state(folder: Path, text: str):
    """Whatever stands in a copy: it has a state, a mark keeps its text, and a second mark changes nothing."""
    own = folder / CARD
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(text, encoding="utf-8", newline="")
    copy = find_copy(CARD)
    assert copy is not None
    assert copy.state in CopyState
    marked = template_copies.build_copy(CARD, copy.source)
    assert template_copies.build_copy(CARD, marked) == marked
    assert marked.endswith(copy.source.removeprefix("\ufeff")) or "kordless_templates" in text
