"""Typed and pasted input on the pages: the same person is found again, and nothing wrong reaches Kordless."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.test import Client
from django.urls import clear_url_caches, include, path
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.conf import get_account
from kordless_booking.erasure.base import Person
from kordless_booking.forms import clean_confirmation_number
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.phone_region import find_phone_region, phone_region
from kordless_booking.upstream.registry import services_for
from kordless_booking.views.links import RESERVED
from tests.support.booking_pages import find
from tests.support.clock import NOW
from tests.support.deliveries import NEW, delivery
from tests.support.received_requests import count_requests
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

FAR = "?day=2026-12-09"


def creations(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the bodies of the requests for a booking that Kordless received."""
    return [json.loads(request.body) for request in sandbox.requests if request.operation == "create"]


def lookups(sandbox: Sandbox) -> int:
    """Return the number of lookups that Kordless received."""
    return count_requests(sandbox, "lookup")


def errors(page: Page) -> list[str]:
    """Return the errors of the fields, as the summary lists them."""
    return list(page.links("[role=alert] a"))


@pytest.mark.parametrize(
    ("booked", "typed"),
    [
        ("jane@xn--mnchen-3ya.de", "jane@münchen.de"),
        ("jane@münchen.de", "jane@xn--mnchen-3ya.de"),
        ("ja\u200bne@münchen.de\ufeff", "jane@MÜNCHEN.de"),
        ("jane@example.com", "\u202ajane\uff20example.com\u202c "),
    ],
)
def test_an_email_is_found_in_each_of_its_spellings(
    visitor: Visitor, sandbox: Sandbox, booked: str, typed: str
) -> None:
    """As the browser sends it from one field and as the person types it into the other."""
    number = visitor.book("haircut", FAR, email=booked).number
    assert creations(sandbox)[0]["contact"]["email"] in {"jane@xn--mnchen-3ya.de", "jane@example.com"}
    assert find(visitor, number, typed).number == number


@pytest.mark.parametrize("typed", ["jane@münchen.de", "jane@xn--mnchen-3ya.de"])
def test_a_booking_made_elsewhere_is_found_by_either_spelling(visitor: Visitor, sandbox: Sandbox, typed: str) -> None:
    """Kordless compares texts, and whoever booked by phone may have given the other one; the link works afterwards."""
    start = NOW.replace(day=9, hour=15, minute=0)
    terms = NewBooking(
        service_slug="haircut",
        start=start,
        end=start + timedelta(hours=1),
        timezone="America/New_York",
        contact=Contact(name="Jane", email="jane@münchen.de"),
    )
    made = services_for(get_account(None)).client.create(terms, idempotency_key="elsewhere")
    page = find(visitor, made.confirmation_number, typed)
    assert page.number == made.confirmation_number
    assert visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking").status == 200
    assert sandbox.bookings()[0]["status"] == "canceled"


def test_a_second_spelling_tells_nothing_about_a_booking(visitor: Visitor, sandbox: Sandbox, site: Settings) -> None:
    """As many requests for a number that exists as for one that doesn't, and one permit of the throttles."""
    number = visitor.book("haircut", FAR).number
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_NUMBER": 2}
    counts = []
    for wanted in (number, "BOOK_ZZZZZZZZ"):
        before = lookups(sandbox)
        assert [find(visitor, wanted, "else@münchen.de").status for _try in range(3)] == [404, 404, 429]
        counts.append(lookups(sandbox) - before)
    assert counts == [4, 4]


