"""docs/api.md is true: its requests, sent as they stand there, are answered and booked on the sandbox."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.pasted_blocks import ROOT, read_blocks
from tests.support.programs import HASHES, SITE_URL, TOKEN, get_times, open_api

pytestmark = pytest.mark.django_db

DOCS = ROOT / "docs"
COMMANDS = [
    line
    for block in read_blocks(DOCS / "api.md")
    if block.language == "sh"
    for line in ([block.text] if "attempts.json" in block.text else block.text.splitlines())
]
READS = [line for line in COMMANDS if line.startswith("curl ") and "attempts.json" not in line]
BOOKINGS = [line for line in COMMANDS if "attempts.json" in line]


def settings_of(page: str, key: str) -> Any:
    """Return the value that the samples of a page give a key of KORDLESS_BOOKING."""
    names: dict[str, Any] = {"KORDLESS_BOOKING": {}}
    for block in read_blocks(DOCS / page):
        if block.language == "python" and f'KORDLESS_BOOKING["{key}"] = ' in block.text:
            exec(block.text, names)  # noqa: S102 (the page's)
    return names["KORDLESS_BOOKING"][key]


def send_booking(client: Client, command: str) -> Any:
    """Send the request of a curl command, with the first free time of its host and our token copied into it."""
    _curl, address, *options = shlex.split(command.replace("\\\n", " "))
    headers = dict(
        value.split(": ", 1) for name, value in zip(options[::2], options[1::2], strict=True) if name == "-H"
    )
    body = json.loads(options[options.index("-d") + 1])
    assert headers["Authorization"] == "Bearer kbt_your-token"
    headers["Authorization"] = f"Bearer {TOKEN}"
    time = get_times(client, body["service"], **{name: body[name] for name in ("party", "host") if name in body})[0]
    body |= {"start": time["start"], "end": time["end"]}
    path = address.removeprefix(SITE_URL)
    return client.post(path, json.dumps(body), content_type=headers.pop("Content-Type"), headers=headers)


def test_the_reads_of_the_page_are_answered(client: Client, site: Settings) -> None:
    """Each address is one of the API's: the list of services, and the times of a week."""
    with open_api(site):
        services, times = (client.get(shlex.split(line)[1].removeprefix(SITE_URL)).json() for line in READS)
    assert services["services"]
    assert times["service"] == "haircut"


def test_the_shortest_booking_of_the_page_is_placed_on_a_new_site(client: Client, site: Settings) -> None:
    """It has what the form of a site without further settings requires, and nothing that such a site refuses."""
    with open_api(site, API_TOKENS=HASHES):
        response = send_booking(client, BOOKINGS[0])
    assert response.status_code == 201, response.json()


def test_the_longest_booking_of_the_page_is_placed_with_the_questions_and_consents_of_their_pages(
    client: Client, site: Settings
) -> None:
    """Its answers and consents are those of the examples that the page names."""
    form_settings = {
        "QUESTIONS": settings_of("questions.md", "QUESTIONS"),
        "CONSENT": settings_of("privacy.md", "CONSENT"),
    }
    with open_api(site, API_TOKENS=HASHES, **form_settings):
        response = send_booking(client, BOOKINGS[1])
    assert response.status_code == 201, response.json()
