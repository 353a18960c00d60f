"""Mixin for Django's test cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from .kit import NOW, Booked, KordlessTestKit

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import TestCase

    _Base = TestCase
else:
    _Base = object


class KordlessTestMixin(_Base):
    """Mixin in front of `django.test.TestCase`: every test has a Kordless of its own, at `self.kordless`."""

    kordless_now: ClassVar[datetime | None] = NOW
    """When each test begins, on a clock that stands still. None: the real time, which runs on."""
    kordless_settings: ClassVar[Mapping[str, Any]] = {}
    """Keys of KORDLESS_BOOKING that differ in these tests."""
    kordless: KordlessTestKit

    def setUp(self) -> None:
        """Start the kit, until the test has ended."""
        self.kordless = self.enterContext(KordlessTestKit(now=self.kordless_now, settings=self.kordless_settings))
        super().setUp()

    def book(self, service: str = "haircut", **options: Any) -> Booked:
        """Book through the pages with `self.client`, see `KordlessTestKit.book`."""
        return self.kordless.book(self.client, service, **options)

    def deliver_webhook(self, event: str | Mapping[str, Any], **options: Any) -> HttpResponse:
        """Deliver an event of Kordless, see `KordlessTestKit.deliver_webhook`."""
        return self.kordless.deliver_webhook(event, **options)

    def inject_fault(self, kind: str, **options: Any) -> None:
        """Let Kordless fail, see `KordlessTestKit.inject_fault`."""
        self.kordless.inject_fault(kind, **options)
