"""The doctor's report on a BASE_TEMPLATE that loads, and can or can't be rendered around a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix, set_script_prefix
from django.utils.functional import SimpleLazyObject
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.support.doctor import run_as_json

pytestmark = pytest.mark.django_db

BLOCKS = "<head>{% block kordless_head %}{% endblock %}</head>{% block kordless_content %}{% endblock %}"
HERE = "tests.doctor.test_base_template"


def canary_processor(request: HttpRequest) -> dict[str, object]:
    """A value of the site's that can't be shown, and whose error repeats personal data."""
    return {"visitor": Unshowable(), "missing": request.user.is_authenticated}


class Unshowable:
    """A visitor of the site's."""

    def __str__(self) -> str:
        raise RuntimeError("canary-jane@example.com")


def log_in_first(_answer: object) -> object:
    """A site that is closed to strangers."""

    def middleware(_request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect("/login/")

    return middleware


def _found(well: Settings, folder: Path, source: str, **others: str) -> list[dict[str, str]]:
    """Return the doctor's findings on a base with this source, beside other templates."""
    for name, text in {"base": source, **others}.items():
        (folder / f"{name}.html").write_text(text)
    well.TEMPLATES = [{**well.TEMPLATES[0], "DIRS": [folder, *well.TEMPLATES[0]["DIRS"]]}]
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "BASE_TEMPLATE": "base.html"}
    return [each for each in run_as_json().document["findings"] if each["code"].startswith("base_template")]


def _with_processor(well: Settings, name: str) -> None:
    """Add a context processor of this module to the site."""
    options = {**well.TEMPLATES[0]["OPTIONS"]}
    options["context_processors"] = [*options["context_processors"], f"{HERE}.{name}"]
    well.TEMPLATES = [{**well.TEMPLATES[0], "OPTIONS": options}]


def test_a_base_that_can_be_rendered_is_said_to_be_fine(well: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    """With what a page has: a request that was led to the widget, nobody logged in, context processors."""
    source = "{{ request.resolver_match.view_name }}{% if user.is_authenticated %}{% include 'no' %}{% endif %}"
    [found] = _found(well, tmp_path, source + BLOCKS)
    assert (found["level"], found["code"], found["area"]) == ("ok", "base_template", "base template")


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("source", "others", "problem"),
    [
        (
            "\n\n{% include 'header.html' %}" + BLOCKS,
            {},
            "TemplateDoesNotExist in line 3 of base.html: include 'header.html'",
        ),
        (
            "\n{% include 'header.html' %}" + BLOCKS,
            {"header": "\n\n\n{% nonsense %}"},
            (
                "TemplateSyntaxError (Invalid block tag on line 4: 'nonsense'. Did you forget to register or load "
                "thi…) in line 4 of header.html"
            ),
        ),
        (
            "{% include 'header.html' %}" + BLOCKS,
            {"header": "\n<a href=\"{% url 'kordless_booking:services' 17 %}\">Home</a>"},
            "NoReverseMatch in line 2 of header.html: url 'kordless_booking:services' 17",
        ),
    ],
)
def test_a_base_that_fails_is_reported_with_its_line(
    well: Settings, sandbox: Sandbox, tmp_path: Path, source: str, others: dict[str, str], problem: str, debug: bool
) -> None:
    """Of the template in which it is, whether or not Django notes lines for debugging."""
    well.TEMPLATES = [{**well.TEMPLATES[0], "OPTIONS": {**well.TEMPLATES[0]["OPTIONS"], "debug": debug}}]
    [found] = _found(well, tmp_path, source, **others)
    assert (found["level"], found["code"]) == ("fix", "base_template_failed")
    assert found["text"] == f"The base template base.html can't be rendered: {problem}"
    assert "frame" in found["advice"]


