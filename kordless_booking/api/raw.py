"""Session that returns responses as they came, refusals included, for the comparison of the API with its contract."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from kordless_booking.api.requests import Operation
from kordless_booking.api.responses import parse_json_strict, parse_response_meta
from kordless_booking.api.session import Session, read_response
from kordless_booking.exceptions import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.call_log import CallRecord


@dataclass(frozen=True)
class RawResponse:
    """Response. The repr shows the status alone: a booking's document contains the contact."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By names in lower case."""
    document: object = field(repr=False)
    """The parsed JSON, numbers with a fraction as Decimal; None when the body isn't JSON."""


def build_raw_operation(
    operation: str,
    method: str,
    path: str,
    *,
    query: str = "",
    body: bytes | None = None,
    idempotency_key: str | None = None,
) -> Operation[Any]:
    """Return an operation for `RawSession`, which parses nothing. `path` and `query` are percent-encoded."""
    return Operation(operation, method, path, _never_parsed, query=query, body=body, idempotency_key=idempotency_key)


def _never_parsed(_document: object, _skipped: object) -> NoReturn:
    raise NotImplementedError


class RawSession(Session):
    """Session whose `send` returns a RawResponse for each status. Raises KordlessError where none arrived."""

    def _exchange(self, call: Operation[Any], record: CallRecord) -> Any:
        response = self._transport(call).handle_request(self._request(call))
        with contextlib.closing(response):
            record.status = response.status_code
            record.response = parse_response_meta(response.status_code, response.headers, now=time.time())
            body = read_response(response)
        try:
            document = parse_json_strict(body)
        except OutcomeUnknown:
            document = None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return RawResponse(response.status_code, headers, document)
