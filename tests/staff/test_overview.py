"""The front page: what is well and what is not, without asking Kordless and without anything personal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import pgettext
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking.funnel import counters
from kordless_booking.models import (
    Appointment,
    BookingAttempt,
    LostDemandCount,
    OutgoingMail,
    RejectedDeliveryCount,
    WebhookDelivery,
)
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.sandbox import Sandbox
from tests.support.booking_pages import find
from tests.support.clock import NOW
from tests.support.deliveries import delivery
from tests.support.mail_settings import MAIL
from tests.support.staff import Hire
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

URL = "/admin/kordless_booking/overview/"


def seen(client: Client) -> Page:
    """The page."""
    page = Page(URL, client.get(URL))
    assert page.status == 200
    return page


def row(page: Page, service: str) -> list[str]:
    """Return the cells of a service's row: the age of its cached data."""
    rows = {
        cells[0]: cells[1:]
        for line in page.tree.css(".kb-wide tbody tr")
        for cells in [[c.text().strip() for c in line.css("th, td")]]
    }
    return rows[service]


def test_all_is_well(owner: Client, client: Client, sandbox: Sandbox) -> None:
    """It says so, and where to go on."""
    client.get("/book/haircut/")
    request_count = len(sandbox.requests)
    page = seen(owner)
    assert "All is well." in page.text
    assert "Acme Salon" in page.texts("h2")
    # The two months shown are one entry.
    assert row(page, "Haircut") == ["0 s", "0 s", "0 s"]
    assert row(page, "Beard trim") == ["\N{EN DASH}"] * 3
    assert {"Funnel", "Webhook deliveries", "Booking attempts", "Snippet for other websites"} <= page.links(
        ".kb-links a"
    ).keys()
    assert page.link("Snippet") == "/book/snippet/"
    assert len(sandbox.requests) == request_count


def test_a_proxy_that_the_settings_do_not_know_of(owner: Client, shop: Settings) -> None:
    """Staff come through the same one as visitors, so their request shows it."""
    behind = {"REMOTE_ADDR": "10.0.0.2", "headers": {"X-Forwarded-For": "203.0.113.7"}}
    assert "TRUSTED_PROXIES is 0" in Page(URL, owner.get(URL, **behind)).text
    assert "TRUSTED_PROXIES" not in Page(URL, owner.get(URL)).text
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "TRUSTED_PROXIES": 1}
    assert "TRUSTED_PROXIES" not in Page(URL, owner.get(URL, **behind)).text


def test_withheld_mails_are_reported(owner: Client, shop: Settings) -> None:
    """Their number, for a day."""
    appointment = Appointment.objects.create(
        account="default", number_hash="1", start=NOW, end=NOW, notified_at=NOW, encrypted=""
    )
    for revision, age in enumerate((0, 23, 25)):
        OutgoingMail.objects.create(
            appointment=appointment,
            kind=OutgoingMail.Kind.CONFIRMED,
            revision=revision,
            state=OutgoingMail.State.WITHHELD,
            queued_at=NOW,
            due_at=NOW,
            changed_at=NOW - timedelta(hours=age),
        )
    assert "2 mails were withheld in the last 24 hours" in seen(owner).text
    OutgoingMail.objects.update(state=OutgoingMail.State.SENT)
    assert "withheld" not in seen(owner).text


def test_it_asks_kordless_nothing_even_when_nothing_is_known(owner: Client, sandbox: Sandbox) -> None:
    """A page on a site that nobody has visited yet."""
    for _ in range(3):
        seen(owner)
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("language", "months"),
    [
        ("de", ["Dezember", "Januar"]),
        ("pl", ["grudzień", "styczeń"]),
        ("ja", ["12月", "1月"]),
        # In the admin's languages that the widget doesn't have, its texts are English, and so are months in them.
        ("cs", ["December", "January"]),
    ],
)
def test_months_are_written_as_in_the_widget(
    owner: Client, client: Client, shop: Settings, language: str, months: list[str]
) -> None:
    """By CLDR, in the form that stands alone: Django's own names differ in five languages."""
    client.get("/book/haircut/")
    shop.LANGUAGE_CODE = language
    page = seen(owner)
    heads = page.texts(".kb-wide thead th")[2:]
    assert [month in head for month, head in zip(months, heads, strict=True)] == [True, True]


def test_ages_grow(owner: Client, client: Client, clock: time_machine.Traveller, shop: Settings) -> None:
    """And what is old is not called fresh."""
    client.get("/book/haircut/")
    clock.shift(200)
    page = seen(owner)
    assert row(page, "Haircut")[1] == "3 min, due"
    assert row(page, "Haircut")[0] == "3 min"


