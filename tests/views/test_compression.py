"""Responses that are compressed once."""

import gzip

import pytest
from django.test import RequestFactory

from kordless_booking.views.compression import compress, compressed_response

BODY = b"body { color: red }" * 50


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        *(("gzip, br", "gzip"), ("br;q=1.0,GZIP;q=0.8", "gzip"), ("x-gzip", "gzip")),
        *(("br", None), ("", None), ("gzip;q=0", None), ("br, gzip ; q=0.000", None), ("gzipped", None)),
    ],
)
def test_the_body_is_sent_as_the_client_accepts_it(accepts: str, coding: str | None) -> None:
    """A shared cache must not give one client's form to another."""
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepts})
    response = compressed_response(request, compress(BODY), "text/css", cache_control="no-cache")
    assert response.get("Content-Encoding") == coding
    assert (gzip.decompress(response.content) if coding else response.content) == BODY
    assert response["Vary"] == "Accept-Encoding"
    assert (response["Cache-Control"], response["Content-Type"]) == ("no-cache", "text/css")
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_compressed_bytes_are_the_same_in_every_process() -> None:
    """The time of compression is not part of them (RFC 1952, MTIME)."""
    assert compress(BODY) == compress(BODY)
    assert compress(BODY).gzipped[4:8] == bytes(4)