@pytest.mark.parametrize("form", ["№ {}/34", "2026/{}", "BOOK_{}"])
def test_no_spelling_of_a_number_gets_around_its_throttle(
    visitor: Visitor, sandbox: Sandbox, site: Settings, form: str
) -> None:
    """Whoever guesses the contact of one booking has as many tries as the setting says, however they write it."""
    sandbox.faults.add("unusual_numbers", form=form)
    number = visitor.book("haircut", FAR).number
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_NUMBER": 3, "LOOKUPS_PER_ADDRESS": 0}
    before, one = lookups(sandbox), number[-4:]
    spellings = [
        number,
        number.lower(),
        number.replace(one, one.capitalize()),
        number.replace(one, one.swapcase()),
        number + "/",
        number.replace("/", "\\"),
        number.replace("_", "-"),
        f"{number}~",
    ]
    for typed in spellings:
        find(visitor, typed, "guess@example.com")
    assert lookups(sandbox) - before <= 3
    assert find(visitor, number, "jane@example.com").status == 429


@pytest.mark.parametrize("typed", ["n6@localhost", "a@[127.0.0.1]", "a@10.0.0.10", "a@printer.local"])
def test_an_email_that_no_mail_reaches_is_refused(visitor: Visitor, sandbox: Sandbox, typed: str) -> None:
    """Said at its field."""
    page = visitor.book("haircut", FAR, email=typed)
    assert (page.status, errors(page)) == (
        422,
        ["Please check the email address. It should look like name@example.com."],
    )
    assert not creations(sandbox)


def test_the_country_of_phones_follows_the_time_zone_of_the_business(
    two_accounts: Settings, client: Client, sandbox: Sandbox
) -> None:
    """Without PHONE_REGION, Berlin's numbers are German, New York's American, in the form and in the lookup."""
    for base, service, typed, sent in (
        ("/north/", "check-up", "030 901820", "+4930901820"),
        ("/south/", "haircut", "(212) 555-0123", "+12125550123"),
    ):
        any_visitor = Visitor(client, base=base)
        number = any_visitor.book(service, FAR, email="", phone=typed).number
        assert sandbox.bookings()[-1]["phone"] == sent
        page = any_visitor.send(any_visitor.open(f"{base}manage/"), "Find booking", number=number, contact=typed)
        assert page.number == number


def test_the_country_of_phones_is_unknown_without_a_zone(
    site: Settings, sandbox: Sandbox, two_accounts: Settings
) -> None:
    """A zone of no country, or one that can't be read, gives none; the setting comes first."""
    north, south = get_account("north"), get_account("south")
    assert [phone_region(north, zone) for zone in ("Europe/Kiev", "Asia/Calcutta", "UTC", "Mars/Olympus", None)] == [
        *("UA", "IN"),
        *(None, None, None),
    ]
    assert find_phone_region(north, services_for(north).catalog) == "DE"
    assert find_phone_region(south, services_for(south).catalog) == "US"
    two_accounts.KORDLESS_BOOKING = {**two_accounts.KORDLESS_BOOKING, "PHONE_REGION": "GB"}
    assert phone_region(get_account("north"), "Europe/Berlin") == "GB"
    sandbox.faults.add("status", status=500)
    assert find_phone_region(get_account("north"), services_for(north).catalog) == "GB"


@pytest.mark.parametrize("typed", ["06 12 34 56 78", "212 555 0123 / 0124", "98765 43210"])
def test_a_phone_that_is_none_of_the_guessed_country_is_refused(visitor: Visitor, sandbox: Sandbox, typed: str) -> None:
    """Instead of a wrong number, the visitor gets the hint how to write it."""
    page = visitor.book("haircut", FAR, email="", phone=typed)
    assert errors(page) == [
        "Please check the phone number. If it’s from another country, start with + and the country code."
    ]
    assert page.form("Book appointment")[2]["phone"] == typed
    assert not creations(sandbox)


@pytest.mark.parametrize("notes", ["", "Ring twice"])
def test_an_extension_arrives_in_the_notes(any_visitor: Visitor, sandbox: Sandbox, notes: str) -> None:
    """Under a heading for the business, in every language of the visitor; the phone number is the plain one."""
    any_visitor.book("haircut", f"{FAR}&lang=en", phone="0031 6 12345678 ext. 12", notes=notes)
    [sent] = creations(sandbox)
    assert sent["contact"]["phone"] == "+31612345678"
    assert sent["notes"] == "\n".join(filter(None, [notes, "Phone extension: 12"]))


