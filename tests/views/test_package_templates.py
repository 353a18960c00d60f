"""Templates that count as the package's own, by the files they come from, with every kind of loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.dispatch import Signal
from django.template import Engine, Library, Node, Origin, Template, TemplateDoesNotExist, engines
from django.template.loader_tags import do_include
from django.template.loaders.app_directories import Loader as AppLoader
from django.template.loaders.base import Loader
from django.test import Client
from django.test.signals import template_rendered
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.views import package_templates
from kordless_booking.views.package_templates import PackageTemplates, find_package_templates
from tests.support.clock import NOW

SHIPPED = Path(__file__).resolve().parents[2] / "kordless_booking" / "templates"
SLOT, SERVICE = "kordless_booking/steps/slot.html", "kordless_booking/steps/service.html"
DAY, TIME = "kordless_booking/parts/day.html", "kordless_booking/parts/time.html"
LAYOUTS = [f"kordless_booking/layouts/{name}.html" for name in ("page", "fragment", "inline", "site")]
PAGES = sorted(
    path.relative_to(SHIPPED).as_posix()
    for folder in ("steps", "manage", "problems")
    for path in (SHIPPED / "kordless_booking" / folder).glob("*.html")
)
FOOT, HUMAN = "kordless_booking/parts/foot.html", "kordless_booking/parts/human.html"
DJANGO = "django.template.backends.django.DjangoTemplates"
FILES, APPS = "django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"
CACHED = "django.template.loaders.cached.Loader"
HERE = "tests.views.test_package_templates"
SHOWN = '[{{ request.user.username }}|{% now "U" %}]'


def write(folder: Path, name: str = FOOT, text: str = SHOWN) -> Path:
    """A template of the site's own."""
    own = folder / name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(text)
    return own


def found() -> list[str]:
    """Which of the templates that are shared are the package's own on this site."""
    lookups: list[tuple[str, str | None]] = [(SLOT, LAYOUTS[0]), (SERVICE, LAYOUTS[0]), (DAY, None), (TIME, None)]
    return [name for name, layout in lookups if find_package_templates(name, layout)]


EVERYTHING = [SLOT, SERVICE, DAY, TIME]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_package_is_its_own(page: str, layout: str):
    """On a site without templates of its own: nothing in a shipped template makes the decision impossible."""
    assert find_package_templates(page, layout)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/book/", "/book/haircut/", "/book/haircut/?tz=Asia/Tokyo", "/page/?service=haircut"])
def test_nothing_is_rendered_that_was_not_looked_at(site: Settings, client: Client, path: str):
    """Every template that Django renders for a shared page is among those that were checked."""
    rendered = set()

    def note(template: Template, **_kwargs: object) -> None:
        rendered.add(template.name)

    signal: Signal = template_rendered
    signal.connect(note)
    try:
        client.get(path)
    finally:
        signal.disconnect(note)
    looked_at = {name for known in package_templates._known.values() if known for name, _extended in known._used}
    assert rendered - {"page.html"} <= looked_at
    assert len(looked_at) > 15


def test_while_debugging_nothing_counts_as_the_packages(settings: Settings):
    """Templates change under the developer's hands."""
    assert found() == EVERYTHING
    settings.DEBUG = True
    assert found() == []


def test_a_template_only_matters_to_pages_that_use_it(settings: Settings, tmp_path: Path):
    """One in every page, one in a shared page, one in a part, and one that is in neither."""

    def with_own(name: str) -> list[str]:
        folder = tmp_path / name.replace("/", "-")
        write(folder, name)
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
        return found()

    assert with_own(FOOT) == [DAY, TIME]
    assert with_own("kordless_booking/parts/service_card.html") == [SLOT, DAY, TIME]
    assert with_own("kordless_booking/parts/icon.html") == [DAY, TIME]
    assert with_own(TIME) == [SLOT, SERVICE, DAY]
    assert with_own(LAYOUTS[0]) == [DAY, TIME]
    assert with_own(LAYOUTS[1]) == EVERYTHING
    assert with_own(HUMAN) == EVERYTHING


def test_a_copy_without_changes_is_still_the_sites(settings: Settings, tmp_path: Path):
    """It is a file of the site's, which may change it."""
    write(tmp_path, FOOT, (SHIPPED / FOOT).read_text())
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert found() == [DAY, TIME]


class Minifying(AppLoader):
    """A loader that makes another text of the package's files, as some do."""

    def get_contents(self, origin: Origin) -> str:
        return super().get_contents(origin).replace("kb-demo", "kb-demo minified")


class Database(Loader):
    """A loader that keeps templates where they may change at any time. `texts` has them by name."""

    texts: dict[str, str] = {}  # noqa: RUF012 (shared with the tests on purpose)

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        yield Origin(name=f"database:{template_name}", template_name=template_name, loader=self)

    def get_contents(self, origin: Origin) -> str:
        try:
            return self.texts[str(origin.template_name)]
        except KeyError:
            raise TemplateDoesNotExist(origin) from None


