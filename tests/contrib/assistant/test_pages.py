"""Saying when: the field, its answers, and what becomes of words that are not understood."""

import logging
from datetime import UTC, datetime, time

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking import hooks
from kordless_booking.contrib.assistant import plugin
from kordless_booking.contrib.assistant.grammar import Offer, parse
from kordless_booking.funnel import counters
from kordless_booking.models import FunnelCount
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import response_cache
from tests.support.spaces import plain_spaces
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = pytest.mark.django_db

BUTTON = "Show times"
SECRET = "Jane Doe, migraine zzyzx"


def chips(page: Page) -> list[str]:
    """Texts of the chips."""
    return [plain_spaces(text) for text in page.texts(".kb-limits li")]


def submit_query(any_visitor: Visitor, words: str, url: str = "/book/haircut/") -> Page:
    """Write words into the field of a page and send them."""
    return any_visitor.send(any_visitor.open(url), BUTTON, words=words)


def test_words_lead_to_the_times_that_they_ask_for(any_visitor: Visitor):
    """A redirect to the page of times: what was understood is in its URL, repeated, and can be removed."""
    page = submit_query(any_visitor, "next Tuesday after 3")
    assert page.url == "/book/haircut/?day=2026-12-08&after=15:00&until=2026-12-08"
    assert chips(page) == ["Tuesday, December 8", "after 3:00 PM"]
    assert page.texts(".kb-times .kb-sub") == ["Tuesday, December 8"]
    assert plain_spaces(page.times_of_day[0]) in {"3:00 PM", "3:30 PM", "4:00 PM"}
    assert "words" not in page.url


def test_days_before_are_replaced_and_host_and_zone_are_kept(any_visitor: Visitor):
    """New words are a new query; what a page was chosen for besides stays."""
    page = submit_query(
        any_visitor, "tomorrow", "/book/haircut/?day=2026-12-09&after=16:00&host=host_sarah&tz=Europe/Berlin&lang=en"
    )
    assert page.url == "/book/haircut/?tz=Europe/Berlin&day=2026-12-02&host=host_sarah&lang=en&until=2026-12-02"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tomorrow with Sarah", {"day": "2026-12-02", "until": "2026-12-02", "host": "host_sarah"}),
        ("beard trim tomorrow", {"day": "2026-12-02", "until": "2026-12-02"}),
        ("for two tomorrow", {"day": "2026-12-02", "until": "2026-12-02", "party": "2"}),
        ("this weekend in the morning", {"day": "2026-12-05", "until": "2026-12-06", "before": "12:00"}),
        ("as soon as possible", {"asked": "1"}),
    ],
)
def test_names_people_and_spans_become_choices(any_visitor: Visitor, words: str, expected: dict[str, str]):
    """Each in its own part of the URL, and by its id."""
    page = submit_query(any_visitor, words)
    assert page.response.status_code == 200
    assert {name: page.query.get(name) for name in expected} == expected
    assert ("beard-trim" in page.url) == ("beard" in words)


def test_words_on_the_list_of_services_are_kept_for_the_next_service(any_visitor: Visitor):
    """Without a service, the list says back what was understood, and each card leads to its times."""
    page = submit_query(any_visitor, "next Tuesday after 3", "/book/")
    assert page.url == "/book/?day=2026-12-08&after=15:00&until=2026-12-08"
    assert chips(page) == ["Tuesday, December 8", "after 3:00 PM"]
    assert chips(any_visitor.follow("Haircut")) == chips(page)
    assert "/book/haircut/" in submit_query(any_visitor, "haircut next Tuesday", "/book/").url


def test_words_that_are_partly_understood_show_the_known_part_and_say_so(any_visitor: Visitor):
    """Without repeating what wasn't understood: it may be anything."""
    page = submit_query(any_visitor, "tomorrow zzyzx")
    assert chips(page) == ["Wednesday, December 2"]
    assert "We understood only part of what you wrote." in page.text
    assert "zzyzx" not in page.text + page.url


@pytest.mark.parametrize(
    ("words", "problem"), [(SECRET, "We couldn\u2019t read"), ("   ", "Write when you would like")]
)
def test_words_that_are_not_understood_stay_in_the_field(any_visitor: Visitor, words: str, problem: str):
    """On the page that answers the form, which no cache stores, and which says what can be written."""
    page = submit_query(any_visitor, words)
    assert page.response.status_code == 422
    assert "no-store" in page.response["Cache-Control"]
    assert page.form(BUTTON)[2]["words"] == words
    assert problem in page.alert
    assert "words" not in page.url
    assert chips(any_visitor.send(page, BUTTON, words="tomorrow")) == ["Wednesday, December 2"]


