"""Counts on their way into the database: added up, in one piece, by the site's own day."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.db import DataError, OperationalError, connection
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking.funnel import counters
from kordless_booking.models import CampaignCount, FunnelCount, LostDemandCount, RejectedDeliveryCount
from tests.support.extension import plugged_in
from tests.support.failing_database import refused_value, refused_writes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_yet() -> Iterator[None]:
    counters.drain()
    yield
    counters.drain()


def rows() -> list[tuple[str, str, str, int]]:
    """Return the rows of the table."""
    return list(FunnelCount.objects.order_by("pk").values_list("service", "placement", "stage", "count"))


def test_what_is_counted_is_added_to_its_row() -> None:
    """One row for each day, account, service, placement and stage; a later writing adds to it."""
    for _ in range(3):
        counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SERVICE)
    assert counters.flush()
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SERVICE)
    counters.count_stage("default", "haircut", FunnelCount.Placement.EMBED, FunnelCount.Stage.SERVICE)
    assert counters.flush()
    assert rows() == [("haircut", "page", "service", 4), ("haircut", "embed", "service", 1)]


def test_counting_asks_the_database_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Only the writing does, later and elsewhere."""
    with django_assert_num_queries(0):
        counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SERVICE)
        counters.count_rejection("default", "webhook_stale")


def test_refusals_are_counted_too() -> None:
    """By day, account and reason."""
    counters.count_rejection("default", "webhook_stale")
    counters.count_rejection("default", "webhook_stale")
    assert counters.flush()
    assert list(RejectedDeliveryCount.objects.values_list("account", "reason", "count")) == [
        ("default", "webhook_stale", 2)
    ]


def test_lost_demand_is_counted_by_the_month_that_was_wanted() -> None:
    """A row for each day, account, service, placement and month."""
    for month in (1, 1, 2):
        counters.count_lost_demand("default", "haircut", FunnelCount.Placement.PAGE, date(2027, month, 1))
    assert counters.flush()
    counters.count_lost_demand("default", "haircut", FunnelCount.Placement.PAGE, date(2027, 1, 1))
    assert counters.flush()
    assert list(LostDemandCount.objects.order_by("month").values_list("service", "month", "count")) == [
        ("haircut", date(2027, 1, 1), 3),
        ("haircut", date(2027, 2, 1), 1),
    ]


def campaign_sources() -> dict[str, int]:
    """The written number of bookings by campaign source."""
    return dict(CampaignCount.objects.order_by("source").values_list("source", "count"))


def test_bookings_are_counted_by_campaign_source() -> None:
    """A row for each day, account, service, placement and source."""
    for source in ("newsletter", "newsletter", "google"):
        counters.count_campaign("default", "haircut", FunnelCount.Placement.EMBED, source)
    assert counters.flush()
    counters.count_campaign("default", "haircut", FunnelCount.Placement.EMBED, "google")
    assert counters.flush()
    assert campaign_sources() == {"google": 2, "newsletter": 2}


def test_the_campaign_sources_of_a_day_are_bounded() -> None:
    """Over several writings: whatever comes after so many is counted without its name, and the known ones with it."""
    for number in range(counters.MAX_SOURCES - 1):
        counters.count_campaign("default", "haircut", FunnelCount.Placement.PAGE, f"s{number}")
    assert counters.flush()
    for source in ("one", "two", "three", "s0"):
        counters.count_campaign("default", "haircut", FunnelCount.Placement.PAGE, source)
    assert counters.flush()
    counters.count_campaign("default", "haircut", FunnelCount.Placement.PAGE, "four")
    counters.count_campaign("other", "haircut", FunnelCount.Placement.PAGE, "four")
    assert counters.flush()
    found = campaign_sources()
    assert len(found) == counters.MAX_SOURCES + 2
    assert (found[counters.OTHER_SOURCES], found["s0"], found["one"], found["four"]) == (3, 2, 1, 1)
    assert not CampaignCount.objects.filter(account="default", source="four").exists()


@pytest.mark.parametrize("verbs", [("INSERT",), ("UPDATE",)])
def test_a_database_that_fails_midway_has_nothing_of_it(verbs: tuple[str, ...]) -> None:
    """And all of it is written the next time, once."""
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    assert counters.flush()
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.VISIT)
    with refused_writes(*verbs):
        assert not counters.flush()
    assert [row[3] for row in rows()] == [1]
    assert counters.flush()
    assert sorted(rows()) == [("haircut", "page", "slot", 2), ("haircut", "page", "visit", 1)]


