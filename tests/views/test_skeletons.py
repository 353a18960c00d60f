"""Templates that are rendered once and filled many times."""

import re
from dataclasses import dataclass

import msgspec
import pytest
from django.template.backends.django import Template
from django.template.loader import get_template, render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.memory_budget import BoundedDict, MemoryBudget
from kordless_booking.views import skeletons
from kordless_booking.views.package_templates import PackageTemplates, find_package_templates
from kordless_booking.views.skeletons import (
    PackagePart,
    PageSkeleton,
    SharedText,
    SiteTemplatePart,
    cached_per_language,
    cached_with_language,
    render_from_skeleton,
)

TIME = "kordless_booking/parts/time.html"
PAGE = "page.html"
TEMPLATES = {
    PAGE: "{{ lang }}|{{ one.name }}|{% for each in many %}{{ each.url }},{% endfor %}|"
    "{{ fixed }}|{% if fixed == 'same' %}!{% endif %}|"
    "{% if maybe.url %}{{ maybe.url }}{% else %}none{% endif %}|{{ ready }}",
}
HOSTILE = "<script>\"&'\ue000\ue001"


@dataclass(frozen=True)
class One:
    """Something with a name that varies and a size that does not."""

    name: str
    size: int = 1


class Packed(msgspec.Struct, frozen=True):
    """The same as a struct."""

    name: str
    size: int = 1


@pytest.fixture
def page(settings: Settings) -> PackageTemplates:
    """One template for tests, taken for one of the package's."""
    loader = ("django.template.loaders.locmem.Loader", TEMPLATES)
    backend = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": backend, "OPTIONS": {"loaders": [loader]}}]
    found = get_template(PAGE)
    assert isinstance(found, Template)
    return PackageTemplates(PAGE, found, {})


def context(
    name: str = "Ann", urls: tuple[str, ...] = ("a", "b"), url: str = "", fixed: str = "same"
) -> dict[str, object]:
    """Return the context of the template."""
    return {
        "one": One(name),
        "many": [{"url": each} for each in urls],
        "maybe": {"url": url},
        "fixed": fixed,
        "ready": mark_safe("<b>ready</b>"),
    }


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_part_is_filled_as_it_is_rendered(url: str, label: str):
    """Every text comes out as Django would have escaped it, from a skeleton and from a template of the site's own."""
    package, values = find_package_templates(TIME), {"url": url, "label": label}
    assert package is not None
    rendered = render_to_string(TIME, values).strip()
    assert PackagePart(package).render(**values) == rendered
    assert SiteTemplatePart(TIME, {}).render(**values) == rendered


@pytest.mark.parametrize(
    "given_context",
    [
        context(),
        context("Bob", ("x",), "/there"),
        context(HOSTILE, (HOSTILE, "&"), HOSTILE),
        context(urls=()),
        context() | {"one": Packed("Ann")},
        context() | {"one": Packed(HOSTILE)},
    ],
)
def test_an_assembled_page_is_as_rendered(page: PackageTemplates, given_context: dict[str, object]):
    """The first time and when only texts differ."""
    for _again in range(2):
        assert render_from_skeleton(page, given_context, "en").content.decode() == render_to_string(PAGE, given_context)


def test_what_does_not_vary_makes_another_pattern(page: PackageTemplates):
    """Other texts, another number of them, or one that is missing: none gets another's page."""
    pages = [context(), context(fixed="other"), context(urls=("a",)), context(url="/x"), context(name="")]
    for given_context in [*pages, *pages]:
        assert render_from_skeleton(page, given_context, "en").content.decode() == render_to_string(PAGE, given_context)


def test_a_value_can_not_pose_as_a_place(page: PackageTemplates):
    """A business that writes our marks into its name gets them shown, not filled."""
    given_context = context("\ue0000:1\ue001", ("secret",))
    assert render_from_skeleton(page, given_context, "en").content.decode().split("|")[1] == "\ue0000:1\ue001"


