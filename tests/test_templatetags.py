"""The widget inside a page of the host's own."""

import re
from html import unescape as html_unescape
from inspect import signature
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.template import Context, Template, TemplateSyntaxError, engines
from django.test import Client, RequestFactory
from django.utils.functional import SimpleLazyObject
from pytest_django import Settings

from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, Sandbox
from kordless_booking.templatetags.kordless_booking import booking_widget
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

INLINE = {"HX-Request": "true", "HX-Target": "kb-inline-widget"}


def rendered(text: str, path: str = "/page/") -> str:
    """A template with the tag, as the page at a path."""
    template = engines["django"].from_string("{% load kordless_booking %}" + text)
    return template.render({}, RequestFactory().get(path))


def test_the_first_step_stands_in_the_page(site: Settings, client: Client):
    """A host's page holds the services in its own answer, as a region and not as a second page."""
    page = Visitor(client).open("/page/")
    assert page.texts("h1") == ["A page of the host's own"]
    assert page.heading == "What would you like to book?"
    assert page.tree.css_first("h2.kb-title") is not None
    assert len(page.tree.css("main")) == len(page.tree.css("title")) == len(page.tree.css("html")) == 1
    [region] = page.tree.css("[role=region].kb")
    assert region.attributes["aria-label"]
    assert page.links(".kb-service a")["Haircut"] == "/book/haircut/?lang=en"


def test_a_service_shows_its_times(site: Settings, client: Client):
    """With a service the first free times stand in the host's page."""
    page = Visitor(client).open("/page/?service=haircut")
    assert page.heading == "Haircut"
    assert page.times_of_day[0] == "10:30 AM"
    assert page.texts("h2, h3")[:2] == ["Haircut", "Dec 2026 \u2013 Jan 2027"]


TIMES_QUERY = "kb-day=2026-12-07&kb-until=2026-12-11&kb-not=13&kb-after=11:00&kb-party=2"


def limits_of(page: Page) -> list[str]:
    """Return what the times of a page are limited to."""
    return [" ".join(text.split()) for text in page.texts(".kb-limits a bdi")]


def test_a_link_to_the_sites_page_asks_for_days_and_times(site: Settings, client: Client):
    """As a link to the widget does, with and without htmx: each part can be removed; the list passes all of it on."""
    limits = limits_of(Visitor(client).open(f"/book/haircut/?{TIMES_QUERY.replace('kb-', '')}"))
    assert len(limits) == 4
    page = Visitor(client).open(f"/page/?service=haircut&until=2026-12-30&not=7&{TIMES_QUERY}")
    assert limits_of(page) == limits
    for headers in ({}, INLINE):
        any_visitor = Visitor(client, headers)
        for number, url in enumerate(page.links(".kb-limits a").values()):
            assert limits_of(any_visitor.open(url)) == [*limits[:number], *limits[number + 1 :]]
        times = any_visitor.open(Visitor(client).open(f"/page/?{TIMES_QUERY}").links(".kb-service a")["Haircut"])
        assert limits_of(times) == limits


def test_a_link_asks_each_of_two_widgets_for_times_of_its_own(site: Settings):
    """The second reads its own names alone."""
    both = '{% booking_widget "haircut" %}{% booking_widget "haircut" name="two" %}'
    html = rendered(both, "/page/?kb-two-not=67&kb-two-day=2026-12-05&kb-asked=1&kb-party=2")
    first, second = html.split('id="kb-inline-two"')
    assert "not on" not in first
    assert "2 people" in first[first.index("kb-limits") :]
    assert "not on Saturday, Sunday" in second[second.index("kb-limits") :]
    assert "2 people" not in second[second.index("kb-limits") : second.index("</ul>")]


def test_swaps_stay_inside(site: Settings, client: Client):
    """A swap inside the host's page is for its stage, leaves address and title alone, and goes on to the end."""
    any_visitor = Visitor(client, INLINE)
    page = Visitor(client).open("/page/?service=haircut")
    for link in page.tree.css(".kb [data-hx-get]"):
        assert link.attributes.get("data-hx-push-url", "false") == "false"
    form = any_visitor.open(next(iter(page.times.values())))
    assert form.heading == "Your details"
    assert not form.tree.css("title, main, h1, html > head > link")
    assert any_visitor.send(form, "Book appointment", **JANE).heading == "You’re booked"
    for each in any_visitor.responses:
        assert 'data-hx-push-url="true"' not in each.html
        assert "kb-stage" not in {node.attributes["id"] for node in each.tree.css("[id]")}


def address_of(page: Page) -> str | None:
    """Return the address that the browser's history gets of an inline step."""
    return page.tree.css("[data-kb-step]")[0].attributes.get("data-kb-address")


