"""A template of the site's own is rendered for each visitor, with real values, whatever it replaces.

Each template that ships is replaced by itself and a marker: its name, who is logged in, the time, and each of its
variables whole and cut by a filter. All at once, and in `.ci/run` also each alone, between templates of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.consent import Consent
from kordless_booking.models import BookingAttempt, ConsentProof, OutgoingMail, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from tests.support.all_pages import every_page
from tests.support.clock import NOW
from tests.support.deliveries import NEW, delivery
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL
from tests.support.salon import open_salon
from tests.support.visitor import HTMX, Page, Visitor

pytestmark = pytest.mark.django_db

SHIPPED = Path(__file__).resolve().parents[2] / "kordless_booking" / "templates"
ALL = sorted(path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.is_file())
HOST_PAGES = {
    "kordless_booking/layouts/base.html",
    "kordless_booking/layouts/site.html",
    "kordless_booking/parts/next_free.html",
    "kordless_booking/steps/lazy.html",
}
"""Templates around the widget, on pages of the site: the tests of their tags and of BASE_TEMPLATE replace them."""
VISITORS = [name for name in ALL if name.split("/")[1] not in {"admin", "mail", "snippet"} and name not in HOST_PAGES]
STAFFS = [name for name in ALL if name.split("/")[1] in {"admin", "snippet"}]
TO_STAFF = "kordless_booking/mail/staff.txt"
MAILS = [name for name in ALL if name.split("/")[1] == "mail" and name != TO_STAFF]

PUBLIC = (
    "/book/",
    "/book/haircut/",
    "/book/haircut/?tz=Asia/Tokyo",
    "/book/haircut/?after=11:00",
    "/book/styling-class/",
    "/book/head-spa/?month=2026-12",
    "/page/",
    "/page/?service=haircut",
)
"""Pages that visitors share as long as they are made of the package's own templates."""
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
MARKER = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
VARIABLE = re.compile(r"\{\{ ([a-z_]+(?:\.[a-z_]+)*)")
NOT_TEXT = {"block", "body", "continent", "field", "form", "forloop", "nearest", "row", "snippet", "zones"}


def at_once_and_alone(names: list[str]) -> list[ParameterSet]:
    """Test parameters: all names together, and each by itself."""
    alone = [pytest.param((name,), id=name, marks=pytest.mark.matrix) for name in names]
    return [pytest.param(tuple(names), id="all at once"), *alone]


def marked(name: str, source: str) -> str:
    """The template with a marker in it."""
    shown = sorted({name for name in VARIABLE.findall(source) if name.split(".")[0] not in NOT_TEXT})
    values = "".join(f'|{{{{ {name}|striptags|slice:":5" }}}}~{{{{ {name}|striptags }}}}' for name in shown)
    marker = f'[[{name}|{{{{ request.user.username }}}}|{{% now "U" %}}{values}]]'
    if "<" not in source and "{{" in source:  # it stands inside a tag
        marker = f' data-seen="{marker}"'
    if "{% extends" in source:
        # The content, or else the last block: blocks inside a content are for others to fill, and may stay empty.
        blocks = [*re.finditer(r"\{% block ([\w-]+) %\}", source)]
        place = next((block for block in blocks if block[1] in {"content", "note"}), blocks[-1]).end()
        return source[:place] + marker + source[place:]
    return marker + source


@pytest.fixture
def replaced(request: pytest.FixtureRequest, site: Settings, tmp_path: Path) -> set[str]:
    """The names of the templates that the site has replaced."""
    for name in request.param:
        own = tmp_path / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(marked(name, (SHIPPED / name).read_text()))
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path, *site.TEMPLATES[0]["DIRS"]]}]
    return set(request.param)


def checked(content: str, user: str, now: datetime) -> set[str]:
    """The names of the templates whose markers are there; each is about this user and this moment, and cut right."""
    assert not PRIVATE_USE.search(content)
    names = set()
    for marker in MARKER.findall(content):
        name, who, at, *values = marker.split("|")
        assert (who, at) == (user, str(int(now.timestamp()))), name
        for value in values:
            cut, whole = map(unescape, value.split("~", 1))
            assert cut == whole[:5], name
        names.add(name)
    return names


