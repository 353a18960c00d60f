"""Country of phone numbers without a country code: the setting, else that of the business's time zone."""

import pytest

from kordless_booking.conf import Account
from kordless_booking.upstream.phone_region import phone_region


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("America/New_York", "US"),
        ("america/new_york ", "US"),
        ("Eastern Standard Time", "US"),
        ("Europe/Berlin", "DE"),
        ("UTC", None),
        ("GMT+2", None),
        ("somewhere", None),
        (None, None),
    ],
)
def test_the_region_follows_the_time_zone_as_people_type_it(zone: str | None, region: str | None):
    """In any case and in Windows's names; a zone of no country tells nothing."""
    assert phone_region(Account(name="salon"), zone) == region


def test_the_setting_comes_first():
    """A business may have its customers elsewhere."""
    assert phone_region(Account(name="salon", phone_region="FR"), "America/New_York") == "FR"
