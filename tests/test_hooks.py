"""Extension API: what an extension adds shows where it should, and no mistake in it breaks a page or a booking."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking import conf, hooks
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.hashes import number_hash
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import TargetFailed, erase_old, erase_person, export_person
from kordless_booking.funnel import counters
from kordless_booking.models import BookingAttempt, BookingProjection, FunnelCount
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker, fetch_pool
from kordless_booking.urlconf import current_mount
from kordless_booking.urls import build_urlpatterns
from kordless_booking.views import extensions
from kordless_booking.views.links import RESERVED, WidgetLinks
from tests.projects.extended.callback.plugin import Memory, register
from tests.support.deliveries import NEW, delivery, event_body
from tests.support.extension import mount_hooks, plugged_in
from tests.support.signal_receiver import record_signals
from tests.support.site_cache import finish_fetches
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = pytest.mark.django_db

EMPTY = "/book/head-spa/?month=2026-12"
SHARED = {"/book/": ["services_before", "services_after"], "/book/haircut/": ["times_before", "times_after"]}


@pytest.fixture(autouse=True)
def _without_hooks() -> Iterator[None]:
    """Begin and end without any hook."""
    with hooks.temporary_hooks():
        yield


@pytest.fixture
def memory(site: Settings) -> Iterator[Memory]:
    """The plain site with the extension of tests/projects/extended/."""
    with plugged_in(site) as found:
        yield found


def fail(*_arguments: Any) -> str:
    """Fail with a message that could be personal."""
    raise LookupError("jane@example.com")


def failures(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return kind and name of each hook that the log says to have failed."""
    records = [getattr(record, "kordless", {}) for record in caplog.records]
    assert "jane@example.com" not in caplog.text
    return [(each["hook"], each["name"]) for each in records if each.get("event") == "hook_failed"]


# Registration


def test_registering_the_same_hook_twice_changes_nothing():
    """A second `ready()` adds nothing, and hooks are called in the order of registration."""
    register()
    before = [hooks.template_slots.items(), hooks.erasure_targets.items(), hooks.url_patterns.items()]
    register()
    assert [hooks.template_slots.items(), hooks.erasure_targets.items(), hooks.url_patterns.items()] == before
    hooks.template_slots.register("times_after", fail)
    assert hooks.template_slots.named("times_after")[-1] is fail


@pytest.mark.parametrize(
    ("registry", "name", "hook", "error", "words"),
    [
        (hooks.template_slots, "time_after", fail, ValueError, "no 'time_after'. Known names: services_before"),
        (hooks.template_slots, "times_after", "text", TypeError, "'times_after' needs a function"),
        (hooks.url_patterns, "Way/", "module", ValueError, "the name 'Way/' must match"),
        (hooks.signal_arguments, "booking", fail, ValueError, "have an argument 'booking' of their own"),
        (hooks.funnel_stages, "much_too_long", "Label", ValueError, "must match"),
        (hooks.erasure_targets, "preferences", object(), TypeError, "needs an object with name, models, erase_person"),
        (
            hooks.admin_pages,
            "preferences",
            "admin:index",
            TypeError,
            "needs an object with label, url_name, permission",
        ),
        (hooks.scripts, "preferences", fail, TypeError, "'preferences' needs"),
        (hooks.setting_rules, "wish_days", fail, ValueError, "the name 'wish_days' must match"),
        (hooks.setting_rules, "WISH_DAYS", fail, TypeError, "needs an object with is_valid, hint, default, convert"),
    ],
)
def test_a_mistake_at_registration_is_an_error_that_says_what_is_right(
    registry: hooks.Hooks[Any], name: str, hook: Any, error: type[Exception], words: str
):
    """The site doesn't start, rather than a hook that is never called."""
    with pytest.raises(error, match=re.escape(words)):
        registry.register(name, hook)
    assert not registry


def test_two_extensions_can_not_have_one_name():
    """Nobody's job or target is replaced in silence; the paths of the mount itself may have several."""
    hooks.periodic_jobs.register("sweep", fail)
    with pytest.raises(ValueError, match="'sweep' is taken"):
        hooks.periodic_jobs.register("sweep", print)
    hooks.url_patterns.register("", [])
    hooks.url_patterns.register("", [*build_urlpatterns()[:1]])
    assert len(hooks.url_patterns.items()) == 2


