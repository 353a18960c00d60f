"""The README's commands, settings and templates, run as they stand there: what a reader pastes works."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLResolver, re_path
from django.urls.resolvers import RegexPattern

from tests.support.pasted_blocks import run_pasted as run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = BLOCK.findall(README)
DEPLOYMENT = BLOCK.findall((ROOT / "docs" / "demo.md").read_text(encoding="utf-8"))
INSTALL = "python -m venv .venv\n. .venv/bin/activate\npip install ~/kordless-booking\n"
"""The same steps are run by `test_wheel.py`: it needs the package index."""
RENDER = """
from django.template import Template, RequestContext
from django.test import Client, RequestFactory
for path in ("/book/", "/book/haircut/", "/book/manage/"):
    answer = Client(HTTP_HOST="localhost").get(path)
    assert answer.status_code == 200, answer
request = RequestFactory().get("/", HTTP_HOST="localhost")
html = Template(open("sample.html").read()).render(RequestContext(request))
assert html.count("data-kb-step") == 2, html
"""


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in a language."""
    return [text for name, text in BLOCKS if name == language]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a new Django project, with the README's settings, URLs and template in it."""
    run("django-admin startproject mysite .", tmp_path)
    sandbox, urls, account, theme = blocks("python")
    for name, samples in (("settings", [sandbox, theme]), ("urls", [urls])):
        module = tmp_path / "mysite" / f"{name}.py"
        module.write_text("\n".join([module.read_text(), *samples]))
    # The account replaces the sandbox, so it is tried in settings of its own.
    (tmp_path / "mysite" / "account.py").write_text(f"from mysite.settings import *\n\n{account}")
    (tmp_path / "sample.html").write_text(blocks("django")[0])
    return tmp_path


def test_every_block_of_the_readme_is_tested():
    """A block in another language, or one more of these, needs a test here first."""
    languages = [name for name, _ in BLOCKS]
    assert {name: languages.count(name) for name in languages} == {"sh": 3, "python": 4, "django": 1, "html": 1}
    assert not any("…" in text for _, text in [*BLOCKS, *DEPLOYMENT])


def test_every_make_command_of_the_readme_exists():
    """In the text and in the first block, it is a target of the Makefile."""
    commands = re.findall(r"(?:`|^)make\s([a-z-]+)", README, re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert blocks("sh")[0] == "make demo\n"
    assert set(commands) <= set(targets)


def test_the_readme_installs_from_a_checkout_until_the_first_release():
    """The block says the path of a checkout; only the text after it names the release."""
    assert blocks("sh")[1] == INSTALL
    assert "After the first release it is `pip install kordless-booking`" in README


def test_the_line_of_urls_works_below_a_catch_all():
    """Wagtail and django CMS have one, and a reader pastes the line where the README says: at the end of urls.py."""
    _sandbox, urls, *_ = blocks("python")
    module: dict[str, Any] = {"urlpatterns": [re_path("", lambda request: None, name="catch-all")]}
    exec(urls, module)  # noqa: S102 (the README's)
    resolver = URLResolver(RegexPattern(r"^/"), module["urlpatterns"])
    assert resolver.resolve("/book/").namespace == "kordless_booking"
    assert resolver.resolve("/about/").url_name == "catch-all"


@pytest.mark.long
def test_a_new_project_books_with_what_the_readme_says(project: Path):
    """The settings, the line of URLs, the template tag and the commands work when pasted, without an account."""
    *commands, server = blocks("sh")[2].splitlines()
    assert server == "python manage.py runserver"
    for command in commands:
        run(command, project)
    run("python manage.py runserver --help", project)
    (project / "render.py").write_text(RENDER)
    run("python manage.py shell < render.py", project)


@pytest.mark.long
def test_the_account_of_the_readme_is_accepted(project: Path):
    """The second settings block replaces the sandbox, and Django's check finds nothing to say about it."""
    run("python manage.py check", project, DJANGO_SETTINGS_MODULE="mysite.account", KORDLESS_API_KEY="a-key")


def test_the_lines_for_other_websites_are_those_of_the_snippet_builder():
    """They have the script first, and a link that works without it."""
    script, link = blocks("html")[0].splitlines()
    assert re.fullmatch(r'<script async src="https://[a-z.]+/book/embed\.js"></script>', script)
    assert re.fullmatch(r'<a href="https://[a-z.]+/book/haircut/" data-kordless-booking="inline">[^<]+</a>', link)


@pytest.mark.long
def test_the_demo_can_be_deployed_as_its_page_says(tmp_path: Path):
    """Each command works when pasted; gunicorn only checks what it would serve."""
    [(_, commands)] = DEPLOYMENT
    assert "gunicorn demo_site.wsgi" in commands
    checked = commands.replace("gunicorn demo_site.wsgi", "gunicorn --check-config demo_site.wsgi")
    checked = checked.replace("manage.py", str(ROOT / "manage.py"))
    stored = {"DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}", "STATIC_ROOT": str(tmp_path / "static")}
    run(checked, tmp_path, **stored)


def test_the_pictures_of_the_readme_exist():
    """Each picture that it shows is in the repository, and is made by the one command that renews them all."""
    pictures = re.findall(r'src="([^"]+\.png)"', README) + re.findall(r"\]\((docs/[^)]+\.webp)\)", README)
    assert len(pictures) == 2 + 2 * 3
    assert [name for name in pictures if not (ROOT / name).is_file()] == []
    source = (ROOT / "screenshots" / "everything.py").read_text(encoding="utf-8")
    assert all(Path(name).name in source for name in pictures if name.endswith(".png"))
    assert "make screenshots" in README