def test_inline_steps_say_the_address_that_shows_them_again(site: Settings, client: Client):
    """Each step up to the form has one; what comes after it, or opens a booking, has none."""
    first = Visitor(client).open("/page/")
    any_visitor = Visitor(client, INLINE)
    times = any_visitor.open(first.links(".kb-service a")["Haircut"])
    form = any_visitor.open(next(iter(times.times.values())))
    zones = any_visitor.open(times.link("Change time zone"))
    lookup = any_visitor.open(times.link("Change or cancel a booking"))
    for page in (first, times, zones, form, lookup):
        address = address_of(page)
        assert address
        assert "gAAAA" not in address
        assert any_visitor.open(address).heading == page.heading
        assert address_of(any_visitor.open(address)) == address
    typed = any_visitor.open(form.link("Choose another time"))
    assert address_of(typed)
    booked = any_visitor.send(form, "Book appointment", **JANE)
    assert (booked.heading, address_of(booked)) == ("You’re booked", None)
    managed = any_visitor.open(booked.link("Change or cancel"))
    assert address_of(managed) is None
    assert address_of(any_visitor.send(managed, "Reschedule")) is None
    assert address_of(Visitor(client, {"HX-Request": "true"}).open("/book/haircut/")) is None


def test_the_history_is_left_alone_on_request(site: Settings):
    """`history=False` is for hosts with a router of their own."""
    assert " data-kb-history>" in rendered("{% booking_widget %}")
    assert "data-kb-history" not in rendered("{% booking_widget history=False %}")


