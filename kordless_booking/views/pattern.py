"""Templates that are rendered once and filled many times.

A month has some forty cells and a day may have a hundred times; and but for those, and for some links, the slot page
is the same for every visitor. Rendering it all anew for each costs ten times what joining strings costs. So a part or
a page is rendered once with a mark in the place of each value that varies, and then only filled.

A site may override such a template like any other. It can show the values, but not look into them: conditions see a
mark where a value stands, and nothing where none does.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

__all__ = ["Pattern", "assemble", "pattern"]

# Private-use characters pass every filter and need no escaping; the random part can't be forged by a business's text.
_NONCE: Final = secrets.token_hex(4)
_MARK: Final = re.compile(f"\ue000{_NONCE}:([0-9]+)\ue001")


class Pattern:
    """A rendered text with places in it; `fill` takes escaped values by the number of their mark."""

    def __init__(self, text: str) -> None:
        pieces = _MARK.split(text)
        self._texts = pieces[::2]
        self._places = [int(number) for number in pieces[1::2]]

    def fill(self, values: Sequence[str]) -> str:
        filled = [self._texts[0]]
        for place, text in zip(self._places, self._texts[1:], strict=True):
            filled += (values[place], text)
        return "".join(filled)


class PartPattern:
    """A part by the names of its values."""

    def __init__(self, template: str, names: tuple[str, ...], fixed: Mapping[str, object]) -> None:
        marks = {name: _mark(number) for number, name in enumerate(names)}
        self._pattern = Pattern(render_to_string(template, {**fixed, **marks}).strip())

    def fill(self, *values: str) -> str:
        """The part with these values, in the order of the names, escaped."""
        return self._pattern.fill([escape(value) for value in values])


def pattern(template: str, names: tuple[str, ...], **fixed: str | bool) -> PartPattern:
    """A part as a pattern in the active language. `fixed` is what its conditions look at."""
    if settings.DEBUG:
        return PartPattern(template, names, fixed)
    return _part(template, names, tuple(sorted(fixed.items())), get_language())


def assemble(template: str, context: Mapping[str, Any], varying: Collection[str]) -> str:
    """The page that `template` makes of `context`, from a pattern.

    Ready HTML, and text that stands under one of the names in `varying`, is put in place afterwards; everything else
    makes the pattern, so it should be the same for many visitors. Lists, dictionaries and dataclasses are looked
    through.
    """
    values: list[str] = []

    def marked(name: str, value: Any) -> Any:
        if isinstance(value, str):
            ready = isinstance(value, SafeString)
            if not value or not (ready or name in varying):
                return value
            values.append(value if ready else escape(value))
            return _mark(len(values) - 1)
        if isinstance(value, dict):
            return {key: marked(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [marked(name, inner) for inner in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            inner = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return type(value)(**{key: marked(key, each) for key, each in inner.items()})
        return value

    shape = {key: marked(key, value) for key, value in context.items()}
    key = f"{template}\0{get_language()}\0{shape!r}"
    page = None if settings.DEBUG else _pages.get(key)
    if page is None:
        page = Pattern(render_to_string(template, shape))
        if len(_pages) >= _MOST_PAGES:
            _pages.clear()
        _pages[key] = page
    return page.fill(values)


_pages: dict[str, Pattern] = {}
_MOST_PAGES: Final = 256


@lru_cache(maxsize=2048)
def _mark(number: int) -> SafeString:
    return mark_safe(f"\ue000{_NONCE}:{number}\ue001")  # noqa: S308 (no markup in it)


@lru_cache(maxsize=512)
def _part(
    template: str, names: tuple[str, ...], fixed: tuple[tuple[str, str | bool], ...], _language: str | None
) -> PartPattern:
    return PartPattern(template, names, dict(fixed))


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"TEMPLATES", "INSTALLED_APPS", "DEBUG", "ROOT_URLCONF", "STATIC_URL", "STORAGES"}:
        _part.cache_clear()
        _pages.clear()
