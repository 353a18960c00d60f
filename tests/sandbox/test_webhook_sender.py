"""The webhook sender delivers over real HTTP: signed, with retries, and with faults on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from kordless_booking.sandbox import Sandbox
from kordless_booking.sandbox.webhook_sender import Endpoint
from kordless_booking.webhooks.signature import SignatureScheme, verify
from tests.support.sandbox_api import NOW, Api
from tests.support.webhook_receiver import Receiver, receiving

SECRET = "whsec_0123456789abcdefghijklmn"
MORNING = NOW + timedelta(days=2, hours=-1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who listens."""
    with receiving() as one:
        yield one


@pytest.fixture
def posting(sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    """A sandbox that delivers to the receiver on request."""
    sandbox.webhook_sender.by_hand = True
    sandbox.webhook_sender.endpoints = (Endpoint(receiver.url, SECRET),)
    return sandbox


def genuine(headers: dict[str, str], body: bytes, scheme: SignatureScheme | None = None) -> bool:
    """Return True if the product's own verification, written independently, accepts the delivery."""
    try:
        verify(
            body,
            signatures=headers["X-Kordless-Signature"],
            timestamp=headers["X-Kordless-Timestamp"],
            secrets=[SECRET],
            scheme=scheme or SignatureScheme(),
            now=time.time(),
        )
    except Exception:  # noqa: BLE001 (whatever it is, it isn't let through)
        return False
    return True


def events(receiver: Receiver) -> list[tuple[str, str]]:
    """(event, status) of each delivery."""
    bodies = [json.loads(body) for _, body in receiver.got]
    return [(each["event"], each["data"]["booking"]["status"]) for each in bodies]


def states(sandbox: Sandbox) -> list[tuple[str, int, int | None]]:
    """(state, tries, last status) of each delivery, oldest first."""
    return [(each["state"], each["tries"], each["status"]) for each in sandbox.webhook_sender.deliveries()][::-1]


def test_every_change_of_a_booking_is_delivered(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """Through the API and by staff: made, moved, cancelled; nothing for what was rejected or repeated."""
    body = api.body()
    number = api.create(body, Idempotency_Key="k").json()["booking"]["confirmation_number"]
    api.create(body, Idempotency_Key="k")
    api.create(body)
    mine = posting.bookings()[0]["host_id"]
    other = [slot for slot in api.slots() if slot["hostId"] == mine][5]
    api.manage(number, "reschedule", {"start_at": other["startsAt"], "end_at": other["endsAt"]})
    api.manage(number, "cancel")
    api.manage(number, "cancel")
    phone = posting.book_by_phone("haircut", posting.free("haircut", NOW, NOW + timedelta(days=9))[0])
    host = posting.bookings()[-1]["host_id"]
    posting.move(phone, posting.free("haircut", NOW, NOW + timedelta(days=9), host)[8])
    posting.set_status(phone, "canceled")
    posting.set_status(phone, "canceled")
    with pytest.raises(ValueError, match="canceled"):
        posting.move(phone, posting.free("haircut", NOW, NOW + timedelta(days=9), host)[4])
    assert posting.webhook_sender.deliver() == 6
    assert (
        events(receiver)
        == [
            ("booking.created", "confirmed"),
            ("booking.updated", "confirmed"),
            ("booking.cancelled", "canceled"),
        ]
        * 2
    )
    assert all(genuine(*each) for each in receiver.got)
    assert len(set(receiver.ids)) == 6
    assert states(posting) == [("delivered", 1, 200)] * 6


def test_the_document_is_as_documented(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """The spellings of webhooks: srv_ in front of the service, startsAt, confirmation_number."""
    number = api.book()
    posting.webhook_sender.deliver()
    [(headers, body)] = receiver.got
    document = json.loads(body)
    assert document.keys() == {"event", "timestamp", "webhookId", "data"}
    booking = document["data"]["booking"]
    assert booking.keys() == {"id", "confirmation_number", "serviceId", "startsAt", "endsAt", "status", "contact"}
    assert (booking["confirmation_number"], booking["serviceId"]) == (number, "srv_haircut")
    assert booking["contact"] == {"email": "jane@example.com", "name": "Jane Doe", "phone": "+12125550123"}
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("signed", ["timestamp.body", "body"])
@pytest.mark.parametrize("written", ["hex", "base64"])
def test_every_scheme(posting: Sandbox, api: Api, receiver: Receiver, signed: str, written: str) -> None:
    """As the endpoint says."""
    posting.webhook_sender.endpoints = (Endpoint(receiver.url, SECRET, signed_payload=signed, encoding=written),)
    api.book()
    posting.webhook_sender.deliver()
    assert genuine(*receiver.got[0], SignatureScheme(signed, written))


def test_a_failure_is_tried_again_under_the_same_id(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """After a second, then ever later; a 2xx ends it."""
    receiver.answers = [500, 404]
    with time_machine.travel(NOW, tick=False):  # the next try is counted from when the last one was made
        api.book()
        now = time.time()
        assert posting.webhook_sender.deliver(due_by=now) == 1
        assert posting.webhook_sender.deliver(due_by=now + 0.5) == 0
        assert states(posting) == [("waiting", 1, 500)]
        assert posting.webhook_sender.deliver(due_by=now + 1.5) == 1
        assert posting.webhook_sender.deliver(due_by=now + 7) == 1
        assert states(posting) == [("delivered", 3, 200)]
    assert len(set(receiver.ids)) == 1


def test_it_gives_up(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """After six tries."""
    receiver.answers = [503] * 10
    api.book()
    for hours in range(10):
        posting.webhook_sender.deliver(due_by=time.time() + hours * 3600)
    assert states(posting) == [("given up", 6, 503)]


def test_nobody_there(posting: Sandbox, api: Api) -> None:
    """A receiver that isn't there is a failure like any other."""
    posting.webhook_sender.endpoints = (Endpoint("http://127.0.0.1:9/", SECRET),)
    api.book()
    posting.webhook_sender.deliver()
    assert states(posting) == [("waiting", 1, 0)]


def test_only_what_was_asked_for(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """By event and by business."""
    only = Endpoint(receiver.url, SECRET, org_slug="acme-salon", events=("booking.cancelled",))
    posting.webhook_sender.endpoints = (only, Endpoint(receiver.url, SECRET, org_slug="north-dental"))
    number = api.book()
    api.manage(number, "cancel")
    posting.webhook_sender.deliver()
    assert [event for event, _ in events(receiver)] == ["booking.cancelled"]


def test_without_an_endpoint_nothing_is_written(sandbox: Sandbox, api: Api) -> None:
    """Nor any thread started."""
    before = threading.enumerate()
    api.book()
    assert sandbox.webhook_sender.deliveries() == []
    # One of an earlier test may end meanwhile, so they are not just counted.
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_duplicates(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """The same id and body, as often as asked for."""
    posting.webhook_sender.set_faults(duplicate=2)
    api.book()
    posting.webhook_sender.deliver()
    assert len(receiver.got) == 3
    assert len(set(receiver.ids)) == len({body for _, body in receiver.got}) == 1


def test_reordering(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """Held back until there are so many, then the newest first."""
    posting.webhook_sender.set_faults(reorder=2)
    number = api.book()
    assert posting.webhook_sender.deliver() == 0
    api.manage(number, "cancel")
    posting.webhook_sender.deliver()
    assert [event for event, _ in events(receiver)] == ["booking.cancelled", "booking.created"]


@pytest.mark.parametrize("what", ["body", "signature", "timestamp", "secret"])
def test_tampering(posting: Sandbox, api: Api, receiver: Receiver, what: str) -> None:
    """Once, and then the genuine one follows."""
    posting.webhook_sender.set_faults(tamper=what, times=1)
    receiver.answers = [401]
    api.book()
    posting.webhook_sender.deliver()
    posting.webhook_sender.deliver(due_by=time.time() + 60)
    assert [genuine(*each) for each in receiver.got] == [False, True]
    assert posting.webhook_sender.rules() == {}


def test_a_replay_under_another_id(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """Genuine but for its id."""
    posting.webhook_sender.set_faults(tamper="id", duplicate=1, times=1)
    api.book()
    posting.webhook_sender.deliver()
    assert len(set(receiver.ids)) == 2
    assert all(genuine(*each) for each in receiver.got)


def test_lost_and_late(posting: Sandbox, api: Api, receiver: Receiver) -> None:
    """The first try goes nowhere, and nothing goes before its time."""
    posting.webhook_sender.set_faults(lose=1, late=100)
    api.book()
    assert posting.webhook_sender.deliver() == 0
    posting.webhook_sender.deliver(due_by=time.time() + 101)
    assert receiver.got == []
    posting.webhook_sender.deliver(due_by=time.time() + 200)
    assert len(receiver.got) == 1


def test_by_itself(sandbox: Sandbox, api: Api, receiver: Receiver) -> None:
    """Without a request it delivers in a thread, which ends when nothing waits anymore."""
    sandbox.webhook_sender.endpoints = (Endpoint(receiver.url, SECRET),)
    api.book()
    assert receiver.arrived.acquire(timeout=20)
    sandbox.set_status(sandbox.bookings()[0]["number"], "canceled")
    assert receiver.arrived.acquire(timeout=20)
    assert [event for event, _ in events(receiver)] == ["booking.created", "booking.cancelled"]


@pytest.mark.parametrize(
    "wrong",
    [{"tamper": "mind"}, {"duplicate": -1}, {"late": "soon"}, {"unknown": 1}],
)
def test_unknown_delivery_faults_are_rejected(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    """The error lists the known faults."""
    with pytest.raises(ValueError, match=r"known: |numbers"):
        sandbox.webhook_sender.set_faults(**wrong)


def test_steering_over_http(sandbox: Sandbox) -> None:
    """Endpoints and faults are set and listed; a secret is never shown."""
    sandbox.webhook_sender.by_hand = True
    with httpx.Client(transport=httpx.WSGITransport(sandbox), base_url="http://sandbox.test/_sandbox/") as http:
        endpoint = {"url": "http://127.0.0.1:9/", "secret": SECRET, "events": ["booking.created"]}
        answer = http.post("webhooks", json={"endpoints": [endpoint], "faults": {"duplicate": 1}})
        assert answer.status_code == 200
        start = sandbox.free("haircut", NOW, NOW + timedelta(days=9))[0].isoformat()
        number = http.post("take", json={"service_slug": "haircut", "start": start}).json()["confirmation_number"]
        listed = http.get("webhooks").json()
        assert [each["event"] for each in listed["deliveries"]] == ["booking.created"]
        assert listed["faults"] == {"duplicate": 1}
        assert SECRET not in http.get("webhooks").text
        host = sandbox.bookings()[0]["host_id"]
        later = sandbox.free("haircut", NOW, NOW + timedelta(days=9), host)[6]
        assert http.post("move", json={"number": number, "start": later.isoformat()}).status_code == 200
        assert sandbox.bookings()[0]["starts"] == later.timestamp()
        for wrong in ({"endpoints": [{"url": "ftp://x/", "secret": "s"}]}, {"faults": {"tamper": "mind"}}):
            assert http.post("webhooks", json=wrong).status_code == 400
        assert http.post("move", json={"number": "BOOK_NOWHERE1", "start": start}).status_code == 400


def test_a_file_of_the_version_before_gets_what_it_lacks(tmp_path: Any) -> None:
    """Nobody has to delete the bookings that a demo has made so far."""
    path = str(tmp_path / "old.sqlite3")
    first = Sandbox(path, now=NOW)
    first.book_by_phone("haircut", first.free("haircut", NOW, NOW + timedelta(days=9))[0])
    with first.store.write() as db:
        db.execute("DROP TABLE deliveries")
        db.execute("PRAGMA user_version = 1")
    first.close()
    second = Sandbox(path)
    assert len(second.bookings()) == 1
    assert second.webhook_sender.deliveries() == []
    second.close()


def test_an_event_is_built_as_it_would_be_delivered(posting: Sandbox, receiver: Receiver) -> None:
    """Of a booking as it is now; it is not sent."""
    number = posting.book_by_phone("haircut", MORNING)
    posting.webhook_sender.deliver()
    [(_, body)] = receiver.got
    assert posting.build_event("booking.created", number) == json.loads(body)
    assert posting.webhook_sender.deliver() == 0
