"""The exception tree equals its drawing."""

import re

import pytest

from kordless_booking import exceptions

ERRORS = {name: getattr(exceptions, name) for name in exceptions.__all__}


def drawn() -> dict[str, str]:
    """Class -> parent, as the docstring draws it."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (exceptions.__doc__ or "").splitlines():
        found = re.match(r"    (?P<branch>[│├└─ ]*)(?P<name>[A-Z][A-Za-z]+)(?: |$)", line)
        if found:
            depth = len(found["branch"]) // 4
            path[depth:] = [found["name"]]
            parents[found["name"]] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_is_the_one_drawn() -> None:
    """The drawing on top of the module shows each class under its real parent, and no other."""
    assert drawn() == {name: error.__base__.__name__ for name, error in ERRORS.items()}


def test_what_is_public_is_pinned() -> None:
    """The names that others catch are these."""
    assert sorted(ERRORS) == [
        "BadRequest",
        "CircuitOpen",
        "ContactRefused",
        "KeyRefused",
        "KordlessError",
        "NotFound",
        "NotSent",
        "OutcomeUnknown",
        "Refused",
        "SlotTaken",
        "TooMany",
        "Unavailable",
        "Unreachable",
    ]


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_carries_the_same(name: str) -> None:
    """Operation, status, reason and wait are on each; without a message the reason or the name speaks."""
    error = ERRORS[name](operation="create", status=418, reason="teapot", retry_after=3)
    assert (error.operation, error.status, error.reason, error.retry_after) == ("create", 418, "teapot", 3)
    assert str(error) == "teapot"
    assert str(ERRORS[name]()) == name
