"""Faults of the response: status, bytes and headers."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox_api import Api, assert_rejected

if TYPE_CHECKING:
    import httpx


def bent(api: Api, kind: str, **options: Any) -> httpx.Response:
    api.sandbox.faults.add(kind, times=1, **options)
    return api.get("/org/acme-salon")


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
def test_any_status_in_the_documented_form(api: Api, status: int) -> None:
    """JSON by default, the HTML of a proxy on request."""
    assert bent(api, "status", status=status).json()["status"] == status
    page = bent(api, "status", status=status, html=True)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<script>" in page.text


def test_429_with_and_without_retry_after(api: Api) -> None:
    """Both come with the rate limit's headers."""
    plain = bent(api, "status", status=429)
    assert_rejected(plain, 429, "rate_limited")
    assert "Retry-After" not in plain.headers
    later = bent(api, "status", status=429, retry_after=20)
    assert later.headers["Retry-After"] == "20"
    assert 10 <= int(later.headers["X-RateLimit-Reset"]) - time.time() <= 20
    assert bent(api, "status", status=503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT").headers["Retry-After"]


def test_redirect(api: Api) -> None:
    """To another host, where no key must follow."""
    answer = bent(api, "redirect")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://elsewhere.example/moved")


def test_bodies_that_arent_the_json_they_should_be(api: Api) -> None:
    """HTML, half, nothing, BOM, NaN, names twice, another charset, too deep."""
    good = api.get("/org/acme-salon").content
    assert bent(api, "html").text.startswith("<!doctype")
    assert bent(api, "broken_json").content == good[: len(good) // 2]
    assert bent(api, "empty").content == b""
    assert bent(api, "empty", status=204).status_code == 204
    assert bent(api, "bom").content == b"\xef\xbb\xbf" + good
    assert b"NaN" in bent(api, "nan").content
    pairs = json.loads(bent(api, "duplicate_keys").content, object_pairs_hook=lambda found: found)
    assert [name for name, _ in pairs] == ["organization", "services"] * 2
    assert bent(api, "wrong_charset").content.decode("utf-16").encode() == good
    assert bent(api, "deep", depth=5000).content == b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize("gzipped", [False, True])
def test_huge(api: Api, gzipped: bool) -> None:
    """So many megabytes of valid JSON, streamed or packed small."""
    answer = bent(api, "huge", megabytes=3, gzipped=gzipped)
    assert len(answer.content) == 3 * 1024 * 1024
    assert answer.json() == {"slots": []}
    if gzipped:
        assert int(answer.headers["Content-Length"]) < 10_000


def test_date_skew(api: Api) -> None:
    """The Date header is ten minutes ahead."""
    dated = parsedate_to_datetime(bent(api, "date_skew").headers["Date"]).timestamp()
    assert 590 < dated - time.time() <= 600


def test_statuses_that_nobody_knows(api: Api) -> None:
    """520 has no name, and is sent all the same."""
    assert bent(api, "status", status=520).status_code == 520


@pytest.mark.parametrize("value", [0, -1])
def test_rate_limit_that_contradicts_its_response(api: Api, value: int) -> None:
    """A success says that nothing is allowed."""
    answer = bent(api, "rate_limit_contradiction", value=value)
    assert answer.status_code == 200
    assert answer.headers["X-RateLimit-Limit"] == answer.headers["X-RateLimit-Remaining"] == str(value)