BOX = {"name": "news", "label": "Send me news.", "version": "1"}
"""A box for consent that nobody has to tick."""


class Watched(Visitor):
    """A visit on which each answer is checked as it comes."""

    def __init__(self, client: Client, user: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(client, headers or {})
        self.user = user
        self.markers: set[str] = set()

    def once(self, url: str, sent: dict[str, str] | None = None, **headers: str) -> Page:
        """As any visitor, with open eyes."""
        page = super().once(url, sent, **headers)
        here = checked(page.html, self.user, datetime.now(UTC))
        self.markers |= here
        if here:
            assert "Cookie" in page.response["Vary"]
            # What the host's own pages say of themselves is the host's affair.
            assert page.url.startswith("/page/") or "private" in page.response["Cache-Control"]
        return page


@pytest.fixture
def sarah(client: Client) -> Client:
    """A signed-in visitor, who also works there."""
    client.force_login(User.objects.create_superuser("sarah"))
    return client


@pytest.mark.long
@pytest.mark.parametrize("replaced", at_once_and_alone(VISITORS), indirect=True)
def test_what_a_replaced_template_shows_reaches_nobody_else(
    replaced: set[str], site: Settings, sarah: Client, sandbox: Sandbox, clock: Traveller
):
    """A signed-in visitor looks, then within the same minute one who isn't, by whole pages and by fragments."""
    # This test is about what is shown: a machine with much to do must not end it with a page about Kordless's slowness.
    patient = {"BROWSE_SECONDS": 25, "BOOKING_SECONDS": 25, "ASK_REASON": "optional", "CONSENT": [BOX]}
    questions = {"QUESTIONS": {"*": [{"name": "first", "label": "Your first visit?", "kind": "yes_no"}]}}
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **patient, **questions, "SUPPORT_PHONE": "+1 212 555 0100"}
    visits = [
        Watched(sarah, "sarah"),
        Watched(Client(), ""),
        Watched(sarah, "sarah", HTMX),
        Watched(Client(), "", HTMX),
    ]
    for number, any_visitor in enumerate(visits):
        clock.move_to(NOW + timedelta(seconds=7 * number))
        for path in PUBLIC:
            assert any_visitor.open(path).status == 200
    for any_visitor in visits[:2]:
        clock.shift(7)
        seen = every_page(any_visitor, sandbox, "en")
        refused = any_visitor.open(seen["contact"].url, {"name": any_visitor.user}, **{"Sec-Fetch-Site": "cross-site"})
        assert refused.status == 403
    open_salon(site, 20)
    for any_visitor in visits:
        clock.shift(7)
        for path in ("/book/", "/book/?q=treat"):
            assert any_visitor.open(path).status == 200
    for first, by_fragments in zip(visits[:2], visits[2:], strict=True):
        assert first.markers | by_fragments.markers == replaced


