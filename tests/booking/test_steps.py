"""The four steps of a booking."""

import pytest
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils import translation

from kordless_booking.booking.steps import Step


def test_they_come_in_order():
    """Service, time, details, done."""
    assert [step.name for step in Step] == ["SERVICE", "SLOT", "CONTACT", "CONFIRMATION"]
    assert Step.SERVICE.before(Step.SLOT)
    assert not Step.SLOT.before(Step.SLOT)
    assert not Step.CONFIRMATION.before(Step.SERVICE)


@pytest.mark.parametrize("step", Step)
def test_each_has_its_template_its_address_and_its_name(step):
    """Neither page nor route is missing, and the progress line has a word for it."""
    assert get_template(step.template)
    names = {pattern.name for pattern in mounted().url_patterns}
    assert step.url_name in names
    with translation.override("en"):
        assert str(step.label)


def mounted():
    """Our URLs as the plain host has mounted them."""
    return next(each for each in get_resolver().url_patterns if getattr(each, "app_name", None) == "kordless_booking")
