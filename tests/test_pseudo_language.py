"""Every page in a language that nobody has words for but us: what is still English there was never translated.

Japanese stands in for it, because its dates, hours, money and zone names by CLDR have no Latin letter in them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from selectolax.lexbor import LexborNode
from time_machine import Traveller

from kordless_booking.funnel import counters
from kordless_booking.models import BookingAttempt, LostDemandCount, OutgoingMail, WebhookDelivery
from kordless_booking.presentation.texts import mask_contact
from kordless_booking.sandbox import Sandbox
from kordless_booking.signals import ChangeSource
from kordless_booking.staff.labels import refusal_labels
from kordless_booking.webhooks.events import CHANGES
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL
from tests.support.site_cache import empty_cache
from tests.support.translatable_texts import Text, texts_of_the_package
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

LANGUAGE = "ja"
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%%|%[sd]")
LATIN = re.compile(r"[A-Za-z]{2,}")
SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-kb-wait", "content")
UNSEEN = {"script", "style", "template"}
SAME_EVERYWHERE = re.compile(
    r"\b(?:GMT|UTC|Kordless|Google|Outlook|Office 365|Yahoo|Coyhaique|[A-Z]\w+/\w+)\b|Apple \(\.ics\)"
    r"|BOOK_[A-Z0-9]+|[0-9a-f]{16}"
)
"""Names, numbers and addresses that are written the same in every language; CLDR has a new zone in few of them."""


def in_pseudo(text: Text) -> str:
    """The longer form with nothing left of it but its placeholders."""
    return "語" + "語".join(PLACEHOLDER.findall(text.plural or text.singular)) + "語"


@pytest.fixture
def pseudo(site: Settings, tmp_path: Path) -> Settings:
    """A site whose own words take the place of our Japanese ones."""
    catalog = Catalog(locale=LANGUAGE)
    for text in texts_of_the_package():
        key = (text.singular, text.plural) if text.plural else text.singular
        catalog.add(key, (in_pseudo(text),) if text.plural else in_pseudo(text), context=text.context)
    folder = tmp_path / LANGUAGE / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalog)
    site.LOCALE_PATHS = [tmp_path]
    return site


def visible_texts(node: LexborNode) -> Iterator[str]:
    """Yield the texts, labels and descriptions of a node and its descendants, but not those of traps for robots."""
    for trap in node.css("[aria-hidden=true]:has(input)"):
        trap.decompose()
    for inner in node.traverse(include_text=True):
        if inner.tag == "-text":
            if inner.parent is not None and inner.parent.tag not in UNSEEN:
                yield inner.text(deep=False) or ""
            continue
        if inner.tag == "meta" and inner.attributes.get("name") != "description":
            continue
        yield from (inner.attributes[name] or "" for name in SPOKEN if name in inner.attributes)


def texts_in(value: object) -> Iterator[str]:
    """All texts in the sandbox's world, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from texts_in(inner)
    elif dataclasses.is_dataclass(value) and not isinstance(value, Enum | type):
        for field in dataclasses.fields(value):
            yield from texts_in(getattr(value, field.name))


class Reader:
    """Knows what the business wrote and the visitor typed, and finds English in whatever else a page says."""

    def __init__(self, sandbox: Sandbox) -> None:
        known = {
            *texts_in(sandbox.businesses),
            *texts_in(MAIL),
            *JANE.values(),
            mask_contact(JANE["email"]),
            mask_contact(JANE["email"]).replace("…", "…\u2060"),
            "123 Main Street",  # the beginning of the address
            "acme-salon",
        } - {""}
        self._known = sorted((text for text in known if LATIN.search(text)), key=len, reverse=True)

    def english_on(self, page: Page) -> list[str]:
        return [f"{page.url[:60]}: {text}" for text in self.english_in(visible_texts(page.tree.root))]

    def english_in(self, texts: Iterable[str]) -> list[str]:
        """The texts that somebody has to translate."""
        return [text.strip() for text in texts if LATIN.search(self._rest_of(text))]

    def _rest_of(self, text: str) -> str:
        rest = re.sub(r"https?://\S+", "", " ".join(text.split()))
        for known in self._known:
            rest = rest.replace(" ".join(known.split()), "")
        return SAME_EVERYWHERE.sub("", rest)


def content_of(page: Page) -> LexborNode:
    """What a page of staff says by itself: without Django's frame, codes, bodies, and the own names of languages."""
    content = page.tree.css_first("#content")
    for code in content.css(
        "code, pre, textarea, select[name=lang], select[name=theme] option:not([value=plain]), td.field-delivery_id"
    ):
        code.decompose()
    return content


class SpeechlessVisitor(Visitor):
    """A visitor who goes by what things are, not by what they are called."""

    def post(self, page: Page, **answers: str) -> Page:
        """Fill in and send the page's form that changes something."""
        form = page.tree.css_first("main form[method=post]")
        fields = {field.attributes["name"] or "": field.attributes.get("value") or "" for field in form.css("[name]")}
        return self.open(form.attributes["action"] or "", {**fields, **answers})


