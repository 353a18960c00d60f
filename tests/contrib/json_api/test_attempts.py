"""Bookings by programs with a token: never twice, and nothing personal where it doesn't belong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connections
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking import conf, signals
from kordless_booking.contrib.json_api.management.commands import kordless_api_token
from kordless_booking.contrib.json_api.plugin import examine
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.program_bookings import attempt_key, hash_token, is_known_token, parse_key
from tests.support.lost_answers import lose_answers
from tests.support.programs import (
    HASHES,
    KEY,
    OTHER_TOKEN,
    SITE_URL,
    TOKEN,
    build_order,
    get_times,
    open_api,
    send_order,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(site: Settings) -> Iterator[Settings]:
    """The site with the API and two tokens."""
    with open_api(site, API_TOKENS=HASHES):
        yield site


def created(sandbox: Sandbox) -> int:
    """How often Kordless was asked to create a booking."""
    return sum(request.operation == "create" for request in sandbox.requests)


def poll(client: Client, url: str, token: str | None = TOKEN) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get(url.removeprefix(SITE_URL), headers=headers)


def test_an_order_is_placed_and_published_once(client: Client, api: Settings, sandbox: Sandbox) -> None:
    """The same request again is the same attempt and the same answer."""
    order = build_order(get_times(client)[0], party=1, notes="By the window")
    received: list[str] = []

    def receive(**kwargs: Any) -> None:
        received.append(kwargs["booking"].confirmation_number)

    signals.booking_created.connect(receive, weak=False, dispatch_uid="program")
    try:
        first, second = send_order(client, order), send_order(client, order, token=OTHER_TOKEN, key=f'"{KEY}"')
    finally:
        signals.booking_created.disconnect(dispatch_uid="program")
    document = first.json()

    assert first.status_code == second.status_code == 201
    assert document["state"] == "placed"
    assert document["status"] == "confirmed"
    same = {name: value for name, value in document.items() if name != "manage_url"}
    assert same == {name: value for name, value in second.json().items() if name != "manage_url"}
    assert received == [document["confirmation_number"]]
    assert created(sandbox) == BookingAttempt.objects.count() == 1
    assert first["Cache-Control"] == "no-store"
    page = client.get(document["manage_url"].removeprefix(SITE_URL))
    assert document["confirmation_number"] in page.content.decode()


def test_another_order_under_a_used_key_is_refused(client: Client, api: Settings, sandbox: Sandbox) -> None:
    """The attempt is left alone, whatever its state; so it is for an order that isn't valid."""
    first, *_near, second = get_times(client)[:7]
    assert send_order(client, build_order(first)).status_code == 201
    other = build_order(second)
    wrong = build_order(first, contact={"name": "Jane Doe"})
    for order in (other, wrong, build_order(first, contact={"name": "John Doe", "email": "jane@example.com"})):
        response = send_order(client, order)
        assert response.status_code == 422
        assert response.json()["type"].endswith("idempotency-key-reused")
    assert created(sandbox) == 1
    assert send_order(client, other, key="another-key-0001").status_code == 201


def test_a_refused_key_stays_that_of_its_order(client: Client, api: Settings, sandbox: Sandbox) -> None:
    """A time that is taken is answered with the nearest free ones; the same key gets the same answer."""
    time = get_times(client, host="host_sarah")[0]
    order = build_order(time, host="host_sarah")
    assert send_order(client, order).status_code == 201
    lost = build_order(time, host="host_sarah", contact={"name": "John Doe", "email": "john@example.com"})
    responses = [send_order(client, lost, key="the-key-of-john") for _ in range(2)]

    for response in responses:
        assert response.status_code == 409
        assert response.json()["type"].endswith("time-taken")
        assert 1 <= len(response.json()["nearest"]) <= 3
        assert time["start"] not in [near["start"] for near in response.json()["nearest"]]
    other = build_order(get_times(client, host="host_sarah")[3], host="host_sarah", contact=lost["contact"])
    assert send_order(client, other, key="the-key-of-john").json()["type"].endswith("idempotency-key-reused")


