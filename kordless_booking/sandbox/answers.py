"""What the sandbox answers: a status with a JSON document, or a refusal in the documented flat error form."""

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


@dataclass
class Answer:
    """An answer on its way out.

    `raw`, or `stream` with its own Content-Length, is sent instead of the JSON of `document`.
    """

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    stream: Iterable[bytes] | None = None

    def body(self) -> bytes:
        """The bytes to send when there is no stream."""
        if self.raw is not None:
            return self.raw
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Refusal(Exception):
    """The operation says no: raised anywhere inside, answered as {"detail", "status", "type"}."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The refusal in the documented form."""
        return Answer(self.status, error(self.status, self.detail), self.headers)


def error(status: int, detail: str) -> dict[str, Any]:
    """The flat error document."""
    return {"detail": detail, "status": status, "type": TYPES.get(status, "error")}