@pytest.mark.parametrize(("zone", "day"), [("Asia/Tokyo", 2), ("America/New_York", 1)])
def test_a_day_is_one_of_the_site(settings: Settings, zone: str, day: int) -> None:
    """Of its TIME_ZONE, not of UTC and not of any visitor."""
    settings.TIME_ZONE = zone
    with time_machine.travel("2026-12-01T16:00:00Z", tick=False):
        assert counters.today() == date(2026, 12, day)


def test_the_longest_service_fits() -> None:
    """Two hundred characters, as the door to Kordless allows."""
    counters.count_stage("a" * 100, "s" * 200, FunnelCount.Placement.INLINE, FunnelCount.Stage.CONTACT)
    assert counters.flush()
    FunnelCount.objects.get().full_clean()


@given(st.text(st.characters(codec=None), max_size=300), st.text(st.characters(codec=None), max_size=100))
@example("s" * 300, "c" * 100)
@example("a\0\ud800b", "\0")
def test_every_text_is_counted_as_one_that_all_databases_hold(service: str, source: str) -> None:
    """No column is too short for a key, and PostgreSQL stores neither NUL nor halves of surrogate pairs."""
    counters.drain()
    counters.count_stage("default", service, FunnelCount.Placement.PAGE, FunnelCount.Stage.VISIT)
    counters.count_lost_demand("default", service, FunnelCount.Placement.PAGE, date(2027, 1, 1))
    counters.count_campaign("default", service, FunnelCount.Placement.PAGE, source)
    (stage,), (lost,), (campaign,) = (
        counters.stage_counter.drain(),
        counters.lost_demand_counter.drain(),
        counters.campaign_counter.drain(),
    )
    assert stage.service == lost.service == campaign.service
    for text, given_text, column in (
        (stage.service, service, FunnelCount._meta.get_field("service")),
        (lost.service, service, LostDemandCount._meta.get_field("service")),
        (campaign.service, service, CampaignCount._meta.get_field("service")),
        (campaign.source, source, CampaignCount._meta.get_field("source")),
    ):
        assert "\0" not in text
        storable = "".join(letter for letter in given_text if letter != "\0" and not "\ud800" <= letter <= "\udfff")
        assert text == storable[: column.max_length]


@pytest.mark.parametrize("error", [DataError, ValueError])
def test_a_service_that_no_row_can_hold_keeps_no_other_count_back(
    error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """Its count is dropped, with a line in the log that doesn't repeat it, and all others are written once."""
    counters.count_stage("default", "made\0-up", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    assert [key.service for key in counters.stage_counter.drain()] == ["made-up"]
    for service in ("coloring", "made-up", "made-up", "haircut"):
        counters.count_stage("default", service, FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    with refused_value("made-up", error), caplog.at_level(logging.WARNING):
        assert counters.flush()
    assert sorted(rows()) == [("coloring", "page", "slot", 1), ("haircut", "page", "slot", 1)]
    assert [record.getMessage() for record in caplog.records] == [
        f"event=counts_dropped counter=funnel count=2 error={error.__name__}"
    ]
    assert counters.stage_counter.drain() == {}


def test_a_database_that_fails_between_two_single_counts_has_each_of_them_once() -> None:
    """What was written alone isn't written again, and the rest is kept."""
    for service in ("coloring", "a-made-up", "haircut"):
        counters.count_stage("default", service, FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    # In one piece they are written by the alphabet, and alone as they were counted.
    with refused_value("a-made-up", DataError), refused_value("haircut", OperationalError):
        assert not counters.flush()
    assert rows() == [("coloring", "page", "slot", 1)]
    assert counters.flush()
    assert rows() == [("coloring", "page", "slot", 1), ("haircut", "page", "slot", 1)]


def test_an_extension_counts_no_made_up_service(site: Settings, client: Client) -> None:
    """Its stage is counted without a service, unless the business has it."""
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    with plugged_in(site):
        for service in ("made-up%00", "haircut", ""):
            assert client.post(f"/book/callback/?service={service}", {}, headers=same_origin).status_code == 200
        taken = counters.stage_counter.drain()
    assert not [key for key in taken if "made-up" in key.service]
    assert {(key.service, key.stage): number for key, number in taken.items()} == {
        ("", "callback"): 2,
        ("haircut", "callback"): 1,
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_begins_with_nothing() -> None:
    """Counts of the parent process are written by the parent alone."""
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    child = os.fork()
    if child == 0:
        os._exit(1 if counters.stage_counter.drain() else 0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert sum(counters.stage_counter.drain().values()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="files can't be shared so there")
def test_a_borrowed_connection_is_left_open() -> None:
    """A writing within somebody's own use of the database doesn't take it away."""
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    assert counters.flush()
    assert connection.connection is not None