@pytest.mark.parametrize(
    "changes", [{"host": "nobody"}, {"team": "nobody"}, {"party": 50}, {"service": "beard-trim"}, {"start": "+1 min"}]
)
def test_what_is_not_among_the_free_times_costs_kordless_no_creation(
    client: Client, api: Settings, sandbox: Sandbox, changes: dict[str, Any]
) -> None:
    """A program with a mistake doesn't use up the few bookings that Kordless takes in a minute."""
    time = get_times(client)[0]
    if "start" in changes:
        changes = {"start": (datetime.fromisoformat(time["start"]) + timedelta(minutes=1)).isoformat()}
    response = send_order(client, build_order(time, **changes))
    assert response.status_code == 409
    assert created(sandbox) == 0
    assert send_order(client, build_order(time)).json()["type"].endswith("idempotency-key-reused")


def test_an_unknown_outcome_is_found_out_by_asking(
    client: Client, api: Settings, sandbox: Sandbox, clock: time_machine.Traveller
) -> None:
    """202 with an address to ask at, which is for those with a token; one booking comes of it."""
    order = build_order(get_times(client)[0])
    lose_answers(sandbox)
    response = send_order(client, order)
    document = response.json()

    assert response.status_code == 202
    assert document["state"] == "outcome_unknown"
    assert int(response["Retry-After"]) > 0
    assert "jane" not in document["poll_url"]
    assert poll(client, document["poll_url"], None).status_code == 401
    sandbox.faults.clear()
    clock.shift(60)
    found = poll(client, document["poll_url"])
    assert (found.status_code, found.json()["state"]) == (201, "placed")
    assert poll(client, document["poll_url"], OTHER_TOKEN).json()["state"] == "placed"
    assert send_order(client, order).json()["confirmation_number"] == found.json()["confirmation_number"]
    assert BookingAttempt.objects.count() == 1


def test_an_order_that_was_never_sent_may_be_sent_again(
    client: Client, api: Settings, sandbox: Sandbox, clock: time_machine.Traveller
) -> None:
    """503 says so, and the same key books once Kordless is back."""
    order = build_order(get_times(client)[0])
    sandbox.faults.add("key_revoked", "create")
    refused = send_order(client, order)
    assert refused.status_code == 503
    assert "same Idempotency-Key" in refused.json()["detail"]
    sandbox.faults.clear()
    clock.shift(60)
    assert send_order(client, order).status_code == 201
    assert BookingAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_orders_at_the_same_moment_are_one_attempt(api: Settings, sandbox: Sandbox) -> None:
    """Two requests with one key: one of them sends, the other follows it up."""
    order = build_order(get_times(Client())[0])
    barrier, statuses = threading.Barrier(2), []

    def send() -> None:
        try:
            barrier.wait(20)
            statuses.append(send_order(Client(), order).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 202}
    assert len(statuses) == 2
    assert created(sandbox) == BookingAttempt.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"contact": {"name": "", "email": "jane@example.com"}}, ["/contact/name"]),
        ({"contact": {"name": "Jane", "email": "jane@"}}, ["/contact/email"]),
        ({"contact": {"name": "Jane", "phone": "12"}}, ["/contact/phone"]),
        ({"contact": {"name": "Jane", "first_name": "J", "email": "jane@example.com"}}, ["/contact/first_name"]),
        ({"contact": {"name": 1}}, ["/contact/name"]),
        ({"contact": {"nickname": "J"}}, ["/contact/nickname"]),
        ({"party_size": 2}, ["/party_size"]),
        ({"party": 0}, ["/party"]),
        ({"party": "2"}, ["/party"]),
        ({"timezone": "Mars/Olympus"}, ["/timezone"]),
        ({"start": "2026-12-01T10:00:00"}, ["/start"]),
        ({"start": "0001-01-01T00:00:00+14:00"}, ["/start"]),
        ({"end": "9999-12-31T23:59:59-14:00"}, ["/end"]),
        ({"start": "2020-12-01T10:00:00Z"}, ["/start"]),
        ({"end": "2020-12-01T10:00:00Z"}, ["/end"]),
        ({"service": "nothing"}, ["/service"]),
        ({"service": "a\u0000b"}, ["/service"]),
        ({"answers": {"shoe": "42"}}, ["/answers/shoe"]),
        ({"answers": {"shoe": {}}}, ["/answers"]),
        ({"guests": ["Bob"]}, ["/guests"]),
        ({"consents": {"rules": "1"}}, ["/consents/rules"]),
        ({"contact": {"name": "Jane\u0000", "email": "jane@example.com"}}, ["/contact/name"]),
    ],
)
def test_an_order_that_is_wrong_books_nothing_and_says_where(
    client: Client, api: Settings, sandbox: Sandbox, changes: dict[str, Any], pointers: list[str]
) -> None:
    """422 with a JSON pointer to each mistake."""
    response = send_order(client, build_order(get_times(client)[0], **changes))

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == pointers
    assert not BookingAttempt.objects.exists()
    assert created(sandbox) == 0


