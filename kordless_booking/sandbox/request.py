"""The sandbox's request object, built from a WSGI environ. Building it interprets nothing and only limits sizes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .response import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 64 * 1024
"""Bytes. Kordless's own limit is unknown."""
PREFIX = "/api/calendar/v1/public"
"""Path of the documented base URL."""


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    """Percent-decoded."""
    query: str
    """Raw, percent-encoded text."""
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes
    too_long: bool = False
    """True if the body exceeds MAX_BODY; then `body` is empty."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, Any]) -> Request:
        """Build a request from a WSGI environ. A body over 64 KiB is not read."""
        headers = {
            name[5:].replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = str(environ["CONTENT_TYPE"])
        # int() would also accept "1_0" and other scripts' digits.
        length = str(environ.get("CONTENT_LENGTH") or "0")
        size = int(length) if re.fullmatch("[0-9]{1,15}", length) else 0
        body = environ["wsgi.input"].read(size) if 0 < size <= MAX_BODY_BYTES else b""
        return cls(
            method=str(environ.get("REQUEST_METHOD", "GET")).upper(),
            path=_decode_path(str(environ.get("PATH_INFO", ""))),
            query=str(environ.get("QUERY_STRING") or ""),
            headers=headers,
            body=body,
            too_long=size > MAX_BODY_BYTES,
        )

    def parameters(self) -> dict[str, str]:
        """Parse the query. A raw "+" is a space. Raises ApiError (400) for a repeated name."""
        try:
            pairs = parse_qsl(self.query, keep_blank_values=True, errors="replace", max_num_fields=40)
        except ValueError as error:
            raise ApiError(400, "too many query parameters") from error
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ApiError(400, "a query parameter is given more than once")
        return found

    def document(self) -> dict[str, Any]:
        """Parse the JSON object in the body, without NaN and repeated names. Raises ApiError (400, 413)."""
        if self.too_long:
            raise ApiError(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise ApiError(400, "Content-Type must be application/json")
        try:
            found = json.loads(self.body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, "the body is not valid JSON") from error
        if not isinstance(found, dict):
            raise ApiError(400, "the body must be a JSON object")
        return found


def _decode_path(path: str) -> str:
    """Decode the path's bytes, which WSGI passes as Latin-1 text (PEP 3333)."""
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        # httpx's in-process transport passes decoded text instead.
        return path


# json calls these two for each object, and for NaN and Infinity.
def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_constant(_: str) -> None:
    raise ValueError