class Remembering(Loader):
    """A cached loader of somebody else's: a template stays the same until its text changes."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._kept: dict[str, Template] = {}
        self._loaders = [engine.find_template_loader(f"{HERE}.Database"), engine.find_template_loader(APPS)]

    def get_template(self, template_name: str, skip: list[Origin] | None = None) -> Template:
        text = Database.texts.get(template_name)
        kept = self._kept.get(template_name)
        if kept is None or (text is not None and kept.source != text):
            self._kept[template_name] = kept = super().get_template(template_name, skip)
        return kept

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        for loader in self._loaders:
            yield from loader.get_template_sources(template_name)

    def get_contents(self, origin: Origin) -> str:
        loader: Any = origin.loader
        return str(loader.get_contents(origin))


def loading(*loaders: object, **options: object) -> list[dict[str, object]]:
    """TEMPLATES with these loaders."""
    return [{"BACKEND": DJANGO, "OPTIONS": {"loaders": list(loaders), **options}}]


@pytest.mark.parametrize(
    ("loaders", "expected"),
    [
        ([(CACHED, [FILES, APPS])], EVERYTHING),
        ([f"{HERE}.Remembering"], EVERYTHING),
        # Read anew each time: what is found now says nothing of the next time.
        ([APPS], []),
        ([(CACHED, [("django.template.loaders.locmem.Loader", {FOOT: SHOWN}), APPS])], [DAY, TIME]),
        ([(CACHED, [f"{HERE}.Minifying"])], [DAY, TIME]),
        ([("django.template.loaders.locmem.Loader", {}), (CACHED, [APPS])], EVERYTHING),
    ],
)
def test_any_loader_may_stand_before_the_packages_files(settings: Settings, loaders: list[object], expected: list[str]):
    """The file that a template really came from decides, and the text that a loader made of it."""
    settings.TEMPLATES = loading(*loaders)
    assert found() == expected
    assert found() == expected


def test_an_app_before_the_package_may_bring_templates(settings: Settings):
    """Whichever app is first in INSTALLED_APPS has its template used."""
    settings.INSTALLED_APPS = ["tests.projects.dressed.earlier", *settings.INSTALLED_APPS]
    assert found() == [DAY, TIME]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS[1:], "tests.projects.dressed.earlier"]
    assert found() == EVERYTHING


def test_the_engine_that_has_the_page_decides(settings: Settings, tmp_path: Path):
    """Of two of Django's, includes come from the one that has the page. One with a page of its own wins."""
    own, plain = tmp_path / "own", settings.TEMPLATES[0]
    write(own)
    other = {"BACKEND": DJANGO, "NAME": "other", "DIRS": [own]}
    settings.TEMPLATES = [other, plain]
    assert found() == EVERYTHING
    write(own, SLOT)
    settings.TEMPLATES = [other, plain]
    assert found() == [SERVICE, DAY, TIME]
    settings.TEMPLATES = [plain, other]
    assert found() == EVERYTHING


def test_another_backend_before_djangos(settings: Settings, tmp_path: Path):
    """A page of its own is not the package's, also when it comes to exist later."""
    strings = {"BACKEND": "django.template.backends.dummy.TemplateStrings", "DIRS": [tmp_path]}
    settings.TEMPLATES = [strings, settings.TEMPLATES[0]]
    assert found() == EVERYTHING
    write(tmp_path, SLOT, "$service")
    assert found() == [SERVICE, DAY, TIME]


register = Library()


@register.tag("include")
def shows_more(parser: Any, token: Any) -> Node:
    """An {% include %} of the host's."""
    return do_include(parser, token)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"builtins": [HERE]}, []),
        ({"builtins": ["django.templatetags.i18n", "django.templatetags.static"]}, EVERYTHING),
        ({"libraries": {"i18n": HERE}}, [TIME]),
        ({"libraries": {"more": HERE}}, EVERYTHING),
    ],
)
def test_tags_that_a_host_puts_in_place_of_djangos(settings: Settings, options: dict[str, Any], expected: list[str]):
    """May do anything, so nothing that uses them counts as the package's. More tags beside them do no harm."""
    settings.TEMPLATES = [{"BACKEND": DJANGO, "APP_DIRS": True, "OPTIONS": options}]
    assert found() == expected


@pytest.mark.django_db
def test_a_template_loader_that_is_reset_is_noticed_on_the_next_page(
    site: Settings, client: Client, clock: Traveller, tmp_path: Path
):
    """Also on a page that somebody has just asked for, and that would be given again."""
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert b"kb-foot" in client.get("/book/haircut/").content
    write(tmp_path)
    assert b"kb-foot" in client.get("/book/haircut/").content
    engine: Any = engines.all()[0]
    engine.engine.template_loaders[0].reset()
    stamp = f"[|{int(NOW.timestamp())}]"
    assert stamp in client.get("/book/haircut/").content.decode()
    clock.shift(1)
    assert stamp not in client.get("/book/haircut/").content.decode()


@pytest.mark.django_db
def test_a_template_in_a_database_is_noticed_on_the_next_page(
    site: Settings, client: Client, clock: Traveller, monkeypatch: pytest.MonkeyPatch
):
    """Behind a loader with a memory of its own."""
    monkeypatch.setattr(Database, "texts", {})
    site.TEMPLATES = loading(f"{HERE}.Remembering")
    assert b"kb-foot" in client.get("/book/haircut/").content
    Database.texts[FOOT] = SHOWN
    for _again in range(2):
        clock.shift(1)
        assert f"[|{int(NOW.timestamp()) + 1 + _again}]" in client.get("/book/haircut/").content.decode()


def test_a_template_that_another_thread_compiles_meanwhile_is_proved_again(
    site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof that lost such a race is no decision: the next request proves the template, and pages are cached."""
    name = "kordless_booking/parts/time.html"
    package_templates._known.clear()
    with monkeypatch.context() as racing:
        racing.setattr(PackageTemplates, "is_current", lambda _self: False)
        assert find_package_templates(name) is None
    assert find_package_templates(name) is not None