@pytest.mark.parametrize(
    "write",
    [
        "#{}",
        "{}.",
        "{},",
        "\u200b{}\ufeff",
        "\u201c{}\u201d",
        "\u00ab\u00a0{}\u00a0\u00bb",
        "Confirmation number: {}",
        "confirmation number {}",
        "Your number is:\u00a0#{}!",
        "\u78ba\u8a8d\u756a\u53f7\uff1a{}",
        "<{}>",
        " {} \u200e",
    ],
)
def test_a_number_is_found_as_people_paste_it(visitor: Visitor, write: str) -> None:
    """With what stood around it in a mail or on a page, in any width."""
    number = visitor.book("haircut", FAR).number
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in number)
    for pasted in (write.format(number), write.format(number.lower()), write.format(wide)):
        assert find(visitor, pasted).number == number, ascii(pasted)


@given(st.text("ABCdef019_-", min_size=1, max_size=20).filter(lambda text: text.strip("-_")))
def test_cleaning_a_number_twice_changes_nothing(number: str) -> None:
    """A plain number stays what it is, in upper case."""
    assert clean_confirmation_number(number) == number.upper()
    assert clean_confirmation_number(clean_confirmation_number(f' "#{number}". ')) == number.upper()


@given(st.text(max_size=60))
def test_any_text_cleans_to_a_number_without_space(text: str) -> None:
    """Nothing raises, and nothing invisible is left."""
    number = clean_confirmation_number(text)
    assert not any(letter.isspace() for letter in number)
    assert "\u200b" not in number


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u202e\u202c", "\u200d\u200c", "\u2800", "\x1b\x07", "\ufe0f"])
def test_a_name_that_does_not_show_is_none(any_visitor: Visitor, sandbox: Sandbox, name: str) -> None:
    """Said as for an empty one."""
    page = any_visitor.book("haircut", FAR, name=name)
    assert (page.status, errors(page)) == (422, ["Please enter your name."])
    assert not creations(sandbox)


def test_what_does_not_show_never_reaches_kordless(any_visitor: Visitor, sandbox: Sandbox) -> None:
    """Control characters, overrides of direction and zero width characters, in each field; line breaks stay."""
    any_visitor.book(
        "haircut", FAR, name="\u202eJa\u200bne\x1b\x07 Doe\u202c", notes="a\x08b\u2066\r\n\u200fc\td\u2028e\u200b"
    )
    [sent] = creations(sandbox)
    assert sent["contact"]["name"] == "Jane Doe"
    assert sent["notes"] == "ab\nc\td\ne"


@pytest.mark.parametrize(
    "name", ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0d1a\u0d28\u0d4d\u200d", "👩🏽\u200d🦱 ❤\ufe0f"]
)
def test_joiners_that_a_name_needs_reach_kordless(any_visitor: Visitor, sandbox: Sandbox, name: str) -> None:
    """Persian, Malayalam, emoji."""
    any_visitor.book("haircut", FAR, name=name)
    assert creations(sandbox)[0]["contact"]["name"] == name


def test_an_appointment_by_phone_needs_a_phone_number(any_visitor: Visitor, sandbox: Sandbox) -> None:
    """It is marked as required, said when it is missing, and everything typed stays."""
    page = any_visitor.choose("late-advice")
    assert "This appointment is by phone: please enter the number to call." in page.text
    assert page.tree.css_first("#kb-phone").attributes["aria-required"] == "true"
    assert page.texts(".kb-label") == ["Name", "Email (optional)", "Phone", "Notes (optional)"]
    page = any_visitor.send(page, "Book appointment", **JANE)
    assert errors(page) == ["Please enter your phone number: this appointment is by phone."]
    assert page.form("Book appointment")[2]["email"] == JANE["email"]
    assert not creations(sandbox)
    assert any_visitor.send(page, "Book appointment", phone="(212) 555-0199").heading == "You’re booked"


