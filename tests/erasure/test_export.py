"""Names of the targets of erasure and export: each stands for the rows of one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kordless_booking import hooks
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import TARGETS, erase_person, export_person
from tests.projects.extended.callback.plugin import CallbackRequests
from tests.support.clock import NOW

NAMES = [target.name for target in TARGETS]
JANE = Person.from_texts(["jane@example.com"], frozenset())


@pytest.fixture(autouse=True)
def _without_hooks() -> Iterator[None]:
    """Begin and end without any hook."""
    with hooks.temporary_hooks():
        yield


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("registry", [hooks.erasure_targets, hooks.export_targets], ids=lambda each: each.kind)
def test_an_extension_can_not_take_the_name_of_a_target_of_the_widget(registry: hooks.Hooks[object], name: str):
    """What the widget stores under it would be missing in the document, and in the report of an erasure."""
    target = CallbackRequests()
    target.name = name
    with pytest.raises(ValueError, match=f"a target '{name}' of its own"):
        registry.register(name, target)
    assert not registry


def test_each_target_of_the_widget_has_a_name_of_its_own():
    """And no other name is kept from extensions."""
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) == hooks._OWN_TARGETS


@pytest.mark.django_db
def test_an_extension_that_renames_its_target_later_replaces_no_rows(monkeypatch: pytest.MonkeyPatch):
    """Its rows stand under the name that it was registered with."""
    target = CallbackRequests()
    hooks.erasure_targets.register(target.name, target)
    hooks.export_targets.register(target.name, target)
    registered, target.name = target.name, NAMES[0]
    monkeypatch.setattr(target, "export_person", lambda *_a, **_k: [{"contact": "jane@example.com"}])
    assert list(erase_person(JANE, NOW)) == [*NAMES, registered]
    assert export_person(JANE) == {registered: [{"contact": "jane@example.com"}]}
