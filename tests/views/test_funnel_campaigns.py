"""Bookings by campaign source: counted once each, and never with what may be somebody's id."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.booking.attribution import campaign_source
from kordless_booking.funnel import counters
from kordless_booking.funnel.counters import OTHER_SOURCES
from kordless_booking.models import CampaignCount
from tests.support.visitor import JANE, Visitor


@pytest.mark.parametrize(
    ("source", "counted"),
    [
        ("newsletter", "newsletter"),
        ("  Google ", "google"),
        ("Spring Sale 2026", "spring sale 2026"),
        ("chatgpt.com", "chatgpt.com"),
        ("l.instagram.com", "l.instagram.com"),
        ("news-2026-w49", OTHER_SOURCES),
        ("\uff47\uff4f\uff4fgle", "google"),
        ("Zürich_Tourismus", "zürich_tourismus"),
        ("新聞", "新聞"),
        ("", ""),
        (" ", ""),
        ("jane@example.com", OTHER_SOURCES),
        ("jane%40example.com", OTHER_SOURCES),
        ("+12125550123", OTHER_SOURCES),
        ("1990-12-31", OTHER_SOURCES),
        ("٠١٢٣٤٥٦٧٨٩", OTHER_SOURCES),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", OTHER_SOURCES),
        ("a1b2c3", OTHER_SOURCES),
        ("kqzjxwvbnmrtplkjhgfds", OTHER_SOURCES),
        ("x" * 41, OTHER_SOURCES),
        ("a " * 30, OTHER_SOURCES),
        ("<script>", OTHER_SOURCES),
        ("(other)", OTHER_SOURCES),
        ("nul\0", OTHER_SOURCES),
    ],
)
def test_a_campaign_source_is_a_name_or_one_of_the_others(source: str, counted: str):
    """In one spelling; what looks like an id, an address or a number of anybody is counted without it."""
    assert campaign_source({"utm_source": source}) == counted


@given(text=st.text(max_size=80) | st.emails())
def test_any_campaign_source_is_bounded_and_safe(text: str):
    """It fits its column, holds no email address, and is the same when it is read again."""
    source = campaign_source({"utm_source": text})
    assert len(source) <= 40
    assert "@" not in source
    if source not in {"", OTHER_SOURCES}:
        assert campaign_source({"utm_source": source}) == source
        assert sum(letter.isdigit() for letter in source) <= 5


@pytest.mark.django_db
def test_a_booking_is_counted_once_for_the_campaign_of_its_visitor(client: Client, site: Settings):
    """By the attribution of its form; a reload and the same form once more count nothing, nor does no campaign."""
    visitor = Visitor(client)
    form = visitor.choose()
    attribution = json.dumps({"utm_source": "Newsletter", "utm_id": "canary"})
    visitor.send(form, "Book appointment", **JANE, attribution=attribution)
    visitor.reload()
    visitor.send(form, "Book appointment", **JANE, attribution=attribution)
    visitor.book(time=1)
    assert counters.flush()
    assert list(CampaignCount.objects.values_list("service", "placement", "source", "count")) == [
        ("haircut", "page", "newsletter", 1)
    ]


@pytest.mark.django_db
def test_without_the_funnel_no_campaign_is_counted(client: Client, site: Settings):
    """The setting turns off all counts."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "FUNNEL": False}
    Visitor(client).book(attribution='{"utm_source": "newsletter"}')
    assert counters.flush()
    assert not CampaignCount.objects.exists()