def test_the_last_delivery_and_the_rejected(owner: Client, client: Client) -> None:
    """By reason, today and in seven days; older ones are gone from the page."""
    delivery().post(client)
    delivery().but(Signature="forged").post(client)
    delivery().but(Signature="forged").post(client)
    delivery(at="1").post(client)
    assert counters.flush()
    for days, reason in ((6, "webhook_stale"), (7, "webhook_malformed")):
        RejectedDeliveryCount.objects.create(
            day=NOW.date() - timedelta(days=days), account="default", reason=reason, count=5
        )
    page = seen(owner)
    assert "booking.created" in page.text
    refused = [[c.text().strip() for c in line.css("th, td")] for line in page.tree.css(".kb-card caption ~ tbody tr")]
    assert refused == [["Signed with another secret", "2", "2"], ["Timestamp too far off", "1", "6"]]
    assert "3 deliveries of the webhook were refused today" in page.text


def test_the_overview_during_an_outage_of_kordless(owner: Client, client: Client, sandbox: Sandbox) -> None:
    """The circuit that is open, and what can't be renewed."""
    client.get("/book/haircut/")
    sandbox.faults.add("status", status=500)
    for service in ("full-color", "beard-trim", "bridal-styling", "styling-class", "color-consultation", "head-spa"):
        client.get(f"/book/{service}/")
    page = seen(owner)
    assert "stopped, tried again in" in page.text
    assert "Kordless isn’t working at the moment" in page.text
    assert "All is well." not in page.text


def test_a_revoked_key(owner: Client, client: Client, sandbox: Sandbox) -> None:
    """Comes first."""
    sandbox.faults.add("key_revoked")
    client.get("/book/")
    assert "Kordless refuses the API key" in seen(owner).texts(".kb-attention li")[0]


def test_bookings_that_are_open(owner: Client, client: Client, sandbox: Sandbox, clock: time_machine.Traveller) -> None:
    """The page shows the number and the age of open bookings, and a warning when they are open for a long time."""
    any_visitor = Visitor(client)
    sandbox.faults.add("status", "create", status=500)
    any_visitor.send(any_visitor.choose(), "Book appointment", **JANE)
    assert BookingAttempt.objects.get().state == "outcome_unknown"
    page = seen(owner)
    assert page.links()["No answer yet"] == "/admin/kordless_booking/bookingattempt/?state__exact=outcome_unknown"
    assert "open for a long time" not in page.text
    clock.shift(700)
    page = seen(owner)
    assert "1 booking has been open for a long time" in page.text
    assert "11 min" in page.text
    assert JANE["email"] not in page.html


def test_the_rate_limit_of_this_minute(owner: Client, client: Client, shop: Settings) -> None:
    """The page shows the permits taken, without taking any, and a warning when nearly all are used."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 5, "CREATIONS_PER_MINUTE": 2}
    assert "nearly used up" not in seen(owner).text
    client.get("/book/haircut/")
    page = seen(owner)
    assert "3 of 3" in page.text
    assert "0 of 2" in page.text
    assert "This process only" in page.text
    assert "nearly used up" in page.text


def test_lookups_have_a_quota_and_a_circuit_of_their_own_on_the_overview(
    owner: Client, client: Client, sandbox: Sandbox
) -> None:
    """Those that carry no key are counted beside it, and a 429 among them is said of them alone."""
    any_visitor = Visitor(client)
    manage = any_visitor.book().link("Change or cancel")
    any_visitor.open(manage)
    page = seen(owner)
    facts = dict(zip(page.texts(".kb-card dt"), page.texts(".kb-card dd"), strict=True))
    assert facts["Look-ups and changes this minute"] == "1 of 600"
    assert facts["Managing bookings"] == "works"
    sandbox.faults.add("status", "lookup", status=429, retry_after=40)
    find(any_visitor, "BOOK_NONE")
    page = seen(owner)
    assert page.texts(".kb-attention li") == [
        "Customers can hardly look up or change bookings at the moment. New bookings are not affected."
    ]
    assert "Told to wait by Kordless with look-ups and changes" in page.text


def test_without_a_webhook(owner: Client, site: Settings, account_settings: dict[str, Any]) -> None:
    """The page says that no webhook is set up."""
    site.KORDLESS_BOOKING = account_settings
    assert "No webhook is set up" in seen(owner).text


def test_lost_demand_is_shown_on_the_overview(owner: Client, client: Client) -> None:
    """Per service, today and in seven days, those with most first; and nothing is amber that is only due."""
    assert "everybody who looked was shown free times" in seen(owner).text
    client.get("/book/haircut/")
    for days, service, count in ((0, "haircut", 2), (6, "haircut", 3), (7, "haircut", 9), (1, "beard-trim", 7)):
        LostDemandCount.objects.create(
            account="default",
            day=NOW.date() - timedelta(days=days),
            service=service,
            placement="page",
            month=NOW.date(),
            count=count,
        )
    page = seen(owner)
    lost = [
        [cell.text().strip() for cell in line.css("th, td")]
        for line in page.tree.css("[aria-label='Lost demand'] tbody tr")
    ]
    assert lost == [["Beard trim", "0", "7"], ["Haircut", "2", "5"]]
    assert page.links()["See which months they wanted"].endswith("/funnelcount/#kb-lost")


def test_mails_that_were_not_sent_are_reported(owner: Client, shop: Settings) -> None:
    """Those that wait always, the others for a day; given up ones need attention."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, **MAIL}
    appointment = Appointment.objects.create(
        account="default", number_hash="1", start=NOW, end=NOW, notified_at=NOW, encrypted=""
    )
    for revision, (state, age) in enumerate([("queued", 50), ("failed", 1), ("failed", 30), ("sent", 1)]):
        OutgoingMail.objects.create(
            appointment=appointment,
            kind=OutgoingMail.Kind.CONFIRMED,
            revision=revision,
            state=state,
            queued_at=NOW,
            due_at=NOW,
            changed_at=NOW - timedelta(hours=age),
        )
    page = seen(owner)
    assert "1 mail was given up in the last 24 hours" in page.text
    card = page.tree.css_first("[aria-label='Mails']")
    assert [node.text().strip() for node in card.css("dt, dd")] == ["Waiting", "1", "Given up", "1"]
    assert page.links()["Given up"] == "/admin/kordless_booking/outgoingmail/?state__exact=failed"


