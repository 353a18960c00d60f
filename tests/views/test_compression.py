"""Responses that are compressed once."""

import gzip
import sys

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.views import compression
from kordless_booking.views.compression import compress, compressed_response

BODY = b"body { color: red }" * 50


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        *(("gzip, deflate", "gzip"), ("compress;q=1.0,GZIP;q=0.8", "gzip"), ("x-gzip", "gzip")),
        *(("compress", None), ("", None), ("gzip;q=0", None), ("deflate, gzip ; q=0.000", None), ("gzipped", None)),
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
    assert compress(BODY).encode("gzip") == compress(BODY).encode("gzip")
    assert compress(BODY).encode("gzip")[4:8] == bytes(4)


@pytest.mark.parametrize("level", [9, 6])
@pytest.mark.parametrize(("coding", "accepts"), [("br", "gzip, deflate, br, zstd"), ("zstd", "gzip, zstd, br;q=0")])
def test_brotli_and_zstd_are_used_where_their_packages_are_installed(coding: str, accepts: str, level: int) -> None:
    """The smallest that the client takes is chosen, and is the body."""
    decoders = {"br": ("brotli", "decompress"), "zstd": ("zstandard", "decompress")}
    module, function = decoders[coding]
    decode = getattr(pytest.importorskip(module), function)
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepts})
    response = compressed_response(request, compress(BODY, level), "text/css", cache_control="no-cache")
    assert response["Content-Encoding"] == coding
    assert decode(response.content) == BODY


@pytest.mark.parametrize("missing", [("brotli", "zstandard"), ("brotli",)], ids=["none", "zstd alone"])
def test_without_the_packages_gzip_is_used(monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]) -> None:
    """Neither is a dependency."""
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    assert set(compression._find_coders()) <= {"gzip", "zstd"} - {"zstd" if "zstandard" in missing else ""}


@given(st.text(alphabet="abgzipr, ;q=0.1*x", max_size=60))
def test_any_accept_encoding_gives_a_coding_that_it_names(accepted: str) -> None:
    """Whatever a client sends, it gets plain bytes or a coding whose name stands in its header."""
    coding = compression.choose_coding(accepted)
    assert not coding or coding in accepted.lower()