def test_questions_guests_and_consents_are_those_of_the_form(client: Client, site: Settings, sandbox: Sandbox) -> None:
    """The document of a service says what is asked, and an order answers it."""
    changes = {
        "GUESTS": 2,
        "CONTACT_FIELDS": {"name": "first_last", "phone": "hidden"},
        "QUESTIONS": {
            "haircut": [
                {"name": "areas", "label": "Where?", "kind": "choices", "choices": ["Top", "Sides"], "required": True},
                {"name": "first", "label": "First visit?", "kind": "yes_no"},
                {"name": "hours", "label": "Hours", "kind": "number", "min": 0, "max": 24},
            ]
        },
        "CONSENT": [{"name": "rules", "label": "I agree", "required": True, "version": "2026-01"}],
    }
    with open_api(site, API_TOKENS=HASHES, **changes):
        form = client.get("/book/api/haircut.json").json()["form"]
        assert form["contact"] == {
            "name": "first_last",
            "email": "required",
            "phone": "hidden",
            "notes": "optional",
            "email_or_phone": False,
        }
        assert [question["name"] for question in form["questions"]] == ["areas", "first", "hours"]
        assert form["asks_guests"] is True
        values = [choice["value"] for choice in form["questions"][0]["choices"]]
        [consent] = form["consents"]
        order = build_order(
            get_times(client)[0],
            contact={"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com"},
            answers={"areas": values, "first": True, "hours": 3},
            consents={consent["name"]: consent["version"]},
        )
        old = send_order(client, {**order, "consents": {"rules": "2025-01"}})
        assert [error["pointer"] for error in old.json()["errors"]] == ["/consents/rules"]
        missing = send_order(client, {**order, "answers": {}})
        assert [error["pointer"] for error in missing.json()["errors"]] == ["/answers/areas"]
        assert send_order(client, order).status_code == 201
        notes = sandbox.bookings()[0]["notes"]
        assert notes.splitlines() == ["Where: Top; Sides", "First visit: Yes", "Hours: 3"]


def test_only_a_token_of_the_site_books(client: Client, api: Settings) -> None:
    """Without one, with another or with its hash it is 401; a body is not even read."""
    for token in (None, "", "kbt_wrong", HASHES[0], TOKEN.upper(), f"{TOKEN}x"):
        response = send_order(client, b"{", token=token)
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert "Access-Control-Allow-Origin" not in response.headers
    assert send_order(client, b"{").status_code == 400


def test_without_tokens_no_program_books(client: Client, site: Settings) -> None:
    """The addresses say so, and the OpenAPI document doesn't list them."""
    with open_api(site):
        assert send_order(client, {}).status_code == 404
        assert "/attempts.json" not in client.get("/book/api/openapi.json").json()["paths"]


def test_pages_of_other_origins_may_not_book(client: Client, api: Settings) -> None:
    """CORS is closed: a preflight is answered without it."""
    preflight = client.options("/book/api/attempts.json", headers={"Origin": "https://elsewhere.example"})
    assert preflight.status_code == 204
    assert preflight["Allow"] == "POST, OPTIONS"
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("key", [None, "", "short", "x" * 129, "with space in it", "schlüssel-mit-umlaut"])
def test_an_order_needs_a_usable_key(client: Client, api: Settings, key: str | None) -> None:
    """400 says what a key is."""
    response = send_order(client, {}, key=key)
    assert response.status_code == 400
    assert response.json()["type"].endswith("idempotency-key-required")


def test_a_body_of_another_kind_is_refused(client: Client, api: Settings) -> None:
    """Neither a form nor something huge is read."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": KEY}
    form = client.post("/book/api/attempts.json", {"service": "haircut"}, headers=headers)
    assert form.status_code == 415
    assert send_order(client, b'"' + b"x" * 200_000 + b'"').status_code == 413
    assert send_order(client, b"[" * 50_000).status_code in {400, 422}


def test_a_token_may_book_only_so_often(client: Client, site: Settings) -> None:
    """429 with Retry-After; another token isn't concerned, and wrong tokens have a limit of their own."""
    with open_api(site, API_TOKENS=HASHES, API_BOOKINGS_PER_TOKEN=2):
        assert [send_order(client, b"{").status_code for _ in range(3)] == [400, 400, 429]
        assert send_order(client, b"{", token=OTHER_TOKEN).status_code == 400
        assert [send_order(client, b"{", token="wrong").status_code for _ in range(21)][-2:] == [401, 429]