def test_a_digest_tells_pages_apart(page: PackageTemplates) -> None:
    """By their texts, by where one ends and the next begins, and by what is in the template itself."""
    differing = [
        context(),
        context("Bob"),
        context(fixed="other"),
        context(urls=("ab", "")),
        context(urls=("a", "b", "")),
        context(urls=("ab",)),
        context(url="/x"),
        context(SharedText("ä")),
        context(SharedText("<b>")),
    ]
    made = [render_from_skeleton(page, each, "en") for each in differing]
    assert len({each.digest for each in made}) == len({each.content for each in made}) == len(differing)
    assert [render_from_skeleton(page, each, "en") for each in differing] == made


def test_a_digest_says_where_the_page_ends_and_its_values_begin() -> None:
    """Also where the end of the template and the beginning of a value are the same text."""
    begin = skeletons.placeholder(0)
    pages = [PageSkeleton(f"{begin}{end}").fill([value]) for end, value in [("a", "bc"), ("ab", "c")]]
    assert [page.content for page in pages] == [b"bca", b"cab"]
    assert pages[0].digest != pages[1].digest


def test_a_shared_text_is_shown_as_it_is(page: PackageTemplates) -> None:
    """It needs no escaping, and is encoded once for all pages."""
    text = SharedText("a > b ä")
    shown = render_from_skeleton(page, context(text), "en").content
    assert shown.split(b"|")[1] == text.encoded == "a > b ä".encode()
    assert shown.decode() == render_to_string(PAGE, context(text))


def test_a_digest_depends_on_nothing_that_is_not_shown(page: PackageTemplates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a value that the page doesn't show nor the process's random placeholders give it another digest."""
    made = render_from_skeleton(page, context(), "en")
    assert render_from_skeleton(page, {"unseen": "1", **context(), "also": "2"}, "en") == made
    monkeypatch.setattr(skeletons, "_NONCE", "other")
    monkeypatch.setattr(skeletons, "_PLACEHOLDER", re.compile("\ue000other:([0-9]+)\ue001"))
    monkeypatch.setattr(skeletons, "_pages", BoundedDict(MemoryBudget(20_000)))
    skeletons.placeholder.cache_clear()
    try:
        assert render_from_skeleton(page, context(), "en") == made
    finally:
        skeletons.placeholder.cache_clear()


def test_rendered_skeletons_are_cached_for_each_language(settings: Settings):
    """Made once for its arguments in a language; each time while DEBUG, and anew after templates change."""
    made = []

    @cached_per_language(8)
    def make(name: str) -> int:
        made.append((name, translation.get_language()))
        return len(made)

    with translation.override("en"):
        assert [make("a"), make("a"), make("b")] == [1, 1, 2]
    with translation.override("de"):
        assert make("a") == 3
        settings.TEMPLATES = [*settings.TEMPLATES]
        assert make("a") == 4
        settings.DEBUG = True
        assert [make("a"), make("a")] == [5, 6]


def test_what_has_the_language_as_an_argument_is_cached_for_each(settings: Settings) -> None:
    """Made once for its arguments; each time while DEBUG, and anew after templates change."""
    made = []

    @cached_with_language(8)
    def make(language: str, *, name: str = "a") -> int:
        made.append((language, name))
        return len(made)

    assert [make("en"), make("en"), make("de"), make("de", name="b")] == [1, 1, 2, 3]
    settings.TEMPLATES = [*settings.TEMPLATES]
    assert make("en") == 4
    settings.DEBUG = True
    assert [make("en"), make("en")] == [5, 6]


def test_skeletons_have_so_many_bytes_together(page: PackageTemplates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lists of services don't fill the memory; a page whose skeleton was evicted is the same as before."""
    budget = MemoryBudget(20_000)
    monkeypatch.setattr(skeletons, "_pages", BoundedDict(budget))
    lengths = [*range(1, 40), 500]
    pages = [render_from_skeleton(page, context(urls=("a",) * length), "en") for length in lengths]
    assert 10_000 < budget.used_bytes <= 20_000
    assert [render_from_skeleton(page, context(urls=("a",) * length), "en") for length in lengths] == pages
    assert pages[-1].content.count(b"a,") == 500