def test_two_widgets_on_a_page_are_distinct(site: Settings):
    """Each has a stage of its own, so no id stands there twice."""
    both = '{% booking_widget service="haircut" name="one" %}{% booking_widget service="beard-trim" name="two" %}'
    page = Page("/page/", Client().get("/book/"))
    page.tree = type(page.tree)(rendered(both))
    ids = [node.attributes["id"] for node in page.tree.css("[id]")]
    assert {"kb-inline-one", "kb-inline-two"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_widgets_without_a_name_get_ids_of_their_own(site: Settings, client: Client):
    """The second of two on a page acts in its own place, also those of a loop and at the same step."""
    loop = "{% for slug in slugs %}{% booking_widget slug name=name %}{% endfor %}"
    template = engines["django"].from_string("{% load kordless_booking %}" + loop)
    for name, second in (("", "kb-inline-widget--2"), ("times", "kb-inline-times--2")):
        context = {"slugs": ["haircut", "beard-trim"], "name": name}
        page = Page("/page/", Client().get("/book/"))
        page.tree = type(page.tree)(template.render(context, RequestFactory().get("/page/")))
        ids = [node.attributes["id"] for node in page.tree.css("[id]")]
        assert len(ids) == len(set(ids))
        widget = page.tree.css(".kb")[1]
        targets = {node.attributes["data-hx-target"] for node in widget.css("[data-hx-target]")}
        assert targets == {f"#{second}"}
        url = widget.css_first(".kb-time").attributes["href"]
        form = Visitor(client, {**INLINE, "HX-Target": second}).open(url)
        assert {node.attributes["id"].startswith(second) for node in form.tree.css("[id]")} == {True}
        assert form.tree.css_first("label").attributes["for"].startswith(second)


def test_several_accounts_keep_their_colors(two_accounts: Settings, client: Client):
    """The second account's widget has the class of its color, and the page the rules of that class."""
    both = (
        '{% booking_widget account="south" %}{% booking_widget account="north" %}{% booking_widget account="north" %}'
    )
    html = rendered(both)
    links = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    assert len(links) == 2
    [name] = {*re.findall(r'class="kb (kb-look-[0-9a-f]{6})"', html)}
    assert html.count(f'class="kb {name}"') == 2
    assert html.count('class="kb" role') == 1
    color = name.removeprefix("kb-look-")
    assert color not in links[0]
    css = client.get(links[1]).content.decode()
    assert css.startswith(f".kb.{name}{{--kb-accent:#{color};")
    assert "--kb-dark-accent" in css


def test_a_width_holds_without_inline_style(site: Settings, client: Client):
    """The width comes in a style sheet of its own, which a strict policy allows, and only widths are in one."""
    html = rendered('{% booking_widget width="480px" %}')
    assert "style=" not in html
    [url] = re.findall(r'href="([^"]+width=480px[^"]*)"', html)
    assert "max-inline-size:480px;" in client.get(html_unescape(url)).content.decode()
    assert client.get(html_unescape(url).replace("480px", "480px}body{")).status_code == 404
    assert "kb-look" not in rendered("{% booking_widget %}")


@pytest.mark.parametrize("attribute", ["csp_nonce", "_csp_nonce"], ids=["django-csp", "Django 6"])
def test_the_nonce_of_the_site_is_passed_on(site: Settings, attribute: str):
    """Each script and style sheet has it, also the script that is preloaded, and the next page has its own."""
    template = engines["django"].from_string("{% load kordless_booking %}{% booking_widget width='480px' %}")
    for nonce in ("first'<>", "second"):
        request = RequestFactory().get("/page/")
        setattr(request, attribute, SimpleLazyObject(lambda nonce=nonce: nonce))
        page = Page("/page/", Client().get("/book/"))
        page.tree = type(page.tree)(template.render({}, request))
        loading = page.tree.css("script, link")
        assert len(loading) == 5
        assert {node.attributes.get("nonce") for node in loading} == {nonce}
    assert "nonce" not in rendered("{% booking_widget %}")


def test_the_nonce_of_a_context_processor_is_passed_on(site: Settings):
    """A site's own middleware may give it to templates alone."""
    template = engines["django"].from_string("{% load kordless_booking %}{% booking_widget %}")
    assert template.render({"csp_nonce": "own"}, RequestFactory().get("/page/")).count('nonce="own"') == 4


def test_a_lazy_widget_never_waits_for_kordless(site: Settings, client: Client, sandbox: Sandbox):
    """With nothing cached and Kordless silent, the page has a link that works without scripts, and asks for nothing."""
    sandbox.faults.add("hang", seconds=30)
    html = rendered('{% booking_widget service="haircut" lazy=True %}', "/page/?kb-month=2027-01")
    assert sandbox.requests == []
    page = Page("/page/", HttpResponse(html))
    assert page.heading == "Book online"
    [link] = page.tree.css("[data-kb-lazy]")
    assert link.attributes["href"] == link.attributes["data-hx-get"] == "/book/haircut/?month=2027-01&lang=en"
    assert link.attributes["data-hx-target"] == "#kb-inline-widget"
    assert page.tree.css_first("[data-kb-detect-zone]") is not None
    assert "data-kb-colorless" in html
    sandbox.faults.clear()
    shown = Visitor(client, INLINE).open(link.attributes["href"])
    assert shown.heading == "Haircut"
    name, url = shown.response["KB-Look"].split(" ")
    assert client.get(url).content.decode().startswith(f".kb.{name}{{--kb-accent:#")


def test_a_lazy_widget_of_the_sites_own_template_has_real_values(site: Settings, tmp_path: Path):
    """It is rendered for each request, with the request."""
    own = tmp_path / "kordless_booking" / "steps" / "lazy.html"
    own.parent.mkdir(parents=True)
    own.write_text("{% extends kb.layout %}{% block step %}[{{ url }} {{ request.path }}]{% endblock %}")
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path]}]
    for path in ("/one/", "/two/"):
        assert f"[/book/haircut/?lang=en {path}]" in rendered('{% booking_widget "haircut" lazy=True %}', path)


def test_a_lazy_widget_has_the_color_that_is_cached(site: Settings, client: Client):
    """Once any page has asked for the business, nothing has to be taken from the next response."""
    Visitor(client).open("/book/")
    html = rendered("{% booking_widget lazy=True %}")
    assert "data-kb-colorless" not in html
    assert 'href="/book/?lang=en"' in html
    assert "Acme Salon" in html
    assert "data-kb-lazy" not in rendered("{% booking_widget lazy=False %}")


def test_no_page_of_the_widgets_own_names_a_look(site: Settings, client: Client):
    """Only a step inside a page of the site may need another color than the page's style sheet has."""
    assert "KB-Look" not in Visitor(client).open("/book/haircut/").response
    assert "KB-Look" not in Visitor(client, {**INLINE, "HX-Target": "kb-stage"}).open("/book/haircut/").response


def test_every_htmx_is_told_to_leave_the_widget_alone(site: Settings):
    """The script starts it: in htmx 1.9 and 2 `disable` says so, in htmx 4 `ignore`; none is loaded by the markup."""
    html = rendered("{% booking_widget %}")
    [root] = re.findall(r'<div class="kb"[^>]*>', html)
    assert " data-hx-disable " in root
    assert " data-hx-ignore " in root
    scripts = re.findall(r'<script src="([^"]+)"[^>]*?(?: data-kb-htmx="([^"]+)")?></script>', html)
    assert scripts == [("/static/kordless_booking/booking-in-page.js", "/static/django_htmx/htmx-2.min.js")]
    assert '<link rel="preload" as="script" href="/static/django_htmx/htmx-2.min.js">' in html


