"""One test's Kordless: settings that use a sandbox in memory, the clock, and what happens on both sides."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import stamina
from django.apps import apps
from django.conf import settings as site_settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.http import urlencode

from kordless_booking import conf
from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import SANDBOX_ORG, SEEDS, Limits, Sandbox, find_key
from kordless_booking.sandbox.webhook_sender import Endpoint, signed_request
from kordless_booking.upstream.registry import background_worker, fetch_pool
from kordless_booking.upstream.worker import BackgroundWorker
from kordless_booking.urlconf import namespaces_of

from .pages import Form, PageReader

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from django.http import HttpResponse

NOW: Final = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
"""When tests begin: a Tuesday, ten in the morning in New York, where the sandbox's salon is."""
EVENTS: Final = ("booking.created", "booking.updated", "booking.cancelled")
JANE: Final[Mapping[str, str]] = {"name": "Jane Doe", "email": "jane@example.com"}
"""What a booking says in the fields of the contact form, unless the test says otherwise."""
_FULL_NAME: Final = {"first_name": "Jane", "last_name": "Doe"}
_CACHE: Final = "kordless_testing"
_SEED: Final = "odd"
_MAX_STEPS: Final = 8
"""Redirects of one request that are followed."""
_LIMITS: Final = tuple(name for name in conf.SETTINGS if "_PER_" in name and not name.endswith("_PER_MINUTE"))
"""Settings that limit what one visitor may do. 0 is no limit."""
_ALWAYS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_LIMITS, 0),
    # Pages have what bookings leave.
    "REQUESTS_PER_MINUTE": 1000,
    "CREATIONS_PER_MINUTE": 500,
    # A form that comes back at once would be held for a second.
    "MINIMUM_FILL_SECONDS": 0,
    # A busy machine must not decide about a test: these are limits, and nothing waits for them.
    "BROWSE_SECONDS": 25,
    "BOOKING_SECONDS": 25,
    # The copy in the process's memory goes by steady time, which no test freezes.
    "LOCAL_CACHE_SECONDS": 0,
    # Without a thread nothing is refreshed behind a page that is shown stale: what is older than a second is fetched.
    **dict.fromkeys(
        ("CATALOG_FRESH_SECONDS", "CATALOG_STALE_SECONDS", "SLOTS_FRESH_SECONDS", "SLOTS_STALE_SECONDS"), 1
    ),
    "WARMING": False,
    "PROCESSES": 1,
    "CACHE": _CACHE,
}
_BUSINESSES: Final = tuple(business.slug for business in SEEDS[_SEED])
"""Organizations of the sandbox, the salon first."""
_LEFT_OUT: Final = ("SANDBOX", "BASE_URL", "MESSENGER")
"""Settings that would lead out of the test: to a sandbox's file, to an API, to phones."""


class NotBooked(AssertionError):
    """The visitor got no booking. `response` is the page that came instead."""

    def __init__(self, reason: str, response: HttpResponse | None = None) -> None:
        super().__init__(reason)
        self.response = response


@dataclass(frozen=True)
class Booked:
    """A booking that a visitor has made."""

    number: str
    """Confirmation number."""
    start: datetime
    response: HttpResponse
    """The confirmation."""
    url: str
    """Address of the confirmation."""


