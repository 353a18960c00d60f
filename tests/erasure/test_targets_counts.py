"""Old days of what is counted."""

from datetime import UTC, date, datetime

import pytest

from kordless_booking.erasure.base import Person
from kordless_booking.erasure.targets import Counts
from kordless_booking.models import CampaignCount, FunnelCount, LostDemandCount, RejectedDeliveryCount

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 12, 1, 15, tzinfo=UTC)
LONG_AGO = datetime(2026, 9, 1, 15, tzinfo=UTC)


def test_old_days_go_and_the_others_stay() -> None:
    """A day goes when it was over before the moment, in the accounts that are meant."""
    for account, day in (("north", date(2026, 8, 31)), ("north", date(2026, 9, 1)), ("south", date(2026, 8, 31))):
        RejectedDeliveryCount.objects.create(account=account, day=day, reason="webhook_stale", count=2)
    counts = Counts("refused deliveries", RejectedDeliveryCount)
    assert counts.erase_older_than(LONG_AGO, NOW, accounts=["north"]).deleted == 1
    assert set(RejectedDeliveryCount.objects.values_list("account", "day")) == {
        ("north", date(2026, 9, 1)),
        ("south", date(2026, 8, 31)),
    }
    assert counts.erase_older_than(LONG_AGO, NOW, accounts=None).deleted == 1


def test_old_days_of_lost_demand_go() -> None:
    """They are counts like the others."""
    for day in (date(2026, 8, 31), date(2026, 9, 1)):
        LostDemandCount.objects.create(
            account="north", day=day, service="haircut", placement="page", month=date(2026, 9, 1), count=1
        )
    assert Counts("lost demand days", LostDemandCount).erase_older_than(LONG_AGO, NOW, accounts=None).deleted == 1
    assert LostDemandCount.objects.get().day == date(2026, 9, 1)


def test_old_days_of_campaigns_go() -> None:
    """They are counts like the others."""
    for day in (date(2026, 8, 31), date(2026, 9, 1)):
        CampaignCount.objects.create(
            account="north", day=day, service="haircut", placement="page", source="google", count=1
        )
    assert Counts("campaign days", CampaignCount).erase_older_than(LONG_AGO, NOW, accounts=None).deleted == 1
    assert CampaignCount.objects.get().day == date(2026, 9, 1)


def test_nobody_is_in_them() -> None:
    """Erasing a person changes nothing there."""
    FunnelCount.objects.create(
        account="default", day=date(2026, 8, 31), service="haircut", placement="page", stage="visit", count=1
    )
    jane = Person.from_texts(["jane@example.com"], frozenset({"US"}))
    tally = Counts("funnel days", FunnelCount).erase_person(jane, NOW, accounts=None, including_open=True)
    assert (tally.deleted, tally.emptied, tally.kept_personal) == (0, 0, 0)
    assert FunnelCount.objects.count() == 1
