"""Every address leads to its page, in every kind of mount."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import Resolver404, clear_url_caches, resolve, reverse, set_script_prefix
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.urls import app_name, urlpatterns
from kordless_booking.views.links import RESERVED
from tests.support.visitor import JANE, Visitor

slugs = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,40}", fullmatch=True)


def test_names_are_unique():
    """No two patterns share a name, so a name always means one page."""
    names = [pattern.name for pattern in urlpatterns]
    assert len(names) == len(set(names))
    assert app_name == "kordless_booking"


@given(slug=slugs)
def test_every_service_has_an_address(slug: str):
    """Whatever a business calls a service, it is reached by its own name or through service/."""
    named = "slots-named" if slug in RESERVED else "slots"
    match = resolve(reverse(f"kordless_booking:{named}", args=[slug]))
    assert match.kwargs == {"service": slug}
    assert match.url_name == named


@pytest.mark.parametrize("slug", sorted(RESERVED))
def test_reserved_words_are_our_own(slug: str):
    """A service with the name of one of our pages does not hide that page."""
    assert resolve(f"/book/service/{slug}/").kwargs == {"service": slug}


@given(rest=st.text(st.characters(exclude_characters="\n"), max_size=60))
def test_everything_under_the_mount_is_ours(rest: str):
    """Any other address under the mount is answered by the widget; outside of it, by the host."""
    assert resolve(f"/book/{rest}").app_name == "kordless_booking"
    with pytest.raises(Resolver404):
        resolve(f"/other/{rest}")


@pytest.fixture
def elsewhere(site: Settings) -> Iterator[Settings]:
    """The host with the widget deep under its root, in German, on Nepal's clock, under a server's prefix."""
    site.ROOT_URLCONF = "tests.projects.elsewhere.urls"
    site.LANGUAGE_CODE = "de"
    site.TIME_ZONE = "Asia/Kathmandu"
    clear_url_caches()
    set_script_prefix("/laden/")
    yield site
    set_script_prefix("/")


@pytest.mark.django_db
def test_a_prefix_is_on_every_link(elsewhere: Settings):
    """Behind a server's prefix and a deep mount the whole way works, and no link leaves the prefix."""
    any_visitor = Visitor(Client(SCRIPT_NAME="/laden"), base="/laden/de/termine/", prefix="/laden")
    page = any_visitor.open("/laden/de/termine/")
    page = any_visitor.open(page.link("Haircut"))
    page = any_visitor.open(next(iter(page.times.values())))
    page = any_visitor.send(page, "Termin buchen", **JANE)
    manage = any_visitor.open(page.link("Ändern oder stornieren"))
    any_visitor.send(manage, "Buchung stornieren")
    assert manage.number
    for each in any_visitor.responses:
        for url in (*each.links().values(), each.response.get("Location", "")):
            assert not url.startswith("/") or url.startswith("/laden/de/termine/"), url


@pytest.mark.django_db
def test_another_zone_of_the_host_changes_no_time(elsewhere: Settings):
    """The host's own TIME_ZONE has no say: times are the business's or the visitor's."""
    page = Visitor(Client(SCRIPT_NAME="/laden"), prefix="/laden").open("/laden/de/termine/haircut/")
    assert "New York" in page.text
    assert "start=20261201T153000Z" in next(iter(page.times.values()))


@pytest.mark.django_db
def test_two_mounts_are_two_businesses(two_accounts: Settings, client: Client):
    """Each mount shows its own business, and its links stay in it."""
    for base, name in (("/north/", "Check-up"), ("/south/", "What would you like to book?")):
        page = Visitor(client).open(base)
        assert page.heading == name
        assert all(not url.startswith("/") or url.startswith(base) for url in page.links().values())
