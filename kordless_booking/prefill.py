"""The site's function in PREFILL: what it knows of the visitor, for the fields of the contact form.

It is called with the request, and returns texts by the names of the fields::

    def prefill(request: HttpRequest) -> Mapping[str, str]: ...
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kordless_booking.dotted_paths import find_function_problem, load_function

if TYPE_CHECKING:
    from django.http import HttpRequest

_ARGUMENTS: Final = ("request",)


def call_prefill(path: str, request: HttpRequest) -> dict[str, str]:
    """Return what the function with this dotted path says of the visitor: the non-empty texts alone.

    Raises TypeError when it returns no mapping, and whatever it raises.
    """
    found = load_function(path, *_ARGUMENTS)(request)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise TypeError("it returns no mapping")
    # Names and numbers of users may be texts of a lazy or another kind.
    return {str(name): text for name, value in found.items() if value is not None and (text := str(value).strip())}


def find_prefill_problem(path: str) -> str:
    """Return why the function with this dotted path can't be used; "" where it can, or there is none."""
    return find_function_problem(path, *_ARGUMENTS)