def test_words_are_in_no_url_no_log_no_table_and_no_cache(
    any_visitor: Visitor, caplog: pytest.LogCaptureFixture, site: Settings
):
    """People write names and ailments. Counted is only whether they were understood."""
    with caplog.at_level(logging.DEBUG):
        submit_query(any_visitor, SECRET)
        submit_query(any_visitor, f"tomorrow {SECRET}")
    counters.flush()
    assert not any(part in url for url in any_visitor.urls for part in ("Jane", "migraine", "zzyzx"))
    assert "zzyzx" not in caplog.text
    assert not any(b"zzyzx" in stored.body.plain for stored in response_cache._responses.values())
    counts = {row.stage: row.count for row in FunnelCount.objects.filter(stage__startswith="query")}
    assert counts == {plugin.HIT: 1, plugin.MISS: 1}


def test_two_readings_show_the_nearer_with_a_link_to_the_other(any_visitor: Visitor):
    """ "Or" is one of the ways to mean two."""
    page = submit_query(any_visitor, "Thursday or Friday after 3")
    [other] = [url for name, url in page.links().items() if "Or did you mean" in name]
    assert chips(page)[0] == "Thursday, December 3"
    assert chips(any_visitor.open(other)) == ["Friday, December 4", "after 3:00 PM"]


def test_nothing_free_in_the_date_range_shows_the_three_nearest(any_visitor: Visitor):
    """Not as if another day had been asked for."""
    page = submit_query(any_visitor, "next Tuesday after 9 pm")
    assert page.texts(".kb-notice") == ["Nothing is free then. These are the nearest times."]
    assert len(page.texts(".kb-nearest li")) == 3


def test_form_input_comes_through_the_words(client: Client, assistant: Settings, sandbox: Sandbox):
    """A visitor whose time was taken says another one, and everything typed before is still there."""
    any_visitor = Visitor(client)
    contact = any_visitor.choose()
    sandbox.faults.add("status", "create", status=409, times=1)
    taken = any_visitor.send(contact, "Book appointment", **JANE)
    assert "taken" in taken.text
    again = any_visitor.send(taken, BUTTON, words="next Tuesday after 3 zzyzx")
    assert chips(again) == ["Tuesday, December 8", "after 3:00 PM"]
    assert "We understood only part" in again.text
    form = any_visitor.open(next(iter(again.times.values())))
    assert JANE["name"] in form.response.content.decode()
    missed = any_visitor.send(again, BUTTON, words="zzyzx")
    assert missed.response.status_code == 422
    assert any_visitor.send(missed, BUTTON, words="tomorrow").form(BUTTON)[2]["form_input"]


@pytest.mark.parametrize("query", ["service=made-up", "service=%00", "", "service=haircut&tz=Mars/Olympus&day=x"])
@pytest.mark.parametrize("words", ["tomorrow", "\0", "\ud83d\ude00" * 300, "1" * 5000, "3/12/99999"])
def test_no_words_and_no_query_break_the_page(client: Client, assistant: Settings, query: str, words: str):
    """Whatever comes, a page or a redirect answers."""
    response = client.post(f"/book/say/?{query}", {"words": words.encode("utf-16", "surrogatepass").decode("utf-16")})
    assert response.status_code in {303, 422}
    assert client.get(f"/book/say/?{query}").status_code == 200


@pytest.mark.parametrize(
    "value", ["x", "-----", "99999999-99999999-9999-9999", "20261201---", "---", "20261208-20261208-1500-"]
)
def test_any_mark_of_another_reading_is_a_link_or_nothing(client: Client, assistant: Settings, value: str):
    """A made-up URL shows no error, and no text of its own."""
    response = client.get("/book/haircut/", {"alternative": value, "understood": value})
    assert response.status_code == 200
    assert ("Or did you mean" in response.content.decode()) == value.startswith("2026")