@given(name=st.text(max_size=50))
def test_any_name_is_accepted_or_an_error(name: str):
    """Whatever is registered under is a name that URLs, columns and keyword arguments can hold."""
    with hooks.temporary_hooks():
        try:
            hooks.signal_arguments.register(name, fail)
        except ValueError:
            return
        assert name.isidentifier()
        assert name.isascii()


def test_the_public_names_of_hooks_are_pinned():
    """Extensions import these; a rename is a breaking change."""
    registries = {name for name in hooks.__all__ if isinstance(getattr(hooks, name), hooks.Hooks)}
    assert registries == {each.kind for each in hooks._ALL}
    assert set(hooks.__all__) - registries == {
        "PRIVATE_SLOTS",
        "SHARED_SLOTS",
        "AdminPage",
        "Change",
        "ErasureTarget",
        "ExportTarget",
        "ExtensionSetting",
        "Hooks",
        "RefreshedTimes",
        "SlotContext",
        "temporary_hooks",
    }


def test_a_setting_of_an_extension_is_checked_and_read_as_the_widgets_own(settings: Settings):
    """Its key is known, a wrong value is an error with a hint, and an account's value goes before a shared one."""
    rule = hooks.ExtensionSetting(
        is_valid=conf.integer_between(1, 48), hint="A whole number from 1 to 48.", default=4, convert=str
    )
    assert [error.kind for error in conf.find_errors({"SANDBOX": True, "CALLBACK_HOURS": 5})] == ["unknown"]
    hooks.setting_rules.register("CALLBACK_HOURS", rule)
    assert conf.find_errors({"SANDBOX": True, "CALLBACK_HOURS": 5}) == []
    [error] = conf.find_errors({"SANDBOX": True, "CALLBACK_HOURS": 49})
    assert (error.kind, error.hint) == ("wrong", rule.hint)
    settings.KORDLESS_BOOKING = {
        "SANDBOX": True,
        "CALLBACK_HOURS": 5,
        "ACCOUNTS": {"north": {"CALLBACK_HOURS": 6}, "south": {}},
    }
    assert [account.extension_setting("CALLBACK_HOURS") for account in conf.accounts().values()] == ["6", "5"]
    settings.KORDLESS_BOOKING = {"SANDBOX": True, "CALLBACK_HOURS": ""}
    assert conf.get_account(None).extension_setting("CALLBACK_HOURS") == 4
    with pytest.raises(KeyError):
        conf.get_account(None).extension_setting("CALLBACK_DAYS")