def test_a_single_service_starts_at_its_times(site: Settings):
    """Also inside a page a business with one service shows its times at once."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "API_KEY": NORTH_KEY, "ORG_SLUG": NORTH_ORG}
    assert "Check-up" in rendered("{% booking_widget %}")


def test_one_of_several_accounts(two_accounts: Settings):
    """`account` says whose widget it is; its links lead into that account's mount."""
    html = rendered('{% booking_widget account="south" %}')
    assert "Acme Salon" in html
    assert "/south/haircut/" in html
    assert "North Dental" in rendered('{% booking_widget account="north" %}')


def test_several_accounts_need_a_name(two_accounts: Settings):
    """Without `account` a site with several businesses is told what to write."""
    with pytest.raises(ImproperlyConfigured, match="north, south"):
        rendered("{% booking_widget %}")


@pytest.mark.parametrize(("kind", "options"), [("status", {"status": 500}), ("key_revoked", {}), ("html", {})])
def test_the_page_around_it_survives(
    site: Settings, client: Client, sandbox: Sandbox, kind: str, options: dict[str, int]
):
    """Whatever goes wrong with Kordless, the host's page is shown, with the reason where the widget would be."""
    sandbox.faults.add(kind, **options)
    page = Visitor(client).open("/page/")
    assert page.status == 200
    assert page.texts("h1") == ["A page of the host's own"]
    assert page.heading in {"Temporarily unavailable", "Online booking is paused"}
    assert Visitor(client).open("/page/?service=haircut").status == 200


def test_an_unknown_service_is_an_error_in_place(site: Settings, client: Client):
    """A template that names a service that is gone shows a page all the same."""
    page = Visitor(client).open("/page/?service=no-such-thing")
    assert (page.status, page.heading) == (200, "This service isn’t available")
    assert Visitor(client).open("/page/?service=../../x").status == 200


def test_it_sets_no_cookie_and_needs_no_session(site: Settings, client: Client):
    """The host's page stays without a cookie."""
    response = client.get("/page/")
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_it_needs_the_request(site: Settings):
    """A page that doesn't give its request to templates is told so."""
    with pytest.raises(ImproperlyConfigured, match="request"):
        Template("{% load kordless_booking %}{% booking_widget %}").render(Context({}))


def test_the_widget_reads_its_own_prefixed_query_alone(site: Settings, client: Client):
    """What the host's page means by `month`, `q` or `taken` is its own; with the prefix it is the widget's."""
    plain = Visitor(client).open("/page/?service=haircut")
    own = "&month=2027-01&day=2027-01-08&tz=Asia/Kathmandu&party=2&taken=1&after=20270101T090000Z&embed=1&lang=de&q=x"
    assert Visitor(client).open(f"/page/?service=haircut{own}").tree.css_first(".kb").html == (
        plain.tree.css_first(".kb").html
    )
    page = Visitor(client).open("/page/?service=haircut&kb-month=2027-01&kb-tz=Asia/Kathmandu&kb-hours=24&kb-day=x")
    assert "Your time zone: Kathmandu" in page.text
    own_page = Visitor(client).open("/book/haircut/?month=2027-01&tz=Asia/Kathmandu&hours=24")
    assert page.texts(".kb-day") == own_page.texts(".kb-day") != plain.texts(".kb-day")


def test_each_widget_reads_the_query_of_its_name(site: Settings):
    """Of two widgets with names, each has a prefix of its own."""
    both = '{% booking_widget service="haircut" name="one" %}{% booking_widget service="haircut" name="two" %}'
    html = rendered(both, "/page/?kb-two-tz=Asia/Kathmandu&kb-tz=Asia/Tokyo")
    one, two = html.split('id="kb-inline-two"')
    assert "Asia/Kathmandu" in two
    assert "Asia/Kathmandu" not in one
    assert "Asia/Tokyo" not in html


def test_the_next_free_times_read_the_prefixed_query_alone(site: Settings):
    """The links to the next times have the zone of the widget's query, not that of the page's."""
    rendered('{% booking_widget "haircut" %}')  # what the links are made of is cached
    assert "tz=" not in rendered('{% next_free "haircut" %}', "/page/?tz=Asia/Kathmandu")
    assert "tz=Asia/Kathmandu" in rendered('{% next_free "haircut" %}', "/page/?kb-tz=Asia/Kathmandu")


