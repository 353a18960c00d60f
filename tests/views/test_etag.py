"""ETag and 304 of pages that are the same for everybody, and PUBLIC_CACHE_SECONDS."""

import gzip

import pytest
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from kordless_booking import conf
from tests.support.visitor import HTMX

pytestmark = pytest.mark.django_db
SHARED = ["/book/", "/book/haircut/", "/book/haircut/?tz=Europe/Berlin"]
PERSONAL = ["/book/manage/", "/book/nothing/", "/book/haircut/?thanks=https://salon.example/"]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("path", SHARED)
def test_a_client_that_has_the_page_gets_a_304(client: Client, site: Settings, path: str, headers: dict[str, str]):
    """With the tag it had, with all headers that a stored page needs, and without a body."""
    first = client.get(path, headers=headers)
    for _ in range(2):
        again = client.get(path, headers={**headers, "If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Content-Security-Policy", "Vary", "Cache-Control", "Referrer-Policy"):
            assert again[name] == first[name]
        assert "X-Frame-Options" not in again
        other = client.get(path, headers={**headers, "If-None-Match": '"-", W/"0000"'})
        assert (other.status_code, other.content) == (200, first.content)
        site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING}  # clears the response cache


def test_a_tag_holds_for_every_coding(client: Client, site: Settings):
    """The site's middleware compresses what isn't cached; the tag is weak, so that it stays the same."""
    site.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *site.MIDDLEWARE]
    plain = client.get("/book/haircut/")
    packed = client.get("/book/haircut/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"] == plain["ETag"]
    headers = {"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]}
    assert client.get("/book/haircut/", headers=headers).status_code == 304


def test_a_changed_page_has_another_tag(client: Client, site: Settings):
    """Another language, color or zone is another page."""
    paths = ["/book/haircut/", "/book/haircut/?lang=de", "/book/haircut/?accent=1f6f5c", "/book/haircut/?tz=Asia/Tokyo"]
    assert len({client.get(path)["ETag"] for path in paths}) == len(paths)


@pytest.mark.parametrize("path", PERSONAL)
def test_a_page_of_one_visitor_has_no_tag_and_no_shared_cache(client: Client, site: Settings, path: str):
    """Neither forms nor errors are the same for everybody."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PUBLIC_CACHE_SECONDS": 60}
    response = client.get(path)
    assert "ETag" not in response
    assert "public" not in response["Cache-Control"]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("path", SHARED)
def test_a_shared_cache_may_hold_shared_pages(client: Client, site: Settings, path: str, headers: dict[str, str]):
    """For the seconds of the setting, apart by all that they depend on; browsers ask anew. By default none may."""
    assert client.get(path, headers=headers)["Cache-Control"] == "private, no-cache"
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PUBLIC_CACHE_SECONDS": 60}
    for _ in range(2):
        response = client.get(path, headers=headers)
        assert response["Cache-Control"] == "public, max-age=0, s-maxage=60"
        varied = set(response["Vary"].split(", "))
        assert {"HX-Request", "HX-Target", "Accept-Language", "HX-History-Restore-Request"} <= varied
        assert {"KB-Seen", "KB-Ahead", "KB-Taken"} <= varied
        assert not response.cookies
    # What is one visitor's alone: a page that is fetched ahead, and a word that nothing has changed.
    ahead = client.get(path, headers={**headers, "KB-Ahead": "1"})
    assert ahead["Cache-Control"] == "private, max-age=5"
    taken = client.get(path, headers={**headers, "KB-Taken": "1"})
    assert (taken.status_code, taken["Cache-Control"]) == (204, "private, no-cache")


def test_a_shared_cache_is_refused_together_with_templates_of_the_site(
    site: Settings, settings: Settings, tmp_path_factory: pytest.TempPathFactory
):
    """They may show one visitor what a CDN would then show to all."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PUBLIC_CACHE_SECONDS": 60}
    assert [each.id for each in run_checks(tags=["kordless_booking"]) if each.id == "kordless_booking.E018"] == []
    with_base = {**site.KORDLESS_BOOKING, "BASE_TEMPLATE": "base.html"}
    assert [error.text for error in conf.find_errors(with_base)] == [
        "KORDLESS_BOOKING: PUBLIC_CACHE_SECONDS is set together with BASE_TEMPLATE."
    ]
    folder = tmp_path_factory.mktemp("templates")
    (folder / "kordless_booking" / "parts").mkdir(parents=True)
    (folder / "kordless_booking" / "parts" / "foot.html").write_text("{{ request.user }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
    [error] = [each for each in run_checks(tags=["kordless_booking"]) if each.id == "kordless_booking.E018"]
    assert "kordless_booking/parts/foot.html" in error.msg