def test_another_service_does_not_require_a_phone_number(any_visitor: Visitor) -> None:
    """The mark is the form's own, not left behind on all forms."""
    any_visitor.choose("late-advice")
    page = any_visitor.choose("haircut", FAR)
    assert "aria-required" not in page.tree.css_first("#kb-phone").attributes
    assert any_visitor.send(page, "Book appointment", **JANE).heading == "You’re booked"


def test_a_phone_appointment_says_by_phone_everywhere(visitor: Visitor) -> None:
    """On the form, the confirmation and the manage page, and in the calendar file; the number is a link."""
    location = "By phone: +1 212-555-0123"
    assert location in visitor.choose("late-advice").text
    page = visitor.book("late-advice", phone="+12125550199")
    assert page.links()[location] == "tel:+12125550123"
    manage = visitor.open(page.link("Change or cancel"))
    assert manage.links()[location] == "tel:+12125550123"
    file = visitor.open(next(url for url in manage.hrefs() if url.partition("?")[0].endswith(".ics")))
    assert f"LOCATION:{location}" in file.html


@pytest.mark.parametrize(
    ("given", "missing", "message"),
    [
        ({"email": "jane@example.com", "phone": ""}, "phone", "The booking system also needs your phone number."),
        ({"email": "", "phone": "+12125550123"}, "email", "The booking system also needs your email address."),
    ],
)
def test_kordless_may_want_both_contacts(
    any_visitor: Visitor, sandbox: Sandbox, given: dict[str, str], missing: str, message: str
) -> None:
    """The empty field is marked, all that was typed stays, and the same form with both books."""
    sandbox.faults.add("contact_required", "create")
    page = any_visitor.book("haircut", FAR, **given, notes="Ring twice")
    assert page.status == 422
    assert "didn’t accept these details" in page.alert
    assert page.links("[role=alert] a") == {message: f"#kb-{missing}"}
    assert page.tree.css_first(f"#kb-{missing}").attributes["aria-required"] == "true"
    assert page.texts(".kb-label") == ["Name", "Email", "Phone", "Notes (optional)"]
    # That one of the two is enough isn't so here.
    assert "email address or a phone number" not in page.text
    fields = page.form("Book appointment")[2]
    assert {name: fields[name] for name in given} == given
    assert fields["notes"] == "Ring twice"
    page = any_visitor.send(page, "Book appointment", email="jane@example.com", phone="+12125550123")
    assert page.heading == "You’re booked"
    assert len(sandbox.bookings()) == 1


def test_no_field_is_marked_when_both_contacts_were_given(any_visitor: Visitor, sandbox: Sandbox) -> None:
    """Then Kordless must have refused something else."""
    sandbox.faults.add("status", "create", status=422)
    page = any_visitor.book("haircut", FAR, phone="+12125550123")
    assert page.status == 422
    assert errors(page) == []


@pytest.mark.parametrize("contact", ["jane@münchen.de", "jane@xn--mnchen-3ya.de", "JANE@MÜNCHEN.DE"])
def test_the_hash_of_an_attempt_is_that_of_each_spelling(visitor: Visitor, contact: str) -> None:
    """Erasure finds the row however the operator writes the address."""
    visitor.book("haircut", FAR, email="jane@münchen.de")
    person = Person.from_texts([contact], frozenset({"US"}))
    assert BookingAttempt.objects.get().email_hash in person.hashes
    assert person.matches("jane@xn--mnchen-3ya.de")
    assert person.matches("jane@münchen.de")


PAGES = (
    "manage",
    "haircut",
    "haircut/contact",
    "haircut/zone",
    "service/haircut",
    "health",
    "health/booking",
    "manage/x",
    "snippet",
)


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_its_slash_leads_to_the_page(client: Client, site: Settings, page: str, headers: Any) -> None:
    """With its query, for GET and HEAD, whatever the host's APPEND_SLASH says."""
    for append in (True, False):
        site.APPEND_SLASH = append
        site.MIDDLEWARE = [name for name in site.MIDDLEWARE if append or not name.endswith("CommonMiddleware")]
        for method in (client.get, client.head):
            response = method(f"/book/{page}?tz=Europe/Kyiv&lang=en", headers=headers)
            assert (response.status_code, response["Location"]) == (301, f"/book/{page}/?tz=Europe/Kyiv&lang=en")