@pytest.mark.long
@pytest.mark.parametrize("replaced", at_once_and_alone(STAFFS), indirect=True)
def test_what_staff_see_is_rendered_for_each_of_them(
    replaced: set[str], sarah: Client, site: Settings, clock: Traveller
):
    """The pages of the admin and the snippet builder know two people and two moments apart."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL, "WEBHOOK_SECRETS": [NEW], "CONSENT": [BOX]}
    Visitor(Client()).book(consent_news=Consent(**BOX).fingerprint)
    delivery().post(sarah)
    tom = Client()
    tom.force_login(User.objects.create_superuser("tom"))
    markers: set[str] = set()
    for client, user in [(sarah, "sarah"), (tom, "tom"), (sarah, "sarah")]:
        clock.shift(7)
        for path in staff_pages():
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "private" in answer["Cache-Control"]
            markers |= checked(answer.content.decode(), user, datetime.now(UTC))
    assert markers == replaced, "a template was never rendered"


def staff_pages() -> Iterator[str]:
    """Where each template for staff is used."""
    yield "/book/snippet/"
    yield "/book/snippet/preview/"
    deliveries = "/admin/kordless_booking/webhookdelivery/"
    pk = WebhookDelivery.objects.get().pk
    yield from (deliveries, f"{deliveries}{pk}/change/", f"{deliveries}{pk}/replay/", f"{deliveries}find/")
    yield "/admin/kordless_booking/funnelcount/"
    yield "/admin/kordless_booking/overview/"
    for model in (BookingAttempt, OutgoingMail, ConsentProof):
        url = f"/admin/kordless_booking/{model._meta.model_name}/"
        yield from (url, f"{url}{model._default_manager.latest('pk').pk}/change/")
    yield "/admin/kordless_booking/bookingattempt/find/"
    yield "/admin/kordless_booking/consentproof/find/"


@pytest.mark.parametrize("replaced", [pytest.param((name,), id=name) for name in MAILS], indirect=True)
def test_what_a_replaced_mail_shows_is_its_own_readers(
    replaced: set[str], site: Settings, sarah: Client, sandbox: Sandbox, clock: Traveller
):
    """Two customers' mails have the values of each, and the time at which each was written; no user is there."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    for client, person, other in [(sarah, "Jane Doe", "Tom Roe"), (Client(), "Tom Roe", "Jane Doe")]:
        clock.shift(7)
        Visitor(client).book(name=person)
        letter = sent()[-1]
        for content in (letter.subject, letter.text, letter.part("text/html").get_content()):
            assert other not in content
            checked(content, "", datetime.now(UTC))
        assert person in letter.text
        assert MARKER.search(letter.subject + letter.text + letter.part("text/html").get_content())


@pytest.mark.parametrize("replaced", [(TO_STAFF,)], indirect=True)
def test_what_a_replaced_mail_to_staff_shows_is_of_its_own_booking(
    replaced: set[str], site: Settings, sarah: Client, sandbox: Sandbox, clock: Traveller
):
    """Two bookings' mails to staff have the values of each, and the time at which each was written."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL, "STAFF_EMAIL": "desk@salon.example"}
    for client, person, other in [(sarah, "Jane Doe", "Tom Roe"), (Client(), "Tom Roe", "Jane Doe")]:
        clock.shift(7)
        Visitor(client).book(name=person)
        letter = next(letter for letter in reversed(sent()) if letter.message["To"] == "desk@salon.example")
        for content in (letter.subject, letter.text):
            assert other not in content
            checked(content, "", datetime.now(UTC))
        assert person in letter.text
        assert MARKER.search(letter.subject + letter.text)


@pytest.fixture
def own(site: Settings, tmp_path: Path) -> Path:
    """The folder of a site's own parts, found before the package's."""
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path, *site.TEMPLATES[0]["DIRS"]]}]
    folder = tmp_path / "kordless_booking" / "parts"
    folder.mkdir(parents=True)
    return folder


def seen(answer: HttpResponse) -> list[str]:
    """Return the contents of the markers in a response."""
    return MARKER.findall(answer.content.decode())


def test_a_day_of_the_sites_own_can_look_into_its_values(own: Path, client: Client):
    """Conditions and filters see the day's number, address and words, and what is true of it."""
    (own / "day.html").write_text(
        '<td>[[{% if number == "15" %}the 15th{% endif %}|{{ iso|slice:"8:" }}|'
        "{% if full|length > 20 %}long{% endif %}|{{ today }}|{{ current }}|{{ kb.lang }}|{{ number|add:1 }}]]</td>"
    )
    days = [day.split("|") for day in seen(client.get("/book/haircut/"))]
    assert sum(day[0] == "the 15th" for day in days) == 1
    [the_15th] = [day for day in days if day[0]]
    assert the_15th[1:] == ["15", "long", "False", "False", "en", "16"]
    assert [day[3] for day in days].count("True") == 1
    assert [day[4] for day in days].count("True") == 1


def test_a_time_of_the_sites_own_can_cut_its_label(own: Path, client: Client):
    """`label` is a text, and markup only where a time has two clocks."""
    (own / "time.html").write_text('<li>[[{{ label|slice:":5" }}|{{ label }}|{{ url|slice:"-16:" }}]]</li>')
    times = [time.split("|") for time in seen(client.get("/book/haircut/"))]
    assert len(times) > 3
    for cut, label, start in times:
        assert cut == label[:5]
        assert re.fullmatch(r"\d{8}T\d{6}Z", start)
