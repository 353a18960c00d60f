"""Chapters of the privacy scenario: a customer's bookings, faults at every step, junk, deliveries, staff and operators.

Each chapter starts on a site of its own, without what another left. `CHAPTERS` declares for each the log events that it
must produce; tests/views/test_privacy.py proves that together they are all events of the package.
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, transaction
from django.template import engines
from django.test import Client, RequestFactory
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import hooks
from kordless_booking.api.resources import Booking, Contact
from kordless_booking.clock import Clock
from kordless_booking.conf import get_account
from kordless_booking.contrib.assistant import plugin as assistant
from kordless_booking.contrib.assistant import text_parser
from kordless_booking.contrib.assistant.grammar import Offer
from kordless_booking.contrib.waitlist import outbox as waitlist_outbox
from kordless_booking.contrib.waitlist import plugin as waitlist
from kordless_booking.funnel import counters
from kordless_booking.funnel.buffered_counter import MAX_KEYS
from kordless_booking.funnel.counters import count_rejection
from kordless_booking.logs import LogThrottle
from kordless_booking.mail import outbox
from kordless_booking.mail.enqueue import record_and_enqueue
from kordless_booking.mail.outbox import mark_stuck_as_unknown
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.messenger import MessageNotSent
from kordless_booking.models import Appointment, BookingAttempt, FunnelCount, OutgoingMail, WebhookDelivery
from kordless_booking.retention import delete_expired
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker
from kordless_booking.views import client_address
from kordless_booking.views.abuse import HONEYPOT
from kordless_booking.webhooks import signature
from tests.support.deliveries import NEW, OLD, delivery, event_body
from tests.support.extension import mount_hooks
from tests.support.failing_database import refused_writes
from tests.support.fault_scenario import ACTS, READS, FaultScenario
from tests.support.phone_messages import TEXTING, clear_messages, failing, received, texted
from tests.support.programs import HASHES, TOKEN, build_order, get_times, open_api, send_order
from tests.support.signal_receiver import record_signals
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.visitor import HTMX, JANE, Visitor
from tests.support.waitlist import FORM_URL, TODAY, WAITLIST_SETTINGS, book_up, join_waitlist, message_url, states

FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 404}),
    *[("status", {"status": status}) for status in (429, 403, 409, 422, 500)],
    ("html", {}),
    ("other_booking", {}),
    ("date_skew", {"seconds": 600}),
    ("reset", {}),
)


def change(site: Settings, **given: Any) -> None:
    """Change settings, and with them get a client of Kordless with a closed circuit."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **given}


