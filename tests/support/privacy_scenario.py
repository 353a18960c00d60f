"""All that can happen around a visitor: illness at every step, junk, deliveries, accidents, and what operators do."""

from __future__ import annotations

import io
import logging
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.conf import get_account
from kordless_booking.funnel import counters
from kordless_booking.funnel.buffered_counter import MAX_KEYS
from kordless_booking.funnel.counters import count_rejection
from kordless_booking.mail.outbox import mark_stuck_as_unknown
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.models import Appointment, BookingAttempt, OutgoingMail, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.abuse import HONEYPOT
from kordless_booking.webhooks import signature
from tests.support.deliveries import NEW, OLD, delivery, event_body
from tests.support.failing_database import refused_writes
from tests.support.fault_scenario import ACTS, READS, FaultScenario
from tests.support.signal_receiver import listening
from tests.support.visitor import JANE, Visitor

ILLNESSES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 404}),
    *[("status", {"status": status}) for status in (429, 403, 409, 422, 500)],
    ("html", {}),
    ("other_booking", {}),
    ("date_skew", {"seconds": 600}),
    ("reset", {}),
)


def live_on(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Each chapter begins with a Kordless that is well."""
    before = dict(site.KORDLESS_BOOKING)
    chapters = (
        _illness,
        _behind_the_scenes,
        _junk,
        _in_line,
        _no_database,
        _deliveries,
        _mails,
        _counts,
        _accidents,
        _operators,
    )
    for chapter in chapters:
        chapter(walk, sandbox, clock, site)
        sandbox.faults.clear()
        clock.shift(120)
        site.KORDLESS_BOOKING = dict(before)


def change(site: Settings, **given: Any) -> None:
    """Other settings, and with them a line to Kordless that nothing is held against."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **given}


def _illness(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Every step, while Kordless is ill in every way."""
    scenario = FaultScenario(walk, sandbox, clock, site)
    for name, act in ACTS.items():
        for kind, options in ILLNESSES[:2] if name in READS else ILLNESSES:
            sandbox.reset()
            change(site)
            do = act.prepare(scenario)
            scenario.cold() if name in READS else change(site)
            sandbox.faults.add(kind, act.operation, **options)
            do()
            sandbox.faults.clear()
            clock.shift(61)


def _behind_the_scenes(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Refreshes that fail, a circuit that opens and closes, a cache that is down, one that somebody else writes to."""
    own = site.CACHES
    site.CACHES = {"default": {"BACKEND": "tests.support.wall_clock_cache.WallClockCache"}}
    walk.open("/book/haircut/")
    clock.shift(61)
    sandbox.faults.add("status", "availability", status=500)
    with heard("fetch_failed") as failed:
        walk.open("/book/haircut/", **{"X-Request-ID": "behind-1"})
        assert failed.wait(10)
    sandbox.faults.add("status", status=503)
    for _ in range(5):
        walk.open("/book/full-color/")
        clock.shift(3)
    sandbox.faults.clear()
    clock.shift(30)
    walk.open("/book/full-color/")
    site.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    walk.open("/book/")
    site.CACHES = own
    for key in list(vars(caches["default"])["_cache"]):
        caches["default"].set(key.removeprefix(":1:"), ["planted"])
    change(site)
    walk.open("/book/")


@contextmanager
def heard(event: str) -> Iterator[threading.Event]:
    """Set when that has been said."""
    said = threading.Event()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if f"event={event} " in record.getMessage():
                said.set()

    listening, logger = Listening(), logging.getLogger("kordless_booking")
    logger.addHandler(listening)
    try:
        yield said
    finally:
        logger.removeHandler(listening)


def nobody(_request: Any, _form: Any) -> bool:
    """A check for humans that finds none."""
    return False


def careless(_request: Any, form: Any) -> bool:
    """A check that fails, and says at whom."""
    raise LookupError(f"no such person: {form.cleaned_data}")


def _junk(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """What is sent by those who are no visitors, and by those who are in a hurry."""
    form = walk.choose("haircut", "?day=2026-12-14")
    method, action, fields = form.form("Book appointment")
    assert method == "post"
    typed = {**fields, **JANE}
    walk.open(action, {**typed, HONEYPOT: "https://canary.example"})
    walk.open(action, typed, **{"Sec-Fetch-Site": "cross-site"})
    walk.open(action, {**typed, "notes": "canary" * 20_000})
    walk.client.put(action, "canary@example.com")
    change(site, SPAM_CHECK="tests.support.privacy_scenario.nobody")
    walk.open(action, typed)
    change(site, SPAM_CHECK="tests.support.privacy_scenario.careless")
    walk.open(action, typed)
    change(site, SPAM_CHECK="", BOOKINGS_PER_ADDRESS=1, LOOKUPS_PER_NUMBER=1)
    for _ in range(3):
        walk.open(action, {**typed, "email": "canary@"})
        walk.open(action, typed)
        walk.send(walk.open("/book/manage/"), "Find booking", number="BOOK_CANARY01", contact="canary@example.com")
    walk.open(form.url)
    walk.client.get("/book/manage/gAAAAAcanary/")
    walk.client.get("/book/a/b/c/canary/")
    walk.client.get("/page/")


def _in_line(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """More bookings than Kordless takes, then an attempt that nobody can read any more, and one that was settled."""
    form = walk.choose("haircut", "?day=2026-12-16")
    walk.send(form, "Book appointment", **JANE)
    BookingAttempt.objects.update(encrypted="damaged")
    walk.send(form, "Book appointment", **JANE)
    form = walk.choose("haircut", "?day=2026-12-16")
    reachable = dict(site.KORDLESS_BOOKING)
    change(site, TRANSPORT=None, BASE_URL="http://127.0.0.1:1")
    walk.send(form, "Book appointment", **JANE)
    site.KORDLESS_BOOKING = reachable
    for damage in ("", "damaged"):
        sandbox.faults.add("status", "create", status=429, retry_after=5, times=1)
        sent = walk.send(walk.choose("haircut", "?day=2026-12-15"), "Book appointment", once=True, **JANE)
        BookingAttempt.objects.exclude(encrypted="").update(**({"encrypted": damage} if damage else {"rejection": ""}))
        for _ in range(3):
            walk.open(sent.response["Location"])
            clock.shift(90)
        with refused_writes("SELECT"):
            walk.open(sent.response["Location"])
    sandbox.reset()


def _no_database(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A database that takes nothing, at each moment of a booking."""
    for number, verbs in enumerate(
        (
            ('INSERT INTO "kordless_booking_bookingattempt"',),
            ('UPDATE "kordless_booking_bookingattempt"',),
            ('INSERT INTO "kordless_booking_bookingprojection"',),
            ('SELECT "kordless_booking_bookingattempt"', "SELECT MIN", "SELECT COUNT"),
        )
    ):
        form = walk.choose("haircut", f"?day=2026-12-{17 + number}")
        with refused_writes(*verbs):
            walk.send(form, "Book appointment", **JANE)


def _deliveries(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Genuine ones, false ones, broken ones, and a site that can't take them."""
    client = walk.client
    sent = delivery()
    sent.post(client)
    change(site, WEBHOOK_SECRETS=[NEW, OLD])
    for one in (
        sent,
        sent,
        sent.but(**{"Webhook-Id": "dlv_another_one"}),
        sent.but(body=sent.body.replace(b"startsAt", b"starts_at")),
        delivery(event_body("booking.cancelled"), delivery_id=sent.headers["X-Kordless-Webhook-Id"]),
        sent.but(Timestamp="canary@example.com"),
        sent.but(**{"Webhook-Id": "canary example"}),
        delivery(b'{"event": "booking.created", "data": "canary@example.com"}'),
        delivery(b"canary@example.com"),
        delivery(event_body("booking.cancelled"), scheme=signature.SignatureScheme("body", "base64")),
        delivery(b"canary" * 100_000),
        delivery(event_body("booking.updated", startsAt="2026-12-20T15:00:00Z", endsAt="2026-12-20T16:00:00Z")),
    ):
        one.post(client)
    with listening() as listener:
        listener.failures = 1
        delivery(event_body(confirmation_number="BOOK_CANARY02")).post(client)
        listener.failures = 1
        walk.send(walk.choose("haircut", "?day=2026-12-22"), "Book appointment", **JANE)
    lost = delivery(event_body(confirmation_number="BOOK_CANARY03"))
    with refused_writes("INSERT"):
        lost.post(client)
    with connection.execute_wrapper(_mistake):
        lost.post(client)


def _mistake(*given: Any) -> None:
    """No fault of the database's."""
    raise LookupError(f"canary {given}")


def _mails(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """One that is sent, one whose sender died, and reminders of what Kordless doesn't know or tell."""
    change(site, MAIL=True, MAIL_FROM="bookings@salon.example", SITE_URL="https://salon.example")
    with heard("mail_attempted") as tried:
        walk.send(walk.choose("haircut", "?day=2026-12-21"), "Book appointment", **JANE)
        assert tried.wait(10)
    now = datetime.now(UTC)
    OutgoingMail.objects.update(state=OutgoingMail.State.SENDING, changed_at=now - timedelta(hours=1))
    mark_stuck_as_unknown(now)
    soon = {"start": now + timedelta(hours=2), "end": now + timedelta(hours=3), "notified_at": now - timedelta(days=9)}
    for status in (500, 404):
        Appointment.objects.update(status="confirmed", **soon)
        sandbox.faults.add("status", "lookup", status=status)
        queue_reminders(get_account(None), now)
        sandbox.faults.clear()
        change(site)


def _counts(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A database that takes none, and more different ones than are kept."""
    for number in range(MAX_KEYS + 1):
        count_rejection("default", f"reason_{number}")
    with refused_writes("INSERT"):
        assert not counters.flush()
    assert counters.flush()


def _accidents(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Settings that are gone, and a page in front of whose address something breaks."""
    manage = walk.book(query="?day=2026-12-23").link("Change or cancel")
    own, given = site.TEMPLATES, site.KORDLESS_BOOKING
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "kordless_booking" / "manage" / "booking.html"
        broken.parent.mkdir(parents=True)
        broken.write_text("{% include 'canary/nowhere.html' %}")
        site.TEMPLATES = [{**own[0], "DIRS": [folder]}]
        page = walk.open(manage)
        assert page.status == 500, page.text
    site.TEMPLATES = own
    site.KORDLESS_BOOKING = {}
    walk.client.get(manage)
    delivery().post(walk.client)
    site.KORDLESS_BOOKING = given


def _operators(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """What staff and machines look at."""
    change(site, WEBHOOK_SECRETS=[NEW, OLD])
    client = walk.client
    for path in ("embed.js", "embed-dialog.js", "style-112233.css", "health/", "health/booking/", "snippet/preview/"):
        client.get(f"/book/{path}")
    staff = Client()
    staff.force_login(User.objects.create_user("sarah", is_staff=True))
    assert staff.get("/book/snippet/").status_code == 200
    with suppress(SystemExit):
        call_command("kordless_doctor", stdout=io.StringIO())
    with suppress(SystemExit):
        call_command("kordless_erase", "--contact", "jane@example.com", stdout=io.StringIO())
    assert WebhookDelivery.objects.exclude(encrypted="").exists()


CANARY = {
    "name": "Zzqxwvuts Canaryson",
    "email": "canary+7f3a@canary.example",
    "phone": "+12125550177",
    "notes": "qqcanarynotes",
}


SECRETS = re.compile(r"zzqxwvuts|canary|212.?555.?01(?:77|47|99)|jane@example|Jane Doe|Ring twice", re.IGNORECASE)


TOKENS = re.compile(r"gAAAA[A-Za-z0-9_-]{20,}|\.eJ[A-Za-z0-9_-]{20,}")


def live_through_it_all(walk: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Book, fail, lose an answer, conflict, find, fail to find, move, be refused, cancel: each with the canary."""
    far = "?day=2026-12-09"
    page = walk.send(walk.choose("haircut", far), "Book appointment", **{**CANARY, "email": "canary@"})
    page = walk.send(page, "Book appointment", **CANARY)
    manage = walk.open(page.link("Change or cancel"))
    walk.client.get(page.link("Calendar file"))
    form = walk.choose("haircut", "?day=2026-12-10")
    for kind, options in (
        ("status", {"status": 400}),
        ("status", {"status": 409}),
        ("status", {"status": 422}),
        ("key_revoked", {}),
        ("status", {"status": 502, "carried_out": True}),
        ("html", {}),
        ("hang", {}),
    ):
        sandbox.faults.add(kind, "create", **options)
        walk.send(form, "Book appointment", **CANARY)
        sandbox.faults.clear()
        clock.shift(35)
        site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)
        walk.open(walk.seen[-1].url)
        form = walk.choose("haircut", "?day=2026-12-11")
    for number, contact in ((page.number, CANARY["email"]), (page.number, CANARY["phone"]), ("X", CANARY["email"])):
        walk.send(walk.open("/book/manage/"), "Find booking", number=number, contact=contact)
    for operation in ("lookup", "cancel"):
        sandbox.faults.add("status", operation, status=500)
        walk.send(walk.open("/book/manage/"), "Find booking", number=page.number, contact=CANARY["email"])
        walk.open(f"{manage.url}cancel/", {})
        sandbox.faults.clear()
        clock.shift(60)
        site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)
    slots = walk.open(f"{manage.url}reschedule/")
    ask = walk.open(list(slots.times.values())[-1])
    sandbox.faults.add("status", "reschedule", status=500)
    walk.send(ask, "Reschedule")
    sandbox.faults.clear()
    walk.send(ask, "Reschedule")
    walk.send(walk.open(f"{manage.url}cancel/"), "Cancel booking")
    walk.open(f"{manage.url}reschedule/")
    walk.open(f"{manage.url}x")
    walk.open("/book/haircut/contact/", CANARY, Origin="http://evil.example")
