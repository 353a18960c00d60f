"""Retention: old rows go in small batches with what a site does anyway, and nothing goes that still guards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from pytest_django import Settings

from kordless_booking import conf, retention
from kordless_booking.booking.placement import RESEND_WINDOW
from kordless_booking.doctor import database
from kordless_booking.erasure.targets import FORM_EXPIRES_AFTER
from kordless_booking.models import (
    BookingAttempt,
    BookingProjection,
    CampaignCount,
    FunnelCount,
    LostDemandCount,
    RejectedDeliveryCount,
    WebhookDelivery,
)
from kordless_booking.retention import BATCH_ROWS, RUN_EVERY, delete_expired
from kordless_booking.staff.funnel import PERIODS
from kordless_booking.webhooks.stored_body import BODY_RETENTION
from tests.support.clock import NOW
from tests.support.deliveries import NEW, delivery, event_body
from tests.support.failing_database import refused_writes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)
TABLES: tuple[type[Model], ...] = (
    BookingAttempt,
    WebhookDelivery,
    BookingProjection,
    FunnelCount,
    LostDemandCount,
    CampaignCount,
    RejectedDeliveryCount,
)


@pytest.fixture
def keeping(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """The plain site with a webhook, and with the defaults of retention."""
    site.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": [NEW]}
    return site


def write(at: datetime, *, account: str = "default", number: int = 0, **changes: Any) -> None:
    """Write a row of that time into each table: those of a booking whose time has passed."""
    key = f"{account}-{at:%Y%m%d%H}-{number}"
    BookingAttempt.objects.create(
        **{"key": key, "account": account, "state": "placed", "claimed_until": at, "created_at": at, "changed_at": at}
        | changes
    )
    WebhookDelivery.objects.create(
        account=account, delivery_id=key, body_hash=key, kind="x", outcome="other", received_at=at, encrypted="x"
    )
    BookingProjection.objects.create(account=account, number_hash=key, start=at, changed_at=at)
    FunnelCount.objects.create(
        day=at.date(), account=account, service=key[:200], placement="page", stage="visit", count=1
    )
    LostDemandCount.objects.create(
        day=at.date(), account=account, service=key[:200], placement="page", month=at.date().replace(day=1), count=1
    )
    CampaignCount.objects.create(
        day=at.date(), account=account, service=key[:200], placement="page", source="google", count=1
    )
    RejectedDeliveryCount.objects.create(day=at.date(), account=account, reason=key[:40], count=1)


def counts() -> list[int]:
    """Return the numbers of rows, in the order of TABLES."""
    return [model._default_manager.count() for model in TABLES]


@pytest.mark.usefixtures("keeping")
def test_rows_go_when_their_days_are_over_and_not_before():
    """Attempts, deliveries and published states after 90 days, counts after 400."""
    for days in (1, 89, 91, 399, 401):
        write(NOW - days * DAY)
    assert delete_expired(NOW) == 3 * 3 + 4
    assert counts() == [2, 2, 2, 4, 4, 4, 4]
    assert delete_expired(NOW) == 0


def test_rows_are_kept_for_ever_where_the_settings_say_so(keeping: Settings):
    """0 days is for ever, for each kind of row by itself."""
    keeping.KORDLESS_BOOKING = {**keeping.KORDLESS_BOOKING, "ATTEMPT_RETENTION_DAYS": 0, "COUNT_RETENTION_DAYS": 0}
    write(NOW - 3000 * DAY)
    delete_expired(NOW)
    assert counts() == [1, 0, 0, 1, 1, 1, 1]


def test_each_account_keeps_its_rows_for_its_own_time(two_accounts: Settings):
    """Rows of an account that is no longer in the settings stay as long as those of the one that keeps them longest."""
    settings = two_accounts.KORDLESS_BOOKING
    settings["ACCOUNTS"]["north"]["ATTEMPT_RETENTION_DAYS"] = 30
    two_accounts.KORDLESS_BOOKING = {**settings, "ATTEMPT_RETENTION_DAYS": 60}
    for days in (29, 31, 61):
        for account in ("north", "south", "gone"):
            write(NOW - days * DAY, account=account)
    delete_expired(NOW)
    left = BookingAttempt.objects.order_by("account", "-created_at").values_list("account", "created_at")
    assert [(account, (NOW - at).days) for account, at in left] == [
        *(("gone", 29), ("gone", 31), ("north", 29), ("south", 29), ("south", 31))
    ]


@pytest.mark.usefixtures("keeping")
def test_what_still_guards_is_kept_whatever_its_age():
    """A booking in the future, an attempt that has changed since, and one that is being sent at this moment."""
    long_ago = NOW - 200 * DAY
    BookingProjection.objects.create(account="default", number_hash="a", start=NOW + DAY, changed_at=long_ago)
    BookingProjection.objects.create(account="default", number_hash="b", start=NOW - DAY, changed_at=long_ago)
    write(long_ago, number=1, changed_at=NOW - DAY)
    write(long_ago, number=2, state="placing", claimed_until=NOW + timedelta(seconds=20))
    delete_expired(NOW)
    assert counts()[:3] == [2, 0, 2]


def test_no_setting_allows_less_than_what_guards_against_duplicates():
    """A form, an open attempt, a delivery's body and the funnel's page all end before their rows do."""
    assert max(FORM_EXPIRES_AFTER, RESEND_WINDOW) < conf.MIN_ATTEMPT_DAYS * DAY
    assert conf.MIN_DELIVERY_DAYS * DAY > BODY_RETENTION
    assert max(PERIODS) <= conf.MIN_COUNT_DAYS
    low = {
        "ATTEMPT_RETENTION_DAYS": conf.MIN_ATTEMPT_DAYS,
        "DELIVERY_RETENTION_DAYS": conf.MIN_DELIVERY_DAYS,
        "COUNT_RETENTION_DAYS": conf.MIN_COUNT_DAYS,
    }
    for name, days in low.items():
        flat = {"SANDBOX": True}
        assert conf.find_errors({**flat, name: days - 1})
        for fine in (0, days, conf.MAX_RETENTION_DAYS):
            assert not conf.find_errors({**flat, name: fine})


@pytest.mark.usefixtures("keeping")
def test_a_run_deletes_so_many_rows_at_most(monkeypatch: pytest.MonkeyPatch):
    """A site with a million old rows isn't held up by the first run; the next ones go on."""
    monkeypatch.setattr(retention, "BATCH_ROWS", 3)
    for number in range(10):
        write(NOW - 500 * DAY, number=number)
    write(NOW - 500 * DAY, account="gone")
    left = []
    while sum(counts()):
        delete_expired(NOW, batches=1)
        left.append(counts()[0])
    assert left == [8, 5, 2, 0]