@pytest.fixture
def any_visitor(pseudo: Settings, client: Client) -> SpeechlessVisitor:
    """A visitor whose browser asks for the language."""
    return SpeechlessVisitor(client, headers={"Accept-Language": LANGUAGE})


def no_english(any_visitor: Visitor, sandbox: Sandbox) -> None:
    """Nothing on any page that was seen is English."""
    reader = Reader(sandbox)
    assert [text for page in any_visitor.responses for text in reader.english_on(page)] == []
    assert {page.response["Content-Language"] for page in any_visitor.responses} == {LANGUAGE}


@pytest.mark.long
def test_the_way_to_a_booking_and_back(any_visitor: SpeechlessVisitor, sandbox: Sandbox) -> None:
    """From the services to the confirmation, with errors on the way; then found, moved and cancelled."""
    for path in ("", "haircut/", "styling-class/", "haircut/?month=2027-01", "?embed=1", "manage/"):
        any_visitor.open(f"/book/{path}")
    for path in (
        "haircut/zone/",
        "haircut/zone/?q=xyzzy",
        "haircut/?tz=Asia/Kathmandu",
        "haircut/?form_input=x&taken=2",
    ):
        any_visitor.open(f"/book/{path}")
    form = any_visitor.choose()
    any_visitor.post(form)
    any_visitor.post(form, **{**JANE, "email": "jane@", "phone": "1"})
    done = any_visitor.post(form, **JANE)
    assert done.number
    any_visitor.post(any_visitor.open("/book/manage/"))
    any_visitor.post(any_visitor.responses[-1], number=done.number, contact="nobody@example.com")
    found = any_visitor.post(any_visitor.open("/book/manage/"), number=done.number, contact=JANE["email"])
    manage = found.url.partition("?")[0]
    times = any_visitor.open(f"{manage}reschedule/")
    any_visitor.post(any_visitor.open(list(times.times.values())[-1]))
    gone = any_visitor.post(any_visitor.open(f"{manage}cancel/"))
    assert "done=" in gone.url
    assert len(any_visitor.responses) > 25
    no_english(any_visitor, sandbox)


@pytest.mark.matrix
@pytest.mark.long
def test_when_something_goes_wrong(
    any_visitor: SpeechlessVisitor, sandbox: Sandbox, clock: Traveller, pseudo: Settings
) -> None:
    """Kordless says no or nothing, links are broken, times are taken, somebody is too quick: all in one's own words."""
    done = any_visitor.post(any_visitor.choose(), **JANE)
    manage = any_visitor.post(
        any_visitor.open("/book/manage/"), number=done.number, contact=JANE["email"]
    ).url.partition("?")[0]
    for path in ("nowhere/at/all/", "nothing/", "manage/x/", "confirmation/x/", "attempt/x/", "haircut/contact/"):
        any_visitor.open(f"/book/{path}")
    any_visitor.open("/book/haircut/contact/", {}, **{"Sec-Fetch-Site": "cross-site"})
    any_visitor.open("/book/haircut/contact/", {}, **{"Sec-Fetch-Site": "cross-site", "Origin": "null"})
    troubles = (
        ("status", {"status": 400}),
        ("status", {"status": 404}),
        ("status", {"status": 409}),
        ("status", {"status": 422}),
        ("status", {"status": 429}),
        ("status", {"status": 503}),
        ("status", {"status": 502, "carried_out": True}),
        ("key_revoked", {}),
    )
    for minute, (kind, options) in enumerate(troubles):
        day = f"?day=2026-12-{minute + 9:02}"
        form, other_times = any_visitor.choose("haircut", day), any_visitor.open(f"{manage}reschedule/{day}").times
        asks = [any_visitor.open(list(other_times.values())[-1])] if other_times else []
        sandbox.faults.add(kind, **options)
        pseudo.KORDLESS_BOOKING = {**pseudo.KORDLESS_BOOKING, "SUPPORT_PHONE": "555 01"}
        for page in (form, *asks, any_visitor.open(f"{manage}cancel/"), any_visitor.open("/book/manage/")):
            if page.tree.css_first("main form[method=post]"):
                any_visitor.post(page, **(JANE if page is form else {}))
        for path in ("/book/", "/book/haircut/", f"{manage}", f"{manage}reschedule/"):
            any_visitor.open(path)
        sandbox.faults.clear()
        empty_cache()
        clock.shift(61)
        pseudo.KORDLESS_BOOKING = {**pseudo.KORDLESS_BOOKING}
    sandbox.faults.add("no_slots")
    any_visitor.open("/book/haircut/?month=2027-01")
    assert {page.status for page in any_visitor.responses} >= {200, 303, 403, 404, 422, 503}
    no_english(any_visitor, sandbox)


