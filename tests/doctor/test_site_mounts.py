"""Findings of the doctor about the URLs of the widget."""

import pytest
from django.urls import include, path
from pytest_django import Settings

from tests.support.doctor import run_as_json
from tests.support.urlconfs import BEFORE_WIDGET, WITHOUT_WIDGET, mounted

pytestmark = pytest.mark.django_db


def test_where_it_is(well: Settings):
    """The address to give to people."""
    assert "/book/" in run_as_json().line("mounted")


def test_where_each_account_is(two_accounts: Settings):
    """Each has its own."""
    two_accounts.KORDLESS_BOOKING = {**two_accounts.KORDLESS_BOOKING, "PROCESSES": 1}
    assert [run_as_json("--account", name).line("mounted") for name in ("north", "south")] == [
        "The widget is at /north/",
        "The widget is at /south/",
    ]


def test_nowhere(well: Settings):
    """With the line to add."""
    well.ROOT_URLCONF = WITHOUT_WIDGET
    report = run_as_json()
    assert report.fixes() == ["unmounted"]
    assert 'include("kordless_booking.urls")' in report.line("unmounted")


def test_one_of_two_is_missing(two_accounts: Settings):
    """The other one is somewhere."""
    two_accounts.KORDLESS_BOOKING = {**two_accounts.KORDLESS_BOOKING, "PROCESSES": 1}
    two_accounts.ROOT_URLCONF = mounted("north")
    report = run_as_json()
    assert report.of("urls", "north") == {"mounted": "ok"}
    assert report.of("urls", "south") == {"unmounted": "fix"}
    assert "namespace='south'" in report.line("unmounted")


def test_a_namespace_of_nobody(two_accounts: Settings):
    """Reported with the id of the system check."""
    two_accounts.ROOT_URLCONF = mounted("north", "south", "west")
    assert "E007" in run_as_json().fixes()


def test_deep_in_other_namespaces(well: Settings):
    """As a part of somebody's app."""
    well.ROOT_URLCONF = (path("deep/", include((list(mounted(None)), "shop"))),)
    assert "/deep/0/" in run_as_json().line("mounted")


def test_where_the_address_varies(well: Settings):
    """It has no address without arguments."""
    well.ROOT_URLCONF = (path("<slug:salon>/", include("kordless_booking.urls")),)
    assert run_as_json().of("urls") == {"unmounted": "fix"}


def test_a_catch_all_above_the_widget(well: Settings):
    """`reverse` names the address, and another view answers there."""
    well.ROOT_URLCONF = (*BEFORE_WIDGET, *mounted(None))
    report = run_as_json()
    assert report.of("urls") == {"shadowed": "fix"}
    assert "/0/ of the widget leads to something else (site-page)" in report.line("shadowed")
    well.ROOT_URLCONF = (*mounted(None), *BEFORE_WIDGET)
    assert run_as_json().of("urls") == {"mounted": "ok"}


def test_urls_that_can_not_be_imported(well: Settings):
    """The rest is looked at."""
    well.ROOT_URLCONF = "canary.urls.nowhere"
    report = run_as_json()
    assert report.of("urls") == {"failed": "fix"}
    assert report.of("kordless")["key"] == "ok"


def test_index_without_an_address_for_search_engines(well: Settings):
    """Pages that are mounted nowhere can't be listed, and a sandbox shouldn't be."""
    index = {"INDEX": True, "SITE_URL": "https://salon.example", "SANDBOX": True}
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, **index}
    assert run_as_json().of("search engines") == {"indexed": "ok", "indexed_sandbox": "note"}
    well.ROOT_URLCONF = WITHOUT_WIDGET
    assert run_as_json().of("search engines") == {"indexed_nowhere": "fix"}