@pytest.mark.usefixtures("keeping")
def test_the_bodies_of_deliveries_are_emptied_without_another_delivery():
    """They are personal, and a webhook may have been switched off."""
    write(NOW - 29 * DAY)
    write(NOW - 31 * DAY)
    delete_expired(NOW)
    assert list(WebhookDelivery.objects.order_by("received_at").values_list("encrypted", flat=True)) == ["", "x"]


@pytest.mark.usefixtures("keeping")
def test_a_mail_run_deletes_old_rows_even_where_mail_is_off():
    """Whoever has its line in cron needs no other."""
    write(NOW - 500 * DAY)
    call_command("kordless_mail", verbosity=0)
    assert not any(counts())


@pytest.fixture
def every_hundredth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has just begun to count deliveries."""
    monkeypatch.setattr(retention, "_schedule", retention._Schedule())


@pytest.mark.usefixtures("keeping", "every_hundredth")
def test_deliveries_delete_old_rows_now_and_then(client: Client, monkeypatch: pytest.MonkeyPatch):
    """A site without cron stays bounded too: the hundredth delivery deletes more than a hundred have brought."""
    monkeypatch.setattr(retention, "RUN_EVERY", 3)
    write(NOW - 500 * DAY)
    for number in range(3):
        assert BookingAttempt.objects.exists()
        assert delivery(event_body(id=f"book_{number}"), delivery_id=f"dlv_{number}").post(client).status_code == 200
    assert not BookingAttempt.objects.exists()
    assert WebhookDelivery.objects.count() == 3
    assert BATCH_ROWS > RUN_EVERY


@pytest.mark.usefixtures("keeping", "every_hundredth")
def test_a_delivery_after_an_hour_deletes_old_rows(client: Client, monkeypatch: pytest.MonkeyPatch):
    """A small site has a hundred deliveries in a year."""
    monkeypatch.setattr(retention._schedule, "_due_at", 0.0)
    write(NOW - 500 * DAY)
    assert delivery().post(client).status_code == 200
    assert not BookingAttempt.objects.exists()


@pytest.mark.usefixtures("keeping", "every_hundredth")
def test_a_delivery_is_accepted_although_old_rows_cannot_be_deleted(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """It was recorded; Kordless needn't send it again."""
    monkeypatch.setattr(retention, "RUN_EVERY", 1)
    write(NOW - 500 * DAY)
    with refused_writes("DELETE"):
        assert delivery().post(client).status_code == 200
    assert "retention_failed" in caplog.text


def findings() -> dict[str, str]:
    """Return the doctor's findings about the database, by code."""
    return {finding.code: str(finding) for finding in database.examine()}


@pytest.mark.usefixtures("keeping")
def test_the_doctor_reports_that_old_rows_are_not_deleted():
    """It names them, and what to run; a row that waits for the next run is nothing to report."""
    write(NOW - 91 * DAY)
    assert "retention" in findings()
    write(NOW - 94 * DAY)
    overdue = findings()["retention_overdue"]
    assert "booking attempts, webhook deliveries, booking projections" in overdue
    assert "funnel" not in overdue
    assert "kordless_mail" in overdue
    delete_expired(NOW)
    assert "retention" in findings()


def test_the_log_says_how_many_rows_went(keeping: Settings, caplog: pytest.LogCaptureFixture):
    """And nothing about whose they were."""
    caplog.set_level("INFO", "kordless_booking.erasure")
    write(NOW - 500 * DAY)
    delete_expired(NOW)
    delete_expired(NOW)
    [line] = [record.getMessage() for record in caplog.records if "rows_expired" in record.getMessage()]
    assert line.startswith("event=rows_expired deleted=7 emptied=0")