def test_what_is_only_due_has_no_warning_color(owner: Client, client: Client, clock: time_machine.Traveller) -> None:
    """It is refreshed when somebody looks: nobody has to do anything."""
    client.get("/book/haircut/")
    clock.shift(200)
    page = seen(owner)
    assert "due" in page.text
    assert not page.tree.css(".kb-fair, .kb-bad")


def test_two_businesses(owner: Client, two_accounts: Settings, client: Client) -> None:
    """Each has a part of its own."""
    client.get("/north/check-up/")
    two_accounts.ROOT_URLCONF = "tests.projects.plain.urls"
    assert seen(owner).texts("h2") == ["North Dental", "south"]


def test_it_is_for_those_who_may(hire: Hire) -> None:
    """And each sees the links that lead anywhere."""
    assert hire().get(URL).status_code == 403
    assert Client().get(URL).status_code == 302
    page = seen(hire("view_overview"))
    assert page.links(".kb-links a").keys() == {"Snippet for other websites"}
    assert hire("view_overview").post(URL).status_code == 405


def test_it_is_in_the_admins_own_list(owner: Client) -> None:
    """As the first, before the funnel, the mails, the deliveries and the attempts."""
    page = Page("/admin/", owner.get("/admin/kordless_booking/"))
    assert page.texts("tr[class^=model-] th")[0] == "Overview"
    assert page.tree.css_first("tr[class^=model-]").attributes["class"] == "model-overview"
    assert {"Overview", "Funnel", "Mails", "Webhook deliveries", "Booking attempts"} <= page.links().keys()
    assert "Add" not in page.links()
    with pytest.raises(NoReverseMatch):
        reverse("admin:kordless_booking_overview_add")


@pytest.mark.parametrize("language", supported_languages())
def test_the_overview_is_the_first_page_of_the_admin(language: str, owner: Client, rf: RequestFactory) -> None:
    """In every language, whatever the names of the other pages begin with; its name shows no space."""
    request = rf.get("/admin/")
    request.user = User.objects.get()
    with translation.override(language):
        [app] = admin.site.get_app_list(request, "kordless_booking")
        assert app["models"][0]["object_name"] == "Overview"
        assert str(app["models"][0]["name"]).strip() == pgettext("heading", "Overview")


def test_it_costs_few_queries(
    owner: Client, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Session and user included."""
    client.get("/book/haircut/")
    with django_assert_max_num_queries(9):
        seen(owner)


def test_nothing_on_it_is_inline(owner: Client, client: Client) -> None:
    """So that a strict policy lets all of it pass."""
    client.get("/book/haircut/")
    page = seen(owner)
    assert " style=" not in page.html
    assert not page.tree.css("script:not([src]), style")


@pytest.mark.parametrize("settings_", [None, {"SANDBOX": True, "CACHE": "nowhere"}, {"API_KEY": ""}])
def test_unusable_settings(owner: Client, shop: Settings, settings_: Any) -> None:
    """Are said to be, and what was written down before can still be looked at."""
    delivery().post(owner)
    shop.KORDLESS_BOOKING = settings_
    assert "The settings are unusable" in seen(owner).text
    for other in ("funnelcount/", "webhookdelivery/", "bookingattempt/"):
        assert owner.get(f"/admin/kordless_booking/{other}").status_code == 200
    row = WebhookDelivery.objects.get()
    assert owner.get(f"/admin/kordless_booking/webhookdelivery/{row.pk}/change/").status_code == 200
    assert owner.get(f"/admin/kordless_booking/webhookdelivery/{row.pk}/replay/").status_code == 302