def test_a_slash_is_not_added_where_there_is_no_page(client: Client, site: Settings) -> None:
    """Unknown addresses, files, and posts stay what they are."""
    unknown = ("nothing", "favicon.ico", "style-red.css", "staff-training", "nothing/zone")
    for url in (*unknown, "a/b/c", "manage/x/y", "haircut/contact/x"):
        assert client.get(f"/book/{url}").status_code == 404, url
    assert client.get("/book/embed.js").status_code == 200
    assert client.get("/book/embed-dialog.js").status_code == 200
    response = client.post("/book/haircut/contact", JANE, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 404


@pytest.mark.parametrize("word", sorted(RESERVED - {"embed.js", "embed-dialog.js", "webhook"}))
def test_reserved_words_are_never_services(client: Client, site: Settings, word: str) -> None:
    """The redirect leads to the widget's own page of that name, where there is one."""
    response = client.get(f"/book/{word}")
    if word in {"attempt", "confirmation", "service"}:
        assert response.status_code == 404
    else:
        assert (response.status_code, response["Location"]) == (301, f"/book/{word}/")


@pytest.mark.parametrize(
    "url",
    ["//evil.example/book/manage", "//evil.example", "///evil.example/manage", "/\\evil.example", "/%5cevil.example"],
)
def test_a_missing_slash_never_leads_to_another_site(client: Client, site: Settings, url: str) -> None:
    """Also where the widget is mounted at the root of the site."""
    site.ROOT_URLCONF = (path("", include("kordless_booking.urls")),)
    clear_url_caches()
    response = client.generic("GET", "/", PATH_INFO=url) if url.startswith("//") else client.get(url)
    location = response.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_a_missing_slash_keeps_every_prefix(site: Settings) -> None:
    """Of the server, of the language and of the mount."""
    site.ROOT_URLCONF = tuple(i18n_patterns(path("termine/", include("kordless_booking.urls"))))
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    clear_url_caches()
    response = Client(SCRIPT_NAME="/laden").get("/de/termine/manage?lang=en")
    assert (response.status_code, response["Location"]) == (301, "/laden/de/termine/manage/?lang=en")


def test_the_webhook_takes_both_addresses(client: Client, site: Settings, clock: Traveller) -> None:
    """A delivery need not follow a redirect, and couldn't as a POST."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "WEBHOOK_SECRETS": [NEW]}
    answers: list[HttpResponse] = [delivery().post(client, url) for url in ("/book/webhook", "/book/webhook/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert client.head("/book/webhook").status_code == 200
    assert delivery(secret="whsec_wrong_0123456789abcdefgh").post(client, "/book/webhook").status_code == 401


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("de-AT", "de"),
        ("de_CH", "de"),
        ("pt", "pt-br"),
        ("pt-PT", "pt-br"),
        ("zh-CN", "zh-hans"),
        ("zh-Hant-HK", "zh-hant"),
        ("EN-gb", "en"),
        ("tlh", "en"),
        ("../de", "en"),
    ],
)
def test_a_language_in_the_query_gets_the_nearest(client: Client, site: Settings, language: str, shown: str) -> None:
    """As Accept-Language does; the links of the page name the language that is shown."""
    page = Visitor(client).open(f"/book/?lang={language}")
    assert page.response["Content-Language"] == shown
    named = {url.partition("lang=")[2].partition("&")[0] for url in page.hrefs() if "lang=" in url}
    assert named <= {shown}
    assert (
        Visitor(client, {"Accept-Language": language.replace("_", "-")}).open("/book/").response["Content-Language"]
        == shown
    )
