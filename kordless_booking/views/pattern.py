"""Skeletons: templates that are rendered once, with a placeholder for each value that varies, and filled many times.

A month has some forty cells and a day may have a hundred times; and but for those, and for some links, the slot page
is the same for every visitor. Rendering it all anew for each costs ten times what joining strings costs.

Only a template of the package's own makes a skeleton, as `PackageTemplates` proves: one of the site's would see
placeholders where values stand. `SitePart` renders such a part, with real values, for one request.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache, wraps
from html import escape
from itertools import count
from typing import Any, Final, ParamSpec, TypeVar

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from kordless_booking.views.package_templates import PackageTemplates

__all__ = ["Pattern", "SitePart", "assemble", "kept_pattern", "mark", "pattern"]

P = ParamSpec("P")
T = TypeVar("T")

# Private-use characters pass every filter and need no escaping; the random part can't be forged by a business's text.
_NONCE: Final = secrets.token_hex(4)
_forgetting: Final[list[Callable[[], None]]] = []
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

    def __init__(self, package: PackageTemplates, names: tuple[str, ...], fixed: Mapping[str, object]) -> None:
        marks = {name: mark(number) for number, name in enumerate(names)}
        self._pattern = Pattern(package.render({**fixed, **marks}).strip())

    def fill(self, *values: str) -> str:
        """The part with these values, in the order of the names, escaped unless they are ready HTML."""
        return self._pattern.fill([value if type(value) is SafeString else escape(value) for value in values])


class SitePart:
    """A part that the site has a template of its own for. `context` is what stands beside the part's own values."""

    def __init__(self, template: str, context: Mapping[str, Any]) -> None:
        self._template = get_template(template)
        self._context = context

    def render(self, **values: object) -> str:
        """Render for the present request, with these values as they are."""
        return str(self._template.render({**self._context, **values})).strip()


def kept_pattern(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function makes of templates, for its arguments and the active language; never while DEBUG."""

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        @lru_cache(most)
        def made(_language: str | None, *args: Any, **kwargs: Any) -> T:
            return make(*args, **kwargs)

        kept: Callable[..., T] = made

        @wraps(make)
        def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
            return make(*args, **kwargs) if settings.DEBUG else kept(get_language(), *args, **kwargs)

        _forgetting.append(made.cache_clear)
        return remembered

    return decorate


@kept_pattern(512)
def pattern(package: PackageTemplates, names: tuple[str, ...], **fixed: str | bool) -> PartPattern:
    """A part as a skeleton in the active language. `fixed` is what its conditions look at."""
    return PartPattern(package, names, fixed)


def assemble(package: PackageTemplates, context: Mapping[str, Any], varying: Collection[str]) -> str:
    """The page that the package's templates make of `context`, from a skeleton.

    Ready HTML, and text that stands under one of the names in `varying`, is put in place afterwards; everything else
    makes the skeleton, so it should be the same for many visitors. Lists, dictionaries and dataclasses are looked
    through, tuples are not.
    """
    values: list[str] = []
    key = (
        # By identity: templates that were loaded anew make a skeleton of their own.
        package,
        get_language(),
        tuple([(name, _shape(name, value, varying, values)) for name, value in context.items()]),
    )
    page = _pages.get(key)
    if page is None:
        numbers = count()
        marked = {name: _marked(name, value, varying, numbers) for name, value in context.items()}
        page = Pattern(package.render(marked))
        if len(_pages) >= _MOST_PAGES:
            _pages.clear()
        _pages[key] = page
    return page.fill(values)


_pages: dict[tuple[object, ...], Pattern] = {}
_MOST_PAGES: Final = 256


def _shape(name: str, value: Any, varying: Collection[str], values: list[str]) -> Hashable:
    """What makes the pattern; what varies is put into `values`, escaped."""
    kind: Any = type(value)
    if isinstance(value, str):
        ready = kind is SafeString
        if not value or not (ready or name in varying):
            return value
        values.append(value if ready else escape(value))
        return _VARIES
    if isinstance(value, dict):
        return kind, tuple([(key, _shape(key, inner, varying, values)) for key, inner in value.items()])
    if isinstance(value, list):
        return kind, tuple([_shape(name, inner, varying, values) for inner in value])
    if names := _fields(kind):
        return kind, tuple([_shape(each, getattr(value, each), varying, values) for each in names])
    return kind, value


def _marked(name: str, value: Any, varying: Collection[str], numbers: Iterator[int]) -> Any:
    """The same with a mark in the place of each value that varies, in the same order."""
    if isinstance(value, str):
        return mark(next(numbers)) if value and (name in varying or type(value) is SafeString) else value
    if isinstance(value, dict):
        return {key: _marked(key, inner, varying, numbers) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(name, inner, varying, numbers) for inner in value]
    kind: Any = type(value)
    if names := _fields(kind):
        return kind(**{each: _marked(each, getattr(value, each), varying, numbers) for each in names})
    return value


_VARIES: Final = object()


@lru_cache(maxsize=64)
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@lru_cache(maxsize=2048)
def mark(number: int) -> SafeString:
    """Stands in a text for the value of this number."""
    return mark_safe(f"\ue000{_NONCE}:{number}\ue001")  # noqa: S308 (no markup in it)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"TEMPLATES", "INSTALLED_APPS", "DEBUG", "ROOT_URLCONF", "STATIC_URL", "STORAGES", "LOCALE_PATHS"}:
        for forget in _forgetting:
            forget()
        _pages.clear()
