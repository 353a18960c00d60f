"""The client's own part: mismatched responses, and what an error report may show."""

import os
import pickle
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import httpx
import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.secret import Secret
from kordless_booking.exceptions import KordlessError, NotFound, OutcomeUnknown
from tests.support.api_clients import (
    BASE,
    CALLS,
    CONTACT,
    DOCUMENTS,
    END,
    KEY,
    NUMBER,
    ORGANIZATION,
    SERVICE,
    SLOT,
    START,
    Recorder,
    answering,
    client,
    refusing,
)


def test_slots_of_another_service_are_never_shown() -> None:
    """A slot that names a service must name the requested one, by slug or by key."""
    other = SLOT | {"serviceId": "something-else"}
    replies = {
        "/availability": {"slots": [other]},
        "/org/acme-salon/service/haircut": {"organization": ORGANIZATION, "service": SERVICE},
    }
    paths: list[str] = []

    def network(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.removeprefix(httpx.URL(BASE).path))
        return httpx.Response(200, json=replies[paths[-1]])

    door = client(network)
    with pytest.raises(OutcomeUnknown) as caught:
        door.availability("haircut", START, END)
    assert caught.value.reason == "mismatch"
    replies["/org/acme-salon/service/haircut"] = {"service": SERVICE | {"key": "something-else"}}
    assert len(client(network).availability("haircut", START, END)) == 1
    replies["/availability"] = {"slots": [other, SLOT]}
    assert [slot.service_id for slot in door.availability("haircut", START, END)] == ["haircut"]


def test_a_key_other_than_the_slug_is_asked_for_once() -> None:
    """Once the service's key is known, availability costs one request again."""
    network = Recorder(
        answering({"slots": [SLOT | {"serviceId": "srv_7"}]}).answers[0],
        answering({"service": SERVICE | {"key": "srv_7"}}).answers[0],
        answering({"slots": [SLOT | {"serviceId": "srv_7"}]}).answers[0],
    )
    door = client(network)
    assert door.availability("haircut", START, END) == door.availability("haircut", START, END)
    assert len(network.requests) == 3


def test_another_organizations_booking_is_not_found() -> None:
    """A number that belongs to another business is exactly as unknown here as no number at all."""
    with pytest.raises(NotFound):
        client(answering(DOCUMENTS["lookup"]), org_slug="other-salon").lookup(NUMBER, CONTACT)


def frames(trace: TracebackType | None) -> Iterator[dict[str, Any]]:
    """The local variables of every frame of a traceback, the test's own left out."""
    while trace is not None:
        if "tests/api" not in trace.tb_frame.f_code.co_filename.replace(os.sep, "/"):
            yield trace.tb_frame.f_locals
        trace = trace.tb_next


@pytest.mark.parametrize("operation", ["create", "lookup", "cancel", "reschedule"])
def test_an_error_report_shows_nobody(operation: str) -> None:
    """Message, chain and the variables of every frame of ours hold no contact, number or key."""
    for network in (refusing(404, "not_found"), Recorder(httpx.ReadError(CONTACT)), refusing(500)):
        with pytest.raises(KordlessError) as caught:
            CALLS[operation](client(network))
        error = caught.value
        assert error.__cause__ is None
        assert error.__context__ is None
        shown = "".join(traceback.format_exception(error)) + repr(list(frames(error.__traceback__)))
        for secret in (CONTACT, "canary", NUMBER, KEY, "Jane", "2125550123"):
            assert secret not in shown.replace("CALLS[operation](client(network))", "")


def test_the_key_shows_nowhere() -> None:
    """Neither the client, its parts nor its key tell the key, and none is pickled."""
    door = client(answering({}))
    shown = repr(door) + str(door) + repr(vars(door)) + repr(Secret(KEY)) + f"{Secret(KEY)!s}"
    assert KEY not in shown
    assert "acme-salon" in repr(door)
    for thing in (door, Secret(KEY), vars(door)["_wire"]):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


def test_closing_twice_is_fine() -> None:
    """A client without connections, or closed already, closes quietly."""
    door = Kordless(api_key=KEY, org_slug="acme-salon", base_url=BASE)
    door.close()
    door.close()
