"""Eight steps of a visitor during a fault, each with the Kordless operation that the fault is set on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kordless_booking.booking.receipt import ManageLink
from kordless_booking.conf import get_account
from kordless_booking.upstream.registry import fetch_pool, services_for
from tests.support.site_cache import empty_cache
from tests.support.visitor import JANE, Page, Visitor

if TYPE_CHECKING:
    from pytest_django import Settings
    from time_machine import Traveller

    from kordless_booking.sandbox import Sandbox

START = datetime(2026, 12, 9, 15, 0, tzinfo=UTC)
LATER = datetime(2026, 12, 9, 20, 30, tzinfo=UTC)
PHONE = "+12125550199"
"""The contact that the sandbox gives to those who book by phone."""
TYPED = {**JANE, "notes": "Ring twice"}


def as_query(moment: datetime) -> str:
    """A time as it stands in a link."""
    return moment.strftime("%Y%m%dT%H%M%SZ")


@dataclass
class FaultScenario:
    """A site, its visitor, and the Kordless behind it."""

    visitor: Visitor
    sandbox: Sandbox
    clock: Traveller
    site: Settings

    def cold(self) -> None:
        """Empty the cache, and get a new client of Kordless."""
        empty_cache()
        self.change()

    def change(self, **given: object) -> None:
        """Change settings, and close the client that used the old ones."""
        fetch_pool.join()
        services_for(get_account("default")).client.close()
        self.site.KORDLESS_BOOKING = {**self.site.KORDLESS_BOOKING, **given}

    def booked(self) -> str:
        """Book START by phone, and return the number."""
        return self.sandbox.book_by_phone("haircut", START, "host_sarah")

    def manage(self, number: str, page: str = "") -> str:
        """The address of a page about a booking."""
        link = ManageLink(number=number, contact=PHONE, expires=2**32, timezone="America/New_York")
        return f"/book/manage/{link.to_token('default')}/{page}"

    def form(self) -> Page:
        """The contact form for START."""
        return self.visitor.open(f"/book/haircut/contact/?start={as_query(START)}")


Doing = Callable[[], Page]


def services(scenario: FaultScenario) -> Doing:
    """Look at the services, with an empty cache."""
    return lambda: scenario.visitor.once("/book/")


def slots(scenario: FaultScenario) -> Doing:
    """Look at the times of a service, with an empty cache."""
    return lambda: scenario.visitor.once("/book/haircut/")


def contact(scenario: FaultScenario) -> Doing:
    """Follow a link to the contact form, with an empty cache."""
    return lambda: scenario.visitor.once(f"/book/haircut/contact/?start={as_query(START)}")


def create(scenario: FaultScenario) -> Doing:
    """Send the filled-in form."""
    form = scenario.form()
    return lambda: scenario.visitor.send(form, "Book appointment", once=True, **TYPED)


def attempt(scenario: FaultScenario) -> Doing:
    """Wait on the attempt page, the first answer having been lost before anything was carried out."""
    form = scenario.form()
    scenario.sandbox.faults.add("status", "create", times=1, status=500)
    sent = scenario.visitor.send(form, "Book appointment", once=True, **TYPED)
    scenario.clock.shift(3)
    return lambda: scenario.visitor.once(sent.response["Location"])


def lookup(scenario: FaultScenario) -> Doing:
    """Look for a booking by its number and contact."""
    number = scenario.booked()
    form = scenario.visitor.open("/book/manage/")
    return lambda: scenario.visitor.send(form, "Find booking", once=True, number=number, contact=PHONE)


def cancel(scenario: FaultScenario) -> Doing:
    """Confirm that the booking is to be canceled."""
    address = scenario.manage(scenario.booked(), "cancel/")
    form = scenario.visitor.open(address)
    return lambda: scenario.visitor.send(form, "Cancel booking", once=True)


def reschedule(scenario: FaultScenario) -> Doing:
    """Confirm that the booking is to be moved."""
    address = scenario.manage(scenario.booked(), f"reschedule/confirm/?start={as_query(LATER)}")
    form = scenario.visitor.open(address)
    return lambda: scenario.visitor.send(form, "Reschedule", once=True)


@dataclass(frozen=True)
class Act:
    """A step and the operation of Kordless that the fault is played on."""

    prepare: Callable[[FaultScenario], Doing]
    operation: str
    most: int
    """The largest number of requests of that operation that one such step may send."""


ACTS = {
    "services": Act(services, "organization", 2),
    "slots": Act(slots, "availability", 2),
    "contact": Act(contact, "service", 2),
    "create": Act(create, "create", 1),
    "attempt": Act(attempt, "create", 2),
    "lookup": Act(lookup, "lookup", 2),
    "cancel": Act(cancel, "cancel", 1),
    "reschedule": Act(reschedule, "reschedule", 1),
}
READS = ("services", "slots", "contact")
"""Where only Kordless's answer makes a page."""
KEYED = (*READS, "create", "attempt")
"""Where the API key is shown."""