def test_the_report_repeats_no_data_of_the_site(well: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    """The message of any other error may: its kind and its line are enough."""
    _with_processor(well, "canary_processor")
    [found] = _found(well, tmp_path, "\n{{ visitor }}" + BLOCKS)
    assert found["text"].endswith(" can't be rendered: RuntimeError in line 2 of base.html: visitor")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ lazy.name }}", "RuntimeError in line 1 of base.html: lazy.name"),
        ("{% url jane %}", "NoReverseMatch in line 1 of base.html: url jane"),
        ("{% include jane %}", "TemplateDoesNotExist in line 1 of base.html: include jane"),
    ],
)
def test_no_error_repeats_what_a_template_was_given(
    well: Settings, sandbox: Sandbox, tmp_path: Path, source: str, problem: str
) -> None:
    """The report quotes the template and no value of its context, and evaluates no failing object a second time."""
    _with_processor(well, "visitor_processor")
    [found] = _found(well, tmp_path, source + BLOCKS)
    assert found["code"] == "base_template_failed"
    assert found["text"].endswith(problem)


def visitor_processor(_request: HttpRequest) -> dict[str, object]:
    """A visitor who is loaded when a template asks for them, which fails."""
    return {"lazy": SimpleLazyObject(lambda: str(Unshowable())), "jane": "canary-jane@example.com"}


def test_an_error_outside_of_a_template_is_reported_with_its_place(
    well: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Here in a context processor."""
    _with_processor(well, "failing_processor")
    [found] = _found(well, tmp_path, BLOCKS)
    assert f"KeyError at {HERE}:" in found["text"]


def failing_processor(_request: HttpRequest) -> dict[str, object]:
    """A mistake."""
    raise KeyError("canary")


def test_a_base_is_tried_as_a_page_of_the_site_is(well: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    """With its host, what middleware adds for a view, and below the path that a server puts before it."""
    well.ALLOWED_HOSTS = ["localhost", "salon.example"]
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "SITE_URL": "https://salon.example"}
    well.MIDDLEWARE = [*well.MIDDLEWARE, f"{HERE}.Menu"]
    _with_processor(well, "host_processor")
    previous = get_script_prefix()
    set_script_prefix("/shop/")
    try:
        [found] = _found(well, tmp_path, "{% if menu != 'salon' %}{% include 'no' %}{% endif %}" + BLOCKS)
    finally:
        set_script_prefix(previous)
    assert found["code"] == "base_template", found["text"]


def host_processor(request: HttpRequest) -> dict[str, object]:
    """Return a value that depends on the host and on middleware."""
    return {"menu": {"salon.example": request.menu}[request.get_host()]}  # type: ignore[attr-defined]


class Menu:
    """Middleware that prepares something for views alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        """Prepare it."""
        request.menu = "salon"  # type: ignore[attr-defined]


def test_trying_a_base_leaves_no_session(well: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    """A monitor that runs the doctor each minute would fill a table with nobody's."""
    well.CSRF_USE_SESSIONS = True
    _with_processor(well, "counting_processor")
    [found] = _found(well, tmp_path, "{% csrf_token %}{{ seen }}" + BLOCKS)
    assert found["code"] == "base_template", found["text"]
    assert not Session.objects.exists()


def counting_processor(request: HttpRequest) -> dict[str, object]:
    """Something that a site keeps of each visitor."""
    request.session["seen"] = request.session.get("seen", 0) + 1
    return {"seen": request.session["seen"]}


def test_a_base_that_is_not_found_is_reported_once(well: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    """By the check of the settings."""
    assert not _found(well, tmp_path, "no block")


def test_middleware_that_answers_is_not_taken_for_a_broken_base(
    well: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nothing is known of the template then."""
    well.MIDDLEWARE = [f"{HERE}.log_in_first", *well.MIDDLEWARE]
    [found] = _found(well, tmp_path, BLOCKS)
    assert (found["level"], found["code"]) == ("note", "base_template_not_tried")


def test_a_site_without_a_base_template_has_no_finding(well: Settings, sandbox: Sandbox) -> None:
    """Most have none."""
    assert not [each for each in run_as_json().document["findings"] if each["area"] == "base template"]
