"""Redaction of Django's log about failing receivers, whose message may repeat personal data."""

import logging

import pytest
from django.dispatch import Signal

from kordless_booking.logs import redacted_dispatch_log


def test_django_names_the_error_and_does_not_repeat_it(caplog: pytest.LogCaptureFixture):
    """Inside; what is sent outside is logged as ever."""
    signal = Signal()

    def careless(**_arguments: object) -> None:
        raise LookupError("no such person: canary@example.com")

    signal.connect(careless)
    with redacted_dispatch_log():
        signal.send_robust(sender=None)
    [record] = caplog.records
    assert record.name == "django.dispatch"
    assert record.getMessage().endswith("in Signal.send_robust() (LookupError)")
    assert "canary" not in caplog.text
    assert record.levelno == logging.ERROR
    signal.send_robust(sender=None)
    assert "canary" in caplog.text
