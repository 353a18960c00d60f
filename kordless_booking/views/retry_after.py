"""The Retry-After header: when a visitor, a monitor or Kordless may send the request again."""

from __future__ import annotations

from typing import Final, TypeVar

from django.http import HttpResponse

RETRY_SECONDS: Final = 30
"""Seconds to wait where nobody knows better: an outage rarely ends within a few seconds."""

R = TypeVar("R", bound=HttpResponse)


def set_retry_after(response: R, seconds: int | None = None) -> R:
    """Set Retry-After to whole seconds, RETRY_SECONDS by default, and return the response.

    0 counts as unknown: it would ask for an immediate retry.
    """
    response["Retry-After"] = str(seconds or RETRY_SECONDS)
    return response