def test_the_docs_list_each_registry_and_each_slot():
    """The tables of docs/extending.md have all of them, in their order, and the kind of each slot."""
    page = (Path(__file__).parents[1] / "docs" / "extending.md").read_text()
    [registries] = re.findall(r"^\| Registry \|.*\n\| ---.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert re.findall(r"^\| `([a-z_]+)` \|", registries, re.MULTILINE) == [each.kind for each in hooks._ALL]
    [slots] = re.findall(r"^\| Slot \|.*\n\| ---.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in slots.splitlines()]
    kinds = {name: cells[-1].strip("| ") for cells in rows for name in re.findall(r"`([a-z_]+)`", cells[0])}
    expected = dict.fromkeys(hooks.SHARED_SLOTS, "shared") | dict.fromkeys(hooks.PRIVATE_SLOTS, "private")
    assert list(kinds.items()) == list(expected.items())


# Pages


def test_without_hooks_no_page_has_another_byte(site: Settings, client: Client):
    """A page before any registration, and after all are gone, is the same; with the extension it isn't."""
    paths = [*SHARED, EMPTY, "/page/"]

    def bodies() -> list[bytes]:
        return [re.sub(rb"kb-inline-[a-z0-9-]+", b"", client.get(path).content) for path in paths]

    # Other pages first: the list of services has the place of a service once its page was shown.
    for path in reversed(paths):
        client.get(path)
    fetch_pool.join()
    before = bodies()
    with plugged_in(site):
        plugged = bodies()
    site.ROOT_URLCONF = "tests.projects.plain.urls"
    assert bodies() == before
    assert all(one != other for one, other in zip(before, plugged, strict=True))
    assert not any(b"extensions" in body or b"callback" in body for body in before)


@pytest.mark.parametrize("path", [*SHARED, EMPTY])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_shared_slots_are_filled_on_lists_and_times(memory: Memory, client: Client, path: str, headers: dict[str, str]):
    """In their places, with the service in the link, on whole pages and fragments."""
    page = Page(path, client.get(path, headers=headers))
    names = [node.attributes["data-slot"] for node in page.tree.css("[data-slot]")]
    assert names == SHARED.get(path, ["times_before", "no_times"])
    assert page.links()["Call me"].partition("?")[0] == "/book/callback/"
    assert ("service=haircut" in page.links()["Call me"]) == ("haircut" in path)


def test_a_warm_page_with_an_extension_costs_no_query_and_no_call(
    memory: Memory, client: Client, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
):
    """What a shared slot returns is cached with the page: it isn't even called again."""
    calls = []
    hooks.template_slots.register("times_after", lambda slot: calls.append(slot) or "")
    client.get("/book/haircut/")
    fetch_pool.join()
    client.get("/book/haircut/")
    requests, called = len(sandbox.requests), len(calls)
    with django_assert_num_queries(0):
        assert client.get("/book/haircut/").status_code == 200
    assert (len(sandbox.requests), len(calls)) == (requests, called)


def test_a_shared_slot_gets_nothing_personal(memory: Memory, client: Client):
    """Neither the request nor a booking, whoever asks."""
    seen: list[hooks.SlotContext] = []
    for name in hooks.SHARED_SLOTS:
        hooks.template_slots.register(name, lambda slot: seen.append(slot) or "")
    for path in (*SHARED, EMPTY):
        client.get(path)
    assert {slot.slot for slot in seen} == set(hooks.SHARED_SLOTS)
    assert all(slot.request is None and slot.booking is None for slot in seen)


def test_private_slots_are_filled_with_escaped_text(memory: Memory, client: Client):
    """Form, confirmation and manage page; they know the booking, and text that isn't marked as safe is escaped."""
    any_visitor = Visitor(client)
    form = any_visitor.choose("haircut")
    assert form.html.index("Callback &amp; form") < form.html.index("Book appointment")
    confirmed = any_visitor.send(form, "Book appointment", **JANE)
    assert f"Callback &amp; {confirmed.number}" in confirmed.html
    assert f"Callback &amp; {confirmed.number}" in any_visitor.open(confirmed.link("Change or cancel")).html


def test_a_slot_that_raises_leaves_the_page_as_it_was(
    site: Settings, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """The page has all the rest, also of the next hook in the same slot, and the log says which failed."""
    for name in (*hooks.SHARED_SLOTS, *hooks.PRIVATE_SLOTS):
        hooks.template_slots.register(name, fail)
    hooks.template_slots.register("times_after", lambda slot: mark_safe("<p>other</p>"))
    hooks.scripts.register("nowhere", "nowhere/nothing.js")
    monkeypatch.setattr(extensions, "static", fail)  # as a manifest does that lacks the file
    mount_hooks(site)
    with caplog.at_level(logging.ERROR):
        assert client.get("/book/").status_code == 200
        assert "<p>other</p>" in client.get("/book/haircut/").content.decode()
        assert Visitor(client).book().number
    slots = {("template_slots", name) for name in (*hooks.SHARED_SLOTS, *hooks.PRIVATE_SLOTS)}
    unseen = {("template_slots", "no_times"), ("template_slots", "manage_after_summary")}
    assert set(failures(caplog)) - {("scripts", "nowhere")} >= slots - unseen
    assert ("scripts", "nowhere") in failures(caplog)


def test_a_script_is_loaded_once_and_allowed(memory: Memory, client: Client):
    """On whole pages, also inside a page of the site; the policy of the page allows it and the extension's styles."""
    page = Page("/book/", client.get("/book/"))
    assert page.html.count("callback/callback.js") == 1
    assert "script-src 'self'" in page.response["Content-Security-Policy"]
    assert "callback.js" not in client.get("/book/", headers=HTMX).content.decode()
    assert client.get("/page/").content.decode().count("callback/callback.js") == 1


# URLs


def test_pages_of_an_extension_are_below_the_mount(memory: Memory, client: Client):
    """With the widget's own look, in a frame or as a fragment; files at the mount itself; a slash may be missing."""
    any_visitor = Visitor(client)
    page = any_visitor.open(any_visitor.open("/book/haircut/").links()["Call me"])
    assert page.status == 200
    assert "Acme Salon" in page.text
    sent = any_visitor.open(page.url, {"contact": "jane@example.com"})
    assert "We will call you." in sent.text
    assert [row["contact"] for row in memory.requests] == ["jane@example.com"]
    assert client.get("/book/callback").headers["Location"] == "/book/callback/"
    assert client.get("/book/callback.txt").content == b"about all"
    assert client.get("/book/haircut.md").content == b"about haircut"
    assert client.get("/book/haircut/").status_code == 200
    assert client.get("/book/nowhere/at/all").status_code == 404


def test_a_service_with_the_name_of_an_extension_keeps_its_pages(memory: Memory):
    """Under service/, as those with the name of one of our own pages."""
    links = WidgetLinks(current_mount("kordless_booking"), Choices())
    assert links.service_url("slots", "callback") == "/book/service/callback/"
    assert links.service_url("slots", "haircut") == "/book/haircut/"


@pytest.mark.parametrize("prefix", sorted(RESERVED - {"embed.js", "embed-dialog.js"}))
def test_no_extension_takes_the_place_of_our_pages(prefix: str):
    """The site doesn't start with a prefix under which the widget has pages."""
    hooks.url_patterns.register(prefix, [])
    with pytest.raises(ImproperlyConfigured, match=prefix):
        build_urlpatterns()


# Changes


def test_each_change_reaches_handlers_and_signals_once(memory: Memory, client: Client, site: Settings):
    """Made here and reported by the webhook, it is handled once, with the argument that the extension adds."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "WEBHOOK_SECRETS": [NEW]}
    with record_signals() as recorder:
        Visitor(client).book()
        assert delivery(event_body(confirmation_number="BOOK_PHONE01")).post(client).status_code == 200
    assert [change.kind for change in memory.changes] == ["created", "created"]
    assert [str(change.source) for change in memory.changes] == ["widget", "webhook"]
    assert memory.changes[0].booking.contact.email == "jane@example.com"
    assert memory.changes[0].preferences.language == "en"
    assert [each["callback_requests"] for each in recorder.arguments] == [0, 0]


def test_a_handler_that_fails_is_undone_and_the_booking_stands(
    site: Settings, client: Client, caplog: pytest.LogCaptureFixture
):
    """Also when it has broken its transaction; the argument of a signal is None then."""

    def write_and_fail(change: hooks.Change) -> None:
        BookingProjection.objects.create(account="extension", number_hash="x" * 64, changed_at=change.now)
        BookingProjection.objects.create(account="extension", number_hash="x" * 64, changed_at=change.now)

    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "WEBHOOK_SECRETS": [NEW]}
    hooks.change_handlers.register("broken", write_and_fail)
    hooks.signal_arguments.register("visits", fail)
    with record_signals() as recorder, caplog.at_level(logging.ERROR):
        confirmed = Visitor(client).book()
        assert delivery(event_body(confirmation_number="BOOK_PHONE01")).post(client).status_code == 200
    assert confirmed.number
    assert BookingProjection.objects.filter(number_hash=number_hash(confirmed.number)).exists()
    assert not BookingProjection.objects.filter(account="extension").exists()
    assert [each["visits"] for each in recorder.arguments] == [None, None]
    assert set(failures(caplog)) == {("change_handlers", "broken"), ("signal_arguments", "visits")}


# Times, jobs, counts


def test_refreshed_times_are_passed_on_once_for_each_fetch(memory: Memory, client: Client, sandbox: Sandbox):
    """After the page that needed them, in the background, with all slots of the range; a cached page passes on none."""
    client.get("/book/haircut/")
    finish_fetches()
    [refreshed] = memory.refreshed
    assert (refreshed.account, refreshed.service) == ("default", "haircut")
    assert refreshed.slots
    assert all(slot.start < refreshed.until for slot in refreshed.slots)
    client.get("/book/haircut/?tz=Asia/Tokyo")
    background_worker.join()
    assert len(memory.refreshed) == 1


@pytest.mark.parametrize("mail", [True, False])
def test_a_periodic_job_runs_with_kordless_mail(memory: Memory, site: Settings, mail: bool):
    """Whether or not the site sends mail to its customers."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MAIL": mail, "SITE_URL": "https://salon.example"}
    call_command("kordless_mail", stdout=io.StringIO())
    assert len(memory.runs) == 1


@pytest.mark.parametrize("mail", [True, False])
def test_a_job_that_fails_is_reported_and_the_others_run(
    memory: Memory, site: Settings, mail: bool, caplog: pytest.LogCaptureFixture
):
    """Cron hears of it by the exit code."""
    ran = []
    hooks.periodic_jobs.register("broken", fail)
    hooks.periodic_jobs.register("last", ran.append)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MAIL": mail, "SITE_URL": "https://salon.example"}
    with pytest.raises(CommandError, match="broken"):
        call_command("kordless_mail", stdout=io.StringIO())
    assert len(memory.runs) == len(ran) == 1
    assert failures(caplog) == [("periodic_jobs", "broken")]


def test_a_stage_of_an_extension_is_counted_and_shown(memory: Memory, client: Client, admin_client: Client):
    """Beside the funnel's own, whose numbers and file stay as they are; an unknown name is an error."""
    client.post("/book/callback/?service=haircut", {"contact": "1"})
    assert counters.flush()
    assert FunnelCount.objects.get(stage="callback").service == "haircut"
    page = admin_client.get(reverse("admin:kordless_booking_funnelcount_changelist")).content.decode()
    assert re.search(r'Callbacks asked for</th><td class="kb-number">1<', page)
    file = admin_client.get(reverse("admin:kordless_booking_funnelcount_csv")).content.decode()
    assert "callback" not in file.splitlines()[0]
    with pytest.raises(ValueError, match="made_up"):
        counters.count_stage("default", "", FunnelCount.Placement.PAGE, "made_up")


# Operators


JANE_AS_PERSON = Person.from_texts(["jane@example.com"], frozenset())


def test_erasure_and_export_cover_an_extension(memory: Memory, client: Client):
    """By person and by age, with the counts in the command's output."""
    for contact in ("Jane@Example.com", "joe@example.com"):
        client.post("/book/callback/", {"contact": contact})
    assert export_person(JANE_AS_PERSON) == {"callback requests": [{"contact": "Jane@Example.com"}]}
    output = io.StringIO()
    call_command("kordless_erase", "--contact", "jane@example.com", stdout=output)
    assert "  callback requests: 1 deleted, 0 emptied" in output.getvalue()
    assert [row["contact"] for row in memory.requests] == ["joe@example.com"]
    later = datetime.now(UTC) + timedelta(days=2)
    assert erase_old(later, later)["callback requests"].deleted == 1


def test_an_erasure_target_that_fails_undoes_everything_and_says_so(
    memory: Memory, client: Client, monkeypatch: pytest.MonkeyPatch
):
    """Loud and complete: exit code 2, nothing erased anywhere, and no message that may repeat a contact."""
    Visitor(client).book()
    before = list(BookingAttempt.objects.values())
    [(_name, target)] = hooks.erasure_targets.items()
    monkeypatch.setattr(target, "erase_person", lambda *_a, **_k: fail())
    monkeypatch.setattr(target, "export_person", lambda *_a, **_k: fail())
    with pytest.raises(CommandError, match="Nothing was erased: callback requests: LookupError") as raised:
        call_command("kordless_erase", "--contact", "jane@example.com", stdout=io.StringIO())
    assert raised.value.returncode == 2
    assert "jane@example.com" not in str(raised.value)
    assert list(BookingAttempt.objects.values()) == before
    with pytest.raises(TargetFailed):
        erase_person(JANE_AS_PERSON, datetime.now(UTC))
    with pytest.raises(TargetFailed):
        export_person(JANE_AS_PERSON)


def test_the_doctor_asks_an_extension_about_each_account(memory: Memory):
    """Its findings are in the report; one that raises is a finding, too."""
    hooks.doctor_checks.register("broken", fail)
    output = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("kordless_doctor", "--json", stdout=output)
    found = {(each["area"], each["code"]): each for each in json.loads(output.getvalue())["findings"]}
    assert found["callback", "callback_phone"]["account"] == "default"
    assert found["broken", "failed"]["level"] == "fix"
    assert "jane@example.com" not in output.getvalue()


def test_an_admin_page_is_linked_for_those_who_may_see_it(memory: Memory, admin_client: Client, client: Client):
    """In the overview. A page that has no URL is left out."""
    hooks.admin_pages.register("gone", hooks.AdminPage(label="Gone", url_name="admin:gone"))
    overview = reverse("admin:kordless_booking_overview_changelist")
    page = admin_client.get(overview).content.decode()
    assert re.search(r'<a class="button" href="/admin/">Callbacks</a>', page)
    assert "Gone" not in page
    staff = User.objects.create_user("sarah", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_overview"))
    client.force_login(staff)
    limited = client.get(overview)
    assert limited.status_code == 200
    assert "Callbacks" not in limited.content.decode()
