"""Requests that the sandbox received."""

from __future__ import annotations

from kordless_booking.sandbox import Sandbox


def count_requests(sandbox: Sandbox, operation: str) -> int:
    """Return how many requests of an operation, such as "lookup", the sandbox received."""
    return [request.operation for request in sandbox.requests].count(operation)