def test_words_are_kept_while_kordless_can_not_be_reached(any_visitor: Visitor, sandbox: Sandbox):
    """The page of the field says so, with the words in it, and the next try works."""
    sandbox.faults.add("status", status=503)
    page = any_visitor.open("/book/say/?service=haircut", {"words": SECRET})
    assert page.response.status_code == 503
    assert page.form(BUTTON)[2]["words"] == SECRET
    assert "can\u2019t reach the booking system" in page.alert
    assert any_visitor.open("/book/say/?service=a/b", {"words": SECRET}).response.status_code == 503
    sandbox.faults.clear()


def test_words_work_inside_a_page_of_the_site_and_in_a_frame(client: Client, assistant: Settings):
    """The field posts to the widget's own stage, and the answer has the language and the frame of the page."""
    inline = Visitor(client, {**HTMX, "HX-Target": "kb-inline-1"})
    page = inline.open("/book/haircut/?lang=en")
    field = page.tree.css_first("form.kb-words")
    assert field is not None
    assert field.attributes["data-hx-target"] == "#kb-inline-1"
    found = inline.send(page, BUTTON, words="tomorrow after 3")
    assert chips(found) == ["Wednesday, December 2", "after 3:00 PM"]
    assert found.query["lang"] == "en"
    framed = submit_query(Visitor(client), "tomorrow after 3", "/book/haircut/?embed=1&theme=salon")
    assert {"embed": "1", "theme": "salon"}.items() <= framed.query.items()


EXAMPLES = [
    "next Tuesday after 3",
    "this weekend in the morning",
    "next week, not Monday, for two",
    "as soon as possible",
]


@pytest.mark.parametrize("language", supported_languages())
def test_the_examples_on_the_page_are_understood(language: str):
    """In every language, as it is translated: an example that isn't understood would be a bad joke."""
    now = datetime(2026, 12, 2, 10, tzinfo=UTC)
    with translation.override(language):
        for example in EXAMPLES:
            words = translation.gettext(example)
            if language != "en" and words == example:
                continue  # not translated, which tests/test_locale.py reports
            found = parse(words, Offer(opening=(time(9), time(18))), language=language, now=now)
            assert found.understood, words
            assert found.unparsed == (), words


def test_another_site_can_not_post_words(client: Client, assistant: Settings):
    """As with the widget's other forms."""
    response = client.post("/book/say/", {"words": "tomorrow"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403


def test_getting_the_page_counts_and_changes_nothing(client: Client, assistant: Settings):
    """A link leads to it, and a reload after words shows it again, empty."""
    response = client.get("/book/say/?service=haircut&words=tomorrow")
    assert response.status_code == 200
    assert "tomorrow" not in response.content.decode()
    counters.flush()
    assert not FunnelCount.objects.filter(stage__startswith="query").exists()


def test_warm_pages_with_the_field_cost_no_query_and_no_request(
    client: Client, assistant: Settings, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
):
    """The field is the same for everybody, so the page is cached with it."""
    for url in ("/book/haircut/", "/book/"):
        first = client.get(url)
        assert f'action="{url.replace(url, "/book/say/")}' in first.content.decode()
        requests = len(sandbox.requests)
        with django_assert_num_queries(0):
            assert client.get(url).content == first.content
        assert len(sandbox.requests) == requests


def test_a_site_without_the_app_has_no_byte_of_it(client: Client, site: Settings):
    """Neither field nor link nor address."""
    for url in ("/book/haircut/", "/book/"):
        assert b"kb-words" not in client.get(url).content
    assert b"words" not in client.get("/book/say/").content


def test_a_language_without_words_shows_no_field(client: Client, assistant: Settings, monkeypatch: pytest.MonkeyPatch):
    """A field that understands nothing is worse than none."""
    monkeypatch.setattr(plugin, "is_supported", lambda language: language != "de")
    assert b"kb-words" in client.get("/book/haircut/?lang=en").content
    assert b"kb-words" not in client.get("/book/haircut/?lang=de").content


def test_the_assistant_registers_in_every_place_that_it_needs():
    """Slots, pages, counts, setting and doctor: nothing besides the hooks."""
    with hooks.temporary_hooks():
        plugin.register()
        assert [name for name, _hook in hooks.template_slots.items()] == [
            *("services_before", "services_after", "times_before", "times_after", "no_times")
        ]
        assert [registry.kind for registry in hooks._ALL if registry] == [
            *("template_slots", "url_patterns", "funnel_stages", "doctor_checks", "setting_rules", "page_queries")
        ]