class KordlessTestKit:
    """Context manager around one test: the site uses a fake Kordless in memory, without limits, on a frozen clock.

    `now` is the time at which the clock stands still, and needs time-machine; None leaves the time alone. `settings`
    are keys of KORDLESS_BOOKING that replace the site's own. Nothing is shared with a development server or with
    another test: not the sandbox, not the cache, no thread.
    """

    def __init__(self, now: datetime | None = NOW, settings: Mapping[str, Any] | None = None) -> None:
        if now is not None and now.tzinfo is None:
            raise ValueError("now needs a time zone: datetime(…, tzinfo=UTC)")
        self._now = now
        self._settings = settings or {}
        self._stack = ExitStack()
        self._traveler: Any = None
        self.sandbox: Sandbox
        """The fake Kordless, for whatever the methods of the kit don't do."""

    def __enter__(self) -> Self:
        """Start. Raises ImproperlyConfigured when the site lacks something, and says what."""
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """End, and leave everything as it was."""
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        if not apps.is_installed("kordless_booking"):
            raise ImproperlyConfigured(
                'kordless_booking is not installed: add "django_htmx" and "kordless_booking" to INSTALLED_APPS.'
            )
        # Models can be imported only now: pytest reads the fixtures before Django is set up.
        from kordless_booking.funnel import counters  # noqa: PLC0415
        from kordless_booking.mail import outbox  # noqa: PLC0415

        if self._now is not None:
            self._traveler = stack.enter_context(_freeze(self._now))
        # Faults that delay return at once. By its own clock the sandbox goes by the process's, which is frozen.
        self.sandbox = Sandbox(":memory:", limits=Limits.off(), sleep=lambda _seconds: None, seed=_SEED)
        stack.callback(self.sandbox.close)
        stack.callback(fetch_pool.join)
        stack.callback(background_worker.join)
        # Threads would use the database of a test that has ended, and no two runs would be alike.
        stack.enter_context(BackgroundWorker.paused())
        stack.enter_context(outbox.timer.paused())
        stack.callback(counters.drain)
        stack.enter_context(counters.paused())
        # A call to Kordless is tried again as ever, without the pause in between.
        stack.enter_context(stamina.set_testing(True, attempts=2, cap=True))
        caches = {
            **site_settings.CACHES,
            _CACHE: {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "LOCATION": f"{_CACHE}-{secrets.token_hex(8)}",
            },
        }
        raw = self._build_settings(getattr(site_settings, "KORDLESS_BOOKING", None))
        stack.enter_context(override_settings(CACHES=caches, KORDLESS_BOOKING=raw))
        conf.accounts()

    def _build_settings(self, raw: object) -> object:
        """Return KORDLESS_BOOKING for the test: the site's own, with this kit in the place of Kordless."""
        if not isinstance(raw, Mapping):
            [missing] = conf.find_errors(raw)
            raise ImproperlyConfigured(f"{missing.text} {missing.hint}")
        if "ACCOUNTS" not in raw:
            return self._replace(conf.DEFAULT_ACCOUNT, raw, iter([]))
        by_name = raw["ACCOUNTS"]
        if not isinstance(by_name, Mapping) or not all(isinstance(own, Mapping) for own in by_name.values()):
            return raw  # its own check says what is wrong
        shared = {key: value for key, value in raw.items() if key != "ACCOUNTS"}
        taken = {own.get("ORG_SLUG") for own in by_name.values()}
        free = iter([slug for slug in _BUSINESSES if slug not in taken])
        return {"ACCOUNTS": {name: self._replace(name, {**shared, **own}, free) for name, own in by_name.items()}}

    def _replace(self, name: str, own: Mapping[str, Any], free: Iterator[str]) -> dict[str, Any]:
        slug = str(own.get("ORG_SLUG", ""))
        if slug not in _BUSINESSES:
            slug = next(free, SANDBOX_ORG)
        kept = {key: value for key, value in own.items() if key not in _LEFT_OUT}
        return {
            **kept,
            **_ALWAYS,
            "API_KEY": find_key(slug),
            "ORG_SLUG": slug,
            "TRANSPORT": wsgi_transport(self.sandbox),
            "WEBHOOK_SECRETS": [f"secret-of-the-test-kit-{name}"],
            **self._settings,
        }

    def travel_to(self, moment: datetime) -> None:
        """Set the clock of the site and of Kordless. Raises RuntimeError when the kit hasn't frozen it."""
        self._require_frozen().move_to(moment)

    def advance(self, by: timedelta) -> None:
        """Move the clock on. Raises RuntimeError when the kit hasn't frozen it."""
        self._require_frozen().shift(by)

    def _require_frozen(self) -> Any:
        if self._traveler is None:
            raise RuntimeError("the clock runs by itself: give the kit a time to begin at (kordless_now)")
        return self._traveler

    def find_free(self, service: str = "haircut", *, org_slug: str = "") -> list[datetime]:
        """Return the free times of the next 14 days, in UTC. Raises ValueError for an unknown service."""
        begin = self.sandbox.clock.now()
        return self.sandbox.free(service, begin, begin + timedelta(days=14), org_slug=org_slug or self._org_slug(None))

    def book(
        self,
        client: Client,
        service: str = "haircut",
        *,
        start: datetime | None = None,
        query: Mapping[str, str] | None = None,
        account: str | None = None,
        **answers: str | Iterable[str],
    ) -> Booked:
        """Book through the site's pages as a visitor without JavaScript does: choose a time, fill in the form, send it.

        `start` is the first free time by default, `query` the query of the service's page ({"party": "3"}), and
        `answers` what stands in the fields of the form, by their names; a name and an email address stand there anyway.
        Raises NotBooked, with the page, when no booking was made.
        """
        namespace = self._namespace(account)
        # Both before the first request, which may leave another language behind.
        times, contact = (reverse(f"{namespace}:{name}", args=[service]) for name in ("slots", "contact"))
        visit = _Visit(client)
        visit.open(f"{times}?{urlencode(query or {})}".rstrip("?"))
        visit.open(_find_time(visit, contact, start))
        form = visit.page.find_form("draft")
        if form is None:
            raise visit.failure("the form of the contact step didn't come")
        before = len(self.sandbox.bookings())
        visit.send(form, _fill_in(form, answers))
        made = self.sandbox.bookings()
        if len(made) == before or "/confirmation/" not in visit.url:
            raise visit.failure("no booking was confirmed")
        row = made[-1]
        return Booked(row["number"], datetime.fromtimestamp(row["starts"], UTC), visit.response, visit.url)

    def deliver_webhook(
        self,
        event: str | Mapping[str, Any],
        *,
        number: str | None = None,
        service: str = "haircut",
        start: datetime | None = None,
        account: str | None = None,
        tamper: str | None = None,
        delivery_id: str | None = None,
    ) -> HttpResponse:
        """Let something happen to a booking in Kordless, and post its webhook to the site, signed as Kordless does.

        `booking.created` books for a caller on the phone, unless `number` names a booking that exists;
        `booking.updated` moves the booking to `start`, else to the next free time; `booking.cancelled` cancels it.
        Without `number` it is the newest booking. A mapping is posted as it is, and nothing happens. `tamper` spoils
        the delivery: "body", "signature", "timestamp", "secret" or "id". `delivery_id` is that of an earlier delivery
        when this one is its repetition. Returns the response. Raises AssertionError when the site refuses a delivery
        that nothing was tampered with, and ValueError for an unknown event or booking.
        """
        found = conf.get_account(account) if account else next(iter(conf.accounts().values()))
        if isinstance(event, str):
            event = self._make_happen(event, number, service, start, found.org_slug)
        endpoint = Endpoint(
            "https://site.example/",
            str(found.webhook_secrets[0]),
            signed_payload=found.webhook_signed_payload,
            encoding=found.webhook_signature_encoding,
        )
        body, headers = signed_request(
            endpoint, delivery_id or f"dlv_{secrets.token_hex(8)}", json.dumps(event).encode(), tamper
        )
        response: Any = Client().post(
            reverse(f"{self._namespace(account)}:webhook"),
            body,
            content_type=headers.pop("Content-Type"),
            headers=headers,
            secure=_needs_https(),
        )
        if response.status_code >= 300 and tamper is None:
            raise AssertionError(f"the site refused the webhook: {response.status_code} {response.content.decode()}")
        return response  # type: ignore[no-any-return]

    def _make_happen(
        self, event: str, number: str | None, service: str, start: datetime | None, org_slug: str
    ) -> Mapping[str, Any]:
        if event not in EVENTS:
            raise ValueError(f"unknown event {event!r}; Kordless sends {', '.join(EVENTS)}")
        if event == "booking.created":
            number = number or self.sandbox.book_by_phone(
                service, start or self.find_free(service, org_slug=org_slug)[0], org_slug=org_slug
            )
            return self.sandbox.build_event(event, number)
        made = [row for row in self.sandbox.bookings() if row["org"] == org_slug and number in (None, row["number"])]
        if not made:
            raise ValueError(f"there is no booking {number}" if number else "there is no booking yet")
        row = made[-1]
        if event == "booking.cancelled":
            self.sandbox.set_status(row["number"], "canceled")
        else:
            free = self.find_free(row["service"], org_slug=org_slug)
            self.sandbox.move(row["number"], start or next(each for each in free if each.timestamp() != row["starts"]))
        return self.sandbox.build_event(event, row["number"])

    def inject_fault(self, kind: str, *, operation: str = "*", times: int | None = None, **options: Any) -> None:
        """Let Kordless fail: a fault by name, in the next `times` requests of an operation, else until the test ends.

        Raises ValueError for an unknown fault, operation or option, and names those that there are.
        """
        self.sandbox.faults.add(kind, operation, times, **options)

    def clear_faults(self) -> None:
        """Let Kordless work again."""
        self.sandbox.faults.clear()

    def send_mail(self) -> list[EmailMessage]:
        """Run `manage.py kordless_mail`, and return all mail that the test has sent so far.

        It sends the mails that are due, reminders too, and runs the jobs of extensions. In a test nothing is sent by
        itself. `advance()` makes a reminder due.
        """
        call_command("kordless_mail", verbosity=0, stdout=io.StringIO())
        return list(mail.outbox)

    def _org_slug(self, account: str | None) -> str:
        found = conf.get_account(account) if account else next(iter(conf.accounts().values()))
        return found.org_slug

    def _namespace(self, account: str | None) -> str:
        found = conf.get_account(account) if account else next(iter(conf.accounts().values()))
        namespaces = namespaces_of(found)
        if not namespaces:
            raise ImproperlyConfigured(
                f"The widget of the account {found.name!r} has no address: add "
                'path("book/", include("kordless_booking.urls")) to the URLs of the site.'
            )
        return namespaces[0]