def _faults(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Every step of a visitor, with every kind of fault."""
    scenario = FaultScenario(any_visitor, sandbox, clock, site)
    for name, act in ACTS.items():
        for kind, options in FAULTS[:2] if name in READS else FAULTS:
            sandbox.reset()
            change(site)
            do = act.prepare(scenario)
            scenario.cold() if name in READS else change(site)
            sandbox.faults.add(kind, act.operation, **options)
            do()
            sandbox.faults.clear()
            clock.shift(61)


def _background_refresh(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Refreshes that fail, a circuit that opens and closes, a cache that is down, a cache with foreign entries."""
    own = site.CACHES
    any_visitor.open("/book/")
    use_wall_clock_cache(site)
    any_visitor.open("/book/haircut/")
    clock.shift(61)
    sandbox.faults.add("status", "availability", status=500)
    with wait_for_event("fetch_failed") as failed:
        any_visitor.open("/book/haircut/", **{"X-Request-ID": "behind-1"})
        assert failed.wait(30)
    sandbox.faults.add("status", status=503)
    for _ in range(5):
        any_visitor.open("/book/full-color/")
        clock.shift(3)
    sandbox.faults.clear()
    clock.shift(30)
    any_visitor.open("/book/full-color/")
    site.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    any_visitor.open("/book/")
    site.CACHES = own
    for key in list(vars(caches["default"])["_cache"]):
        caches["default"].set(key.removeprefix(":1:"), ["planted"])
    change(site)
    any_visitor.open("/book/")


@contextmanager
def wait_for_event(event: str) -> Iterator[threading.Event]:
    """Yield an event that is set once a log event of this name is written."""
    logged = threading.Event()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if f"event={event} " in record.getMessage():
                logged.set()

    handler, logger = Handler(), logging.getLogger("kordless_booking")
    logger.addHandler(handler)
    try:
        yield logged
    finally:
        logger.removeHandler(handler)


def reject_everybody(_request: Any, _form: Any) -> bool:
    """A spam check that rejects every form."""
    return False


def fail_with_personal_data(_request: Any, form: Any) -> bool:
    """A spam check whose exception repeats the form."""
    raise LookupError(f"no such person: {form.cleaned_data}")


def _junk(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Robots, forged requests, bodies that are too big, and more requests than the limits allow."""
    form = any_visitor.choose("haircut", "?day=2026-12-14")
    method, action, fields = form.form("Book appointment")
    assert method == "post"
    typed = {**fields, **JANE}
    any_visitor.open(action, {**typed, HONEYPOT: "https://canary.example"})
    any_visitor.open(action, typed, **{"Sec-Fetch-Site": "cross-site"})
    any_visitor.open(action, {**typed, "notes": "canary" * 20_000})
    any_visitor.client.put(action, "canary@example.com")
    change(site, SPAM_CHECK="tests.support.privacy_scenario.reject_everybody")
    any_visitor.open(action, typed)
    change(site, SPAM_CHECK="tests.support.privacy_scenario.fail_with_personal_data")
    any_visitor.open(action, typed)
    change(site, SPAM_CHECK="", BOOKINGS_PER_ADDRESS=1, LOOKUPS_PER_NUMBER=1)
    for _ in range(3):
        any_visitor.open(action, {**typed, "email": "canary@"})
        any_visitor.open(action, typed)
        any_visitor.send(
            any_visitor.open("/book/manage/"), "Find booking", number="BOOK_CANARY01", contact="canary@example.com"
        )
    any_visitor.open(form.url)
    with patch.object(client_address, "_log_throttle", LogThrottle(Clock())):
        found = {"number": "BOOK_CANARY02", "contact": "canary@example.com"}
        any_visitor.open("/book/manage/", found, **{"X-Forwarded-For": "203.0.113.77"})
    any_visitor.client.get("/book/manage/gAAAAAcanary/")
    any_visitor.client.get("/book/a/b/c/canary/")
    any_visitor.client.get("/page/")


def _queue(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A time that a list shows to be gone, more bookings than Kordless takes, and attempts that can't be decrypted."""
    contested = "?day=2026-12-17&host=host_sarah"
    for form in [any_visitor.choose("haircut", contested) for _ in range(2)]:
        any_visitor.send(form, "Book appointment", **JANE)
        any_visitor.open(f"/book/haircut/{contested}")
    form = any_visitor.choose("haircut", "?day=2026-12-16")
    any_visitor.send(form, "Book appointment", **JANE)
    BookingAttempt.objects.update(encrypted="damaged")
    any_visitor.send(form, "Book appointment", **JANE)
    form = any_visitor.choose("haircut", "?day=2026-12-16")
    reachable = dict(site.KORDLESS_BOOKING)
    change(site, TRANSPORT=None, BASE_URL="http://127.0.0.1:1")
    any_visitor.send(form, "Book appointment", **JANE)
    site.KORDLESS_BOOKING = reachable
    for damage in ("", "damaged"):
        sandbox.faults.add("status", "create", status=429, retry_after=5, times=1)
        sent = any_visitor.send(any_visitor.choose("haircut", "?day=2026-12-15"), "Book appointment", once=True, **JANE)
        BookingAttempt.objects.exclude(encrypted="").update(**({"encrypted": damage} if damage else {"rejection": ""}))
        for _ in range(3):
            any_visitor.open(sent.response["Location"])
            clock.shift(90)
        with refused_writes("SELECT"):
            any_visitor.open(sent.response["Location"])
    sandbox.reset()


def _database_failures(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A database that rejects writes, at each step of a booking."""
    for number, verbs in enumerate(
        (
            ('INSERT INTO "kordless_booking_bookingattempt"',),
            ('UPDATE "kordless_booking_bookingattempt"',),
            ('INSERT INTO "kordless_booking_bookingprojection"',),
            ('SELECT "kordless_booking_bookingattempt"', "SELECT MIN", "SELECT COUNT"),
        )
    ):
        form = any_visitor.choose("haircut", f"?day=2026-12-{17 + number}")
        with refused_writes(*verbs):
            any_visitor.send(form, "Book appointment", **JANE)


def _deliveries(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Valid, forged and broken deliveries, and a site that can't store them."""
    client = any_visitor.client
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
    with record_signals() as recorder:
        recorder.failures = 1
        delivery(event_body(confirmation_number="BOOK_CANARY02")).post(client)
        recorder.failures = 1
        any_visitor.send(any_visitor.choose("haircut", "?day=2026-12-22"), "Book appointment", **JANE)
    lost = delivery(event_body(confirmation_number="BOOK_CANARY03"))
    with refused_writes("INSERT"):
        lost.post(client)
    with connection.execute_wrapper(_raise_lookup_error):
        lost.post(client)


def _raise_lookup_error(*given: Any) -> None:
    """Fail with an exception that isn't a database error."""
    raise LookupError(f"canary {given}")


def _mail(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A mail that is sent, one without an address, one whose sender died, and reminders for bookings that Kordless
    can't look up.
    """
    change(site, MAIL=True, MAIL_FROM="bookings@salon.example", SITE_URL="https://salon.example")
    with wait_for_event("mail_attempted") as tried:
        any_visitor.send(any_visitor.choose("haircut", "?day=2026-12-21"), "Book appointment", **JANE)
        assert tried.wait(30)
    now = datetime.now(UTC)
    elsewhere = Booking(
        confirmation_number="BOOK_NOMAIL",
        status="confirmed",
        start=now + timedelta(days=1),
        end=now + timedelta(days=1, hours=1),
        contact=Contact(name=JANE["name"], email=JANE["email"].partition("@")[0] + "@localhost"),
    )
    with transaction.atomic():  # as the change that it belongs to is recorded
        record_and_enqueue(get_account(None), elsewhere, OutgoingMail.Kind.CONFIRMED, now=now)
    with refused_writes("SELECT"):
        outbox._send_and_schedule()
    OutgoingMail.objects.update(state=OutgoingMail.State.SENDING, changed_at=now - timedelta(hours=1))
    mark_stuck_as_unknown(now)
    soon = {"start": now + timedelta(hours=2), "end": now + timedelta(hours=3), "notified_at": now - timedelta(days=9)}
    for status in (500, 404):
        Appointment.objects.update(status="confirmed", **soon)
        sandbox.faults.add("status", "lookup", status=status)
        queue_reminders(get_account(None), now)
        sandbox.faults.clear()
        change(site)


def _messages(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A message to a phone that fails with what it was to say, is sent, and has its link opened; one to a landline."""
    clear_messages()
    change(site, MESSENGER=TEXTING["MESSENGER"], SITE_URL="https://salon.example")

    def fail() -> None:
        raise MessageNotSent(f"canary {CANARY['phone']}")

    with wait_for_event("mail_attempted") as tried, failing(fail):
        by_phone = {**JANE, "email": "", "phone": CANARY["phone"]}
        any_visitor.send(any_visitor.choose("haircut", "?day=2026-12-21"), "Book appointment", **by_phone)
        assert tried.wait(30)
    OutgoingMail.objects.update(state=OutgoingMail.State.QUEUED, due_at=datetime.now(UTC))
    [message] = texted()
    any_visitor.open(message.link)
    any_visitor.open(f"{message.link[:-16]}0000000000000000")
    landline = {**JANE, "email": "", "phone": "+442079460147"}
    any_visitor.send(any_visitor.choose("haircut", "?day=2026-12-22"), "Book appointment", **landline)


def _counters(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """More keys than the buffer holds, and a database that rejects them."""
    for number in range(MAX_KEYS + 1):
        count_rejection("default", f"reason_{number}")
    counters.count_stage("default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SERVICE)
    with refused_writes("INSERT"):
        assert not counters.flush()
    assert counters.flush()


def _broken_extension(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """An extension whose hooks fail on the way to a booking, with a message that has what they saw."""

    def fail(seen: Any) -> str:
        raise LookupError(f"{seen.booking} canary")

    with hooks.temporary_hooks():
        hooks.template_slots.register("confirmation_after_summary", fail)
        hooks.change_handlers.register("broken", fail)
        hooks.signal_arguments.register("broken", fail)
        any_visitor.book(query="?day=2026-12-22")


def _programs(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Orders of a program: placed, repeated, wrong, with another token, and asked for; a read in an outage."""
    client = Client()
    with open_api(site, API_TOKENS=HASHES):
        contact = {name: CANARY[name] for name in ("name", "email", "phone")}
        order = build_order(get_times(client)[0], contact=contact, notes=CANARY["notes"])
        for key in ("canary-key-0001", "canary-key-0001", "canary-key-0002"):
            placed = send_order(client, order, key=key)
        send_order(client, {**order, "party": "canary"}, key="canary-key-0003")
        send_order(client, {**order, "contact": {"canary": CANARY["name"]}}, key="canary-key-0004")
        send_order(client, order, token="canary")
        client.get("/book/api/attempts/canary.json", headers={"Authorization": f"Bearer {TOKEN}"})
        assert placed.status_code == 409
        sandbox.faults.add("status", status=500)
        client.get("/book/api/beard-trim.json")


@contextmanager
def outage(sandbox: Sandbox, clock: Traveller, site: Settings) -> Iterator[None]:
    """Within the block Kordless answers with errors, and nothing is cached; after it, all is well again."""
    empty_cache()
    change(site)
    sandbox.faults.add("status", status=500)
    yield
    sandbox.faults.clear()
    clock.shift(61)
    change(site)


def _waitlist(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Entries of the waitlist, also in outages, with and without JavaScript; then their messages."""
    clear_messages()
    booked = book_up(sandbox)
    with hooks.temporary_hooks():
        waitlist.register()
        mount_hooks(site)
        change(site, **WAITLIST_SETTINGS)
        for visitor in (any_visitor, Visitor(any_visitor.client, HTMX, responses=any_visitor.responses)):
            assert join_waitlist(visitor, "canary@").status == 422
            form = visitor.open(FORM_URL)
            with outage(sandbox, clock, site):
                assert visitor.send(form, "Tell me", contact=JANE["email"], until=TODAY).status == 503
            form = visitor.open(FORM_URL)
            with refused_writes("INSERT"):
                assert visitor.send(form, "Tell me", contact=JANE["email"], until=TODAY).status == 503
            for contact in (JANE["email"], CANARY["phone"], CANARY["email"]):
                page = join_waitlist(visitor, contact)
                assert page.status == 200
                any_visitor.open(page.url)
        # All times of the day, so that each contact is notified of another one.
        for numbers in booked.values():
            for number in numbers:
                sandbox.set_status(number, "canceled")
        _waitlist_messages(any_visitor, sandbox, clock, site)
        any_visitor.open(f"{page.url.partition('?')[0]}000000")
        any_visitor.client.get("/book/waitlist/canary0123456789")


def _waitlist_messages(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """A sweep in an outage, one that tells each contact once, a message that fails at first, and the end of all."""

    def run_mail() -> None:
        clock.shift(600)
        call_command("kordless_mail", stdout=io.StringIO())
        # What the sweep has fetched is reported in the background too.
        background_worker.join()
        waitlist_outbox.join()

    def fail() -> None:
        raise MessageNotSent(f"canary {CANARY['phone']}")

    with outage(sandbox, clock, site):
        run_mail()
    assert set(states()) == {"waiting"}
    with failing(fail):
        run_mail()
    assert sorted(states()) == ["notified", "notified", "queued", "waiting", "waiting", "waiting"]
    run_mail()
    [message] = received()
    any_visitor.open(message.link.removeprefix("https://salon.example"))
    any_visitor.follow("Book this time")
    links = [message_url(each) for each in (CANARY["email"], JANE["email"], CANARY["phone"])]
    any_visitor.client.post(links[0], {"List-Unsubscribe": "One-Click"})
    any_visitor.send(any_visitor.open(links[1]), "Stop these messages")
    any_visitor.send(any_visitor.open(links[2]), "Stop the messages of all my requests")


def fail_with_words(text: str, _offer: Offer) -> None:
    """A model whose exception repeats what was written."""
    raise LookupError(f"no day in: {text}")


def _words(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Names, addresses and ailments in the field for days and times: understood or not, by grammar and by a model."""
    partly = f"tomorrow {JANE['name']}, {JANE['email']}, {CANARY['notes']}"
    personal = f"{partly}, {CANARY['phone']}"  # a number that is no time makes it a miss
    with hooks.temporary_hooks():
        assistant.register()
        mount_hooks(site)
        for model in ("", f"{__name__}.fail_with_words"):
            change(site, TEXT_PARSER=model)
            for visitor in (any_visitor, Visitor(any_visitor.client, HTMX, responses=any_visitor.responses)):
                for url in ("/book/", "/book/haircut/"):
                    missed = visitor.send(visitor.open(url), "Show times", words=personal)
                    assert missed.status == 422
                    assert visitor.send(missed, "Show times", words=partly).status == 200
        for _again in range(text_parser.MAX_CALLS):
            any_visitor.send(any_visitor.open("/book/haircut/"), "Show times", words=personal)
        form = any_visitor.open("/book/haircut/")
        with outage(sandbox, clock, site):
            assert any_visitor.send(form, "Show times", words=personal).status == 503
        any_visitor.open("/book/say/", {"words": personal}, **{"Sec-Fetch-Site": "cross-site"})
    assert counters.flush()


def _questions(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Answers on the way to a booking and over a conflict, and a function of questions that is slow and fails."""
    kinds = ("text", "long_text", "phone", "date", "number")
    questions = [{"name": f"q_{kind}", "label": kind, "kind": kind} for kind in kinds]
    answers = {
        "answer_q_text": "canary seeds",
        "answer_q_long_text": "canary\r\nstory",
        "answer_q_phone": "(212) 555-0147",
        "answer_q_date": "Zzqx Canary",
        "answer_q_number": "canary",
    }
    change(site, QUESTIONS={"*": questions})
    page = any_visitor.send(
        any_visitor.choose("haircut", "?day=2026-12-21"), "Book appointment", **{**CANARY, **answers}
    )
    sandbox.faults.add("status", "create", times=1, status=409)
    page = any_visitor.send(page, "Book appointment", answer_q_date="1990-04-30", answer_q_number="3")
    page = any_visitor.open(next(iter(page.times.values())))
    any_visitor.send(page, "Book appointment")

    def fail(_account: str, _service: str) -> None:
        raise LookupError("canary")

    change(site, QUESTIONS=fail)
    with patch("kordless_booking.views.questions.SLOW_SECONDS", -1):
        any_visitor.choose("haircut", "?day=2026-12-21")
    change(site, QUESTIONS={}, PREFILL="tests.support.site_prefill.failing")
    any_visitor.choose("haircut", "?day=2026-12-21")


def _broken_configuration(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Missing settings, and templates that fail on a page whose address holds a token."""
    manage = any_visitor.book(query="?day=2026-12-23").link("Change or cancel")
    own, given = site.TEMPLATES, site.KORDLESS_BOOKING
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "kordless_booking" / "manage" / "booking.html"
        broken.parent.mkdir(parents=True)
        broken.write_text("{% include 'canary/nowhere.html' %}")
        site.TEMPLATES = [{**own[0], "DIRS": [folder]}]
        page = any_visitor.open(manage)
        assert page.status == 500, page.text
    site.TEMPLATES = own
    site.KORDLESS_BOOKING = {**given, "BASE_TEMPLATE": "canary/nowhere.html"}
    page = any_visitor.open(manage)
    assert page.number, page.text
    site.KORDLESS_BOOKING = {}
    any_visitor.client.get(manage)
    delivery().post(any_visitor.client)
    site.KORDLESS_BOOKING = given
    wrong = engines["django"].from_string("{% load kordless_booking %}{% booking_widget host=host %}")
    wrong.render({"host": [JANE]}, RequestFactory().get("/page/"))


def _staff_and_operators(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Pages for staff and machines, and the management commands."""
    change(site, WEBHOOK_SECRETS=[NEW, OLD])
    client = any_visitor.client
    for path in ("embed.js", "embed-dialog.js", "style-112233.css", "health/", "health/booking/", "snippet/preview/"):
        client.get(f"/book/{path}")
    staff = Client()
    staff.force_login(User.objects.create_user("sarah", is_staff=True))
    assert staff.get("/book/snippet/").status_code == 200
    delivery().post(client)
    with suppress(SystemExit):
        call_command("kordless_doctor", stdout=io.StringIO())
    with suppress(SystemExit):
        call_command("kordless_export", "--contact", "jane@example.com", stdout=io.StringIO(), stderr=io.StringIO())
    with suppress(SystemExit):
        call_command("kordless_erase", "--contact", "jane@example.com", stdout=io.StringIO())
    with refused_writes("DELETE", "UPDATE"):
        delete_expired(datetime.now(UTC) + timedelta(days=3650))
    delete_expired(datetime.now(UTC) + timedelta(days=31))
    delivery(event_body(confirmation_number="BOOK_CANARY04")).post(client)
    assert WebhookDelivery.objects.exclude(encrypted="").exists()


CANARY = {
    "name": "Zzqxwvuts Canaryson",
    "email": "canary+7f3a@canary.example",
    "phone": "+12125550177",
    "notes": "qqcanarynotes",
}


SECRETS = re.compile(r"zzqxwvuts|canary|212.?555.?01(?:77|47|99)|jane@example|Jane Doe|Ring twice", re.IGNORECASE)


TOKENS = re.compile(r"gAAAA[A-Za-z0-9_-]{20,}|\.eJ[A-Za-z0-9_-]{20,}")


def customer_journey(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings) -> None:
    """Book, fail, lose a response, conflict, look up, reschedule, get rejected, cancel: each with the canary's data."""
    far = "?day=2026-12-09"
    page = any_visitor.send(any_visitor.choose("haircut", far), "Book appointment", **{**CANARY, "email": "canary@"})
    page = any_visitor.send(page, "Book appointment", **CANARY)
    manage = any_visitor.open(page.link("Change or cancel"))
    any_visitor.client.get(page.link("Apple (.ics)"))
    form = any_visitor.choose("haircut", "?day=2026-12-10")
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
        any_visitor.send(form, "Book appointment", **CANARY)
        sandbox.faults.clear()
        clock.shift(35)
        site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)
        any_visitor.open(any_visitor.responses[-1].url)
        form = any_visitor.choose("haircut", "?day=2026-12-11")
    for number, contact in ((page.number, CANARY["email"]), (page.number, CANARY["phone"]), ("X", CANARY["email"])):
        any_visitor.send(any_visitor.open("/book/manage/"), "Find booking", number=number, contact=contact)
    for operation in ("lookup", "cancel"):
        sandbox.faults.add("status", operation, status=500)
        any_visitor.send(any_visitor.open("/book/manage/"), "Find booking", number=page.number, contact=CANARY["email"])
        any_visitor.open(f"{manage.url}cancel/", {})
        sandbox.faults.clear()
        clock.shift(60)
        site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)
    slots = any_visitor.open(f"{manage.url}reschedule/")
    question = any_visitor.open(list(slots.times.values())[-1])
    sandbox.faults.add("status", "reschedule", status=500)
    any_visitor.send(question, "Reschedule")
    sandbox.faults.clear()
    any_visitor.send(question, "Reschedule")
    any_visitor.send(any_visitor.open(f"{manage.url}cancel/"), "Cancel booking")
    any_visitor.open(f"{manage.url}reschedule/")
    any_visitor.open(f"{manage.url}x")
    any_visitor.open("/book/haircut/contact/", CANARY, Origin="http://evil.example")


@dataclass(frozen=True)
class Chapter:
    """A part of the scenario, with what it must at least produce for the search of personal data to mean something."""

    run: Callable[[Visitor, Sandbox, Traveller, Settings], None]
    pages: int
    records: int
    events: frozenset[str]


CHAPTERS: dict[str, Chapter] = {
    "customer journey": Chapter(
        customer_journey,
        pages=80,
        records=65,  # a look at one's own booking costs no request for ten seconds
        events=frozenset(
            {
                "api_key_rejected",
                "booking_canceled",
                "booking_rescheduled",
                "cancel_unknown",
                "create_outcome_unknown",
                "create_resolved",
                "kordless_call",
                "lookup_failed",
                "lookup_rejected",
                "page_not_found",
                "request_rejected",
                "reschedule_impossible",
                "reschedule_unknown",
                "slot_conflict",
                "upstream_server_error",
            }
        ),
    ),
    "faults": Chapter(
        _faults,
        pages=130,
        records=250,
        events=frozenset(
            {
                "booking_not_found",
                "cancel_not_sent",
                "cancel_refused",
                "clock_skew",
                "create_queued",
                "create_unresolved",
                "fetch_failed",
                "org_not_found",
                "rate_limited",
                "reschedule_not_sent",
                "reschedule_refused",
                "service_not_found",
            }
        ),
    ),
    "background refresh": Chapter(
        _background_refresh,
        pages=10,
        records=30,
        events=frozenset(
            {"cache_unavailable", "cache_value_unreadable", "circuit_closed", "circuit_opened", "upstream_circuit_open"}
        ),
    ),
    "junk": Chapter(
        _junk,
        pages=20,
        records=20,
        events=frozenset(
            {
                "already_requested",
                "create_different_request",
                "cross_origin_post_rejected",
                "honeypot_filled",
                "link_rejected",
                "method_not_allowed",
                "proxy_not_trusted",
                "request_unreadable",
                "spam_check_failed",
                "throttled",
                "unhandled_exception",
            }
        ),
    ),
    "queue": Chapter(
        _queue,
        pages=20,
        records=40,
        events=frozenset(
            {"attempt_unreadable", "create_not_sent", "create_slot_gone", "database_failed", "response_unreadable"}
        ),
    ),
    "database failures": Chapter(
        _database_failures,
        pages=18,
        records=11,
        events=frozenset({"attempt_not_written", "attempt_outcome_not_recorded", "change_not_recorded"}),
    ),
    "deliveries": Chapter(
        _deliveries,
        pages=5,
        records=20,
        events=frozenset(
            {
                "receiver_failed",
                "webhook_failed",
                "webhook_id_reused",
                "webhook_malformed",
                "webhook_not_recorded",
                "webhook_received",
                "webhook_receiver_failed",
                "webhook_replayed",
                "webhook_scheme_mismatch",
                "webhook_signature_invalid",
                "webhook_stale",
                "webhook_too_large",
                "webhook_without_secret",
            }
        ),
    ),
    "questions": Chapter(
        _questions,
        pages=10,
        records=10,
        events=frozenset({"prefill_failed", "questions_failed", "questions_slow"}),
    ),
    "broken extension": Chapter(_broken_extension, pages=5, records=7, events=frozenset({"hook_failed"})),
    "programs": Chapter(_programs, pages=0, records=6, events=frozenset({"api_read_failed"})),
    "waitlist": Chapter(
        _waitlist,
        pages=40,
        records=30,
        events=frozenset(
            {
                "waitlist_message",
                "waitlist_not_checked",
                "waitlist_not_swept",
                "waitlist_not_written",
                "waitlist_notified",
            }
        ),
    ),
    "words": Chapter(_words, pages=50, records=18, events=frozenset({"text_parser_failed", "throttled"})),
    "mail": Chapter(
        _mail,
        pages=5,
        records=10,
        events=frozenset(
            {
                "mail_attempted",
                "mail_postponed",
                "mail_stuck",
                "mail_without_address",
                "reminder_without_booking",
                "reminders_postponed",
            }
        ),
    ),
    "messages": Chapter(
        _messages,
        pages=8,
        records=8,
        events=frozenset({"mail_attempted", "message_without_number", "link_rejected"}),
    ),
    "counters": Chapter(_counters, pages=0, records=3, events=frozenset({"counts_dropped", "counts_not_written"})),
    "broken configuration": Chapter(
        _broken_configuration,
        pages=6,
        records=8,
        events=frozenset({"base_template_failed", "not_configured", "tag_argument_invalid"}),
    ),
    "staff and operators": Chapter(
        _staff_and_operators,
        pages=0,
        records=5,
        events=frozenset({"data_erased", "data_exported", "rows_expired", "retention_failed"}),
    ),
}