def test_the_widget_has_the_language_of_the_page(site: Settings, client: Client):
    """Neither the browser nor the site's default decides, but the language in which the page is rendered."""
    page = Visitor(client, {"Accept-Language": "fr"}).open("/page/?service=haircut")
    assert page.tree.css_first(".kb").attributes["lang"] == "en"
    german = rendered('{% load i18n %}{% language "de" %}{% booking_widget "haircut" %}{% endlanguage %}')
    assert 'lang="de"' in german
    assert 'lang="fr"' in rendered(
        '{% load i18n %}{% language "de" %}{% booking_widget "haircut" lang="fr-CA" %}{% endlanguage %}'
    )


def test_the_tag_takes_what_the_link_of_another_site_takes(site: Settings):
    """Host, party, zone, language, scheme, color and theme stand in the links of the widget, as a frame has them."""
    html = rendered(
        '{% booking_widget "haircut" host="host_sarah" party=1 tz="Asia/Kathmandu" lang="de" scheme="dark" '
        'accent="#1F6F5C" theme="salon" width="480px" %}'
    )
    assert 'data-scheme="dark"' in html
    assert "/book/style-1f6f5c-salon.css" in html
    [times, *_] = [link for link in html.split('"') if link.startswith("/book/haircut/contact/?")]
    for choice in ("host=host_sarah", "tz=Asia/Kathmandu", "lang=de", "scheme=dark", "accent=1f6f5c", "theme=salon"):
        assert choice in times
    assert "party=3" in rendered('{% booking_widget "styling-class" party="3" %}')
    assert "data-scheme" not in rendered('{% booking_widget scheme="light dark" %}')


def test_arguments_without_a_value_are_left_out(site: Settings):
    """A variable that a page doesn't have is no mistake."""
    empty = "{% booking_widget service=a host=a team=a party=a tz=a lang=a scheme=a accent=a theme=a width=a name=a %}"
    site.DEBUG = True
    assert rendered(empty) == rendered("{% booking_widget %}")


MISTAKES = {
    "service": "7",
    "host": "True",
    "team": "1.5",
    "party": '"many"',
    "tz": '"Europe/Atlantis"',
    "lang": '"xx"',
    "scheme": '"blue"',
    "accent": '"red"',
    "theme": '"gothic"',
    "width": '"480px;color:red"',
    "name": '"Big Name"',
    "lazy": '"yes"',
    "metadata": '"17"',
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_an_argument_names_it(site: Settings, caplog: pytest.LogCaptureFixture, name: str):
    """While DEBUG is on the page says which argument and what it may be; else the log does, and it is left out."""
    tag = f"{{% booking_widget {name}={MISTAKES[name]} %}}"
    assert "What would you like to book?" in rendered(tag)
    [line] = [record for record in caplog.records if "event=tag_argument_invalid" in record.getMessage()]
    assert line.levelname == "ERROR"
    assert f"argument={name} " in line.getMessage()
    assert f"{name} must be" in line.getMessage()
    site.DEBUG = True
    with pytest.raises(TemplateSyntaxError, match=rf"booking_widget %}}: {name} must be .* It is "):
        rendered(tag)


def test_the_documentation_knows_every_argument():
    """docs/embed.md has each argument of the tag, and no other one."""
    text = (Path(__file__).parents[1] / "docs" / "embed.md").read_text()
    section = text.partition("## Inside a page of your own site")[2].partition("\n## ")[0]
    introduction, _tag, table = section.partition("<!-- A test compares")
    documented = {*re.findall(r"`([a-z]+)`", introduction.rpartition("```")[2])} | {
        *re.findall(r"\n\| `([a-z]+)`", table)
    }
    assert documented == {*signature(booking_widget).parameters} - {"context"}


def test_an_argument_that_does_not_exist_is_named(site: Settings):
    """Django names an argument that the tag doesn't know."""
    with pytest.raises(TemplateSyntaxError, match="services"):
        rendered('{% booking_widget services="haircut" %}')


def test_hostile_texts_stay_texts(site: Settings, client: Client, sandbox: Sandbox):
    """Text that the tag marks as safe has been escaped by the widget's own templates."""
    sandbox.faults.add("hostile")
    for url in ("/page/", "/page/?service=haircut", "/page/?service=<script>alert(1)</script>"):
        html = client.get(url).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_two_widgets_share_their_assets(site: Settings):
    """The second widget on a page brings neither style sheet nor scripts again."""
    page = rendered('{% booking_widget name="one" %}{% booking_widget service="haircut" name="two" %}')
    assert page.count('rel="stylesheet" href=') == 1
    assert page.count('rel="stylesheet" data-kb-later ') == 1
    assert page.count("booking-in-page.js") == 1
    assert page.index("kb-inline-one") < page.index("kb-inline-two")
