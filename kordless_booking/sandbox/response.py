"""Responses of the sandbox: a status with a JSON document, or an error in the documented flat form."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TYPES = {
    400: "validation_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limited",
    500: "internal_error",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
}
"""Status to the error's `type`. Those of 400, 401, 403 and 404 are documented, the others are assumed."""


@dataclass
class Response:
    """A response. Mutable, because faults change it on its way out."""

    status: int = 200
    document: Any = None
    """Sent as JSON, unless `raw` or `stream` is set."""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Body to send instead of `document`."""
    stream: Iterable[bytes] | None = None
    """Body to send instead of `document` and `raw`; `headers` then holds its Content-Length."""

    def body(self) -> bytes:
        """Return the bytes to send if there is no stream."""
        if self.raw is not None:
            return self.raw
        # "replace": a lone surrogate, which JSON can escape but UTF-8 can't encode, becomes a question mark.
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class ApiError(Exception):
    """Error of an operation, sent in the documented form {"detail", "status", "type"}."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def to_response(self) -> Response:
        """Return the error as a response."""
        return Response(self.status, error_document(self.status, self.detail), self.headers)


def error_document(status: int, detail: str) -> dict[str, Any]:
    """Return the documented flat error document."""
    return {"detail": detail, "status": status, "type": TYPES.get(status, "error")}