class _Visit:
    """One visit with Django's test client. Follows redirects."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.url = ""
        self.response: Any = None
        self.page = PageReader("")

    def open(self, url: str) -> None:
        self._arrive(url, self._client.get(url, secure=_needs_https()))

    def send(self, form: Form, values: Mapping[str, list[str]]) -> None:
        url = urljoin(self.url, form.action)
        self._arrive(
            url,
            self._client.post(
                url,
                urlencode(values, doseq=True),
                content_type="application/x-www-form-urlencoded",
                # As a browser sends it from the site's own page.
                headers={"Sec-Fetch-Site": "same-origin"},
                secure=_needs_https(),
            ),
        )

    def failure(self, reason: str) -> NotBooked:
        """Return an error with what the page says."""
        said = " ".join(filter(None, [self.page.title, *self.page.alerts]))
        status = self.response.status_code
        return NotBooked(f"{reason}: {urlsplit(self.url).path} answered {status}: {said}", self.response)

    def _arrive(self, url: str, response: Any) -> None:
        for _ in range(_MAX_STEPS):
            if response.status_code not in (301, 302, 303, 307, 308):
                break
            url = urljoin(url, response["Location"])
            response = self._client.get(url, secure=_needs_https())
        self.url, self.response = url, response
        self.page = PageReader(response.content.decode(response.charset or "utf-8"))


def _needs_https() -> bool:
    return bool(site_settings.SECURE_SSL_REDIRECT)


def _freeze(moment: datetime) -> Any:
    try:
        import time_machine  # noqa: PLC0415 (an extra)
    except ImportError:
        raise ImproperlyConfigured(
            "A frozen clock needs time-machine: pip install time-machine. Or let the time run on: kordless_now = None."
        ) from None
    return time_machine.travel(moment, tick=False)


def _find_time(visit: _Visit, contact: str, start: datetime | None) -> str:
    """Return the address of the contact step for a time. Raises NotBooked when the page offers none."""
    links = [link for link in visit.page.links if urlsplit(link).path == contact and "start" in _query_of(link)]
    if start is None:
        if not links:
            raise visit.failure("the page has no free time")
        return links[0]
    wanted = start.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    # A time of a later day is no link of this page, but its address is known.
    further = f"{contact}?{urlencode({'start': wanted})}"
    return next((link for link in links if wanted in _query_of(link)["start"]), further)


def _query_of(link: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link).query)


def _fill_in(form: Form, answers: Mapping[str, str | Iterable[str]]) -> dict[str, list[str]]:
    """Return the values to send. Raises NotBooked for an answer to which the form has no field."""
    if unknown := answers.keys() - form.names:
        raise NotBooked(
            f"the form has no field {', '.join(sorted(unknown))}; it has {', '.join(sorted(form.names - {'kb_hp'}))}"
        )
    typed: dict[str, str | Iterable[str]] = {
        name: value for name, value in {**JANE, **_FULL_NAME}.items() if name in form.names
    }
    typed.update(answers)
    # Each as a list: the values of a text, or of several checked boxes.
    listed = {name: [value] if isinstance(value, str) else list(value) for name, value in typed.items()}
    return {**form.values, **listed}