@pytest.mark.matrix
@pytest.mark.long
def test_who_comes_too_often(any_visitor: SpeechlessVisitor, sandbox: Sandbox, pseudo: Settings) -> None:
    """The limits of one address, too, are told in one's own words."""
    few = {"BOOKINGS_PER_ADDRESS": 1, "LOOKUPS_PER_ADDRESS": 1}
    pseudo.KORDLESS_BOOKING = {**pseudo.KORDLESS_BOOKING, **few}
    for day in ("09", "10"):
        any_visitor.post(any_visitor.choose("haircut", f"?day=2026-12-{day}"), **JANE)
        any_visitor.post(any_visitor.open("/book/manage/"), number="BOOK_1", contact=JANE["email"])
    assert [page.status for page in any_visitor.responses].count(429) == 2
    no_english(any_visitor, sandbox)


def test_mails_to_the_customer(any_visitor: SpeechlessVisitor, sandbox: Sandbox, pseudo: Settings) -> None:
    """Booked, moved, cancelled: subject, text, HTML and the calendar's entry."""
    pseudo.KORDLESS_BOOKING = {**pseudo.KORDLESS_BOOKING, **MAIL}
    done = any_visitor.post(any_visitor.choose(), **JANE)
    manage = any_visitor.post(
        any_visitor.open("/book/manage/"), number=done.number, contact=JANE["email"]
    ).url.partition("?")[0]
    any_visitor.post(any_visitor.open(list(any_visitor.open(f"{manage}reschedule/?day=2026-12-10").times.values())[-1]))
    any_visitor.post(any_visitor.open(f"{manage}cancel/"))
    letters = sent()
    assert letters
    reader = Reader(sandbox)
    for letter in letters:
        texts = [
            letter.subject,
            *letter.text.splitlines(),
            *visible_texts(letter.html.root),
            str(letter.event["summary"]),
        ]
        assert reader.english_in(texts) == []


def test_the_pages_of_staff(
    any_visitor: SpeechlessVisitor, sandbox: Sandbox, pseudo: Settings, clock: Traveller
) -> None:
    """The admin's pages and the snippet builder, with every state, reason and outcome, in the site's own language."""
    pseudo.KORDLESS_BOOKING = {**pseudo.KORDLESS_BOOKING, **MAIL}
    pseudo.LANGUAGE_CODE = LANGUAGE
    any_visitor.post(any_visitor.choose(), **JANE)
    delivery(event_body("booking.updated"), delivery_id="1").post(Client())
    delivery().but(Signature="forged").post(Client())
    any_visitor.open("/book/haircut/?month=2027-01")
    assert counters.flush()
    attempt, mail, received = (
        BookingAttempt.objects.get(),
        OutgoingMail.objects.latest("pk"),
        WebhookDelivery.objects.get(),
    )
    LostDemandCount.objects.create(
        day=NOW.date(), account="default", service="haircut", placement="page", month=NOW.date(), count=1
    )
    staff = Visitor(Client())
    staff.client.force_login(User.objects.create_superuser("owner"))
    admin = "/admin/kordless_booking"
    lists = [f"{admin}/{name}/" for name in ("bookingattempt", "outgoingmail", "webhookdelivery")]
    for path in (f"{admin}/", f"{admin}/overview/", f"{admin}/funnelcount/", *lists):
        staff.open(path)
    staff.open(f"{admin}/webhookdelivery/{received.pk}/change/")
    staff.open(f"{admin}/webhookdelivery/{received.pk}/replay/")
    for state in BookingAttempt.State:
        BookingAttempt.objects.update(state=state, outcome_unknown=True, retry_at=NOW)
        staff.open(f"{admin}/bookingattempt/{attempt.pk}/change/")
        staff.open(f"{admin}/overview/")
    for reason in refusal_labels():
        BookingAttempt.objects.update(state="rejected", rejection=reason)
        staff.open(f"{admin}/bookingattempt/")
    for state, kind in zip(OutgoingMail.State, [*OutgoingMail.Kind] * 2, strict=False):
        OutgoingMail.objects.update(state=state, kind=kind)
        staff.open(f"{admin}/outgoingmail/{mail.pk}/change/")
        staff.open(f"{admin}/overview/")
    for outcome, source, event in zip(WebhookDelivery.Outcome, ["", *ChangeSource] * 2, [*CHANGES] * 2, strict=False):
        WebhookDelivery.objects.update(outcome=outcome, source=source, kind=event)
        staff.open(f"{admin}/webhookdelivery/")
    for name in ("bookingattempt", "webhookdelivery"):
        staff.open(f"{admin}/{name}/find/", {"wanted": JANE["email"]})
    for query in ("?mode=popup&accent=red&site=other.example", "?site=x%20y", "?site=testserver"):
        staff.open(f"/book/snippet/{query}")
    reader = Reader(sandbox)
    assert {page.status for page in staff.responses} == {200}
    english = {text for page in staff.responses for text in reader.english_in(visible_texts(content_of(page)))}
    # The account, the customer of the delivery, a text of Django's own admin, and the sign's address.
    assert english <= {"default", "c…@example.com", "Search", "salon.example/book"}