def test_a_contact_may_book_only_so_often(client: Client, site: Settings) -> None:
    """The limits per contact hold for programs, too."""
    with open_api(site, API_TOKENS=HASHES, BOOKINGS_PER_CONTACT=1):
        first, *_near, second = get_times(client)[:7]
        assert send_order(client, build_order(first)).status_code == 201
        refused = send_order(client, build_order(second), key="another-key-0001")
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert send_order(client, build_order(first)).status_code == 201


def test_nothing_personal_is_logged_or_in_a_url(
    client: Client, api: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither contact nor token nor key is in the log; addresses hold encrypted tokens only."""
    caplog.set_level(logging.DEBUG)
    order = build_order(
        get_times(client)[0], contact={"name": "Canary Doe", "email": "canary@example.com"}, notes="canary notes"
    )
    response = send_order(client, order, key="canary-key-000001")
    send_order(client, {**order, "party": 99}, key="canary-key-000002")
    send_order(client, order, key="canary-key-000003", token="canary-token")
    poll(client, response["Location"])
    poll(client, "/book/api/attempts/canary.json")

    assert "canary" not in caplog.text.lower()
    assert TOKEN not in caplog.text
    assert "canary" not in response["Location"].lower()
    assert "canary" not in response.json()["manage_url"].lower()


def test_the_address_of_an_attempt_opens_nothing_else(client: Client, api: Settings) -> None:
    """Made-up tokens, and those of other pages, are no attempts."""
    placed = send_order(client, build_order(get_times(client)[0])).json()
    manage = placed["manage_url"].rstrip("/").rpartition("/")[2]
    for token in ("x", manage, "%00", "ä"):
        response = poll(client, f"/book/api/attempts/{token}.json")
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


def test_the_key_of_an_attempt_survives_a_new_secret_key(settings: Settings) -> None:
    """A request that is repeated after SECRET_KEY was replaced must not book again."""
    account = conf.Account(name="default")
    before = attempt_key(account, KEY)
    settings.SECRET_KEY = "another"
    assert attempt_key(account, KEY) == before
    assert attempt_key(conf.Account(name="other"), KEY) != before
    assert attempt_key(account, f"{KEY}0") != before


def test_the_command_makes_a_token_and_its_hash(capsys: pytest.CaptureFixture[str], site: Settings) -> None:
    """The hash is what the settings have, and the token is what the program has."""
    call_command(kordless_api_token.Command())
    words = capsys.readouterr().out.split()
    token, digest = (word for word in words if word.startswith("kbt_")), (word for word in words if len(word) == 64)
    with open_api(site, API_TOKENS=[made := next(digest)]):
        assert is_known_token(conf.get_account(None), found := next(token))
        assert hash_token(found) == made


def test_a_token_in_the_settings_instead_of_its_hash_is_an_error(site: Settings) -> None:
    """The check names the command that makes the hash."""
    with open_api(site):
        errors = conf.find_errors({**site.KORDLESS_BOOKING, "API_TOKENS": [TOKEN]})
        assert [error.kind for error in errors] == ["wrong"]
        assert "kordless_api_token" in errors[0].hint
        assert TOKEN not in errors[0].text + errors[0].hint


@given(st.text())
def test_any_header_is_a_key_or_none(text: str) -> None:
    """A key is visible ASCII of 8 to 128 characters, and the same in quotation marks."""
    key = parse_key(text)
    if key is not None:
        assert 8 <= len(key) <= 128
        assert key.isascii()
        assert key.isprintable()
        assert parse_key(f'"{key}"') == key


def test_the_doctor_says_whether_programs_may_book(site: Settings) -> None:
    """With and without tokens, and where links would begin with whatever host a client names."""
    with open_api(site, API_TOKENS=HASHES):
        account = conf.get_account(None)
        [found] = examine(account)
        assert (found.code, found.level) == ("api_tokens", "ok")
        assert "2" in found.text
        assert [each.code for each in examine(replace(account, site_url=""))] == ["api_tokens", "api_site_url"]
