"""Template skeletons (partial evaluation): rendered once with placeholders, then filled for each request.

A page of the calendar has 35 cells and a day up to a hundred times. Apart from these and from some links, the slot page
is the same for every visitor. Rendering all of it for each request costs ten times as much as joining strings.

Only the package's own templates are made into skeletons, which `PackageTemplates` proves: a site's template would see
placeholders instead of values. `SiteTemplatePart` renders a site's template with the real values, for one request.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, wraps
from hashlib import sha1
from html import escape
from itertools import count, repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple, ParamSpec, Self, TypeVar

import msgspec
from django.conf import settings
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from kordless_booking.memory_budget import BoundedDict, MemoryBudget, text_bytes
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.views.package_templates import PackageTemplates

P = ParamSpec("P")
T = TypeVar("T")

# Private-use characters pass through every filter and need no escaping. The random part (per process) keeps a text from
# outside, such as a business's name, from being taken for a placeholder.
_NONCE: Final = secrets.token_hex(4)
TEMPLATE_SETTINGS: Final = frozenset(
    {"TEMPLATES", "INSTALLED_APPS", "DEBUG", "ROOT_URLCONF", "STATIC_URL", "STORAGES", "LOCALE_PATHS"}
)
"""Settings that rendered templates depend on."""
# The names of a part's texts, and pairs of name and value for its flags and empty texts.
_Shape = tuple[str | tuple[str, str | bool], ...]
_PLACEHOLDER: Final = re.compile(f"\ue000{_NONCE}:([0-9]+)\ue001")


class Skeleton:
    """Rendered text, split at its placeholders."""

    def __init__(self, text: str) -> None:
        # `split` returns texts and the captured numbers in turn.
        self._pieces = _PLACEHOLDER.split(text)
        self._places = [int(number) for number in self._pieces[1::2]]

    @property
    def pieces(self) -> list[str]:
        """Texts between the placeholders, and the placeholders' numbers, in turn."""
        return self._pieces

    def fill(self, values: Sequence[str]) -> str:
        """Return the text with `values[n]` in place of placeholder n. The values must be escaped already."""
        filled = self._pieces.copy()
        filled[1::2] = [values[place] for place in self._places]
        return "".join(filled)


class PageSkeleton:
    """Skeleton of a whole page, in UTF-8: joining bytes and encoding what varies takes half the time of the reverse."""

    def __init__(self, text: str) -> None:
        pieces = Skeleton(text).pieces
        places = [int(number) for number in pieces[1::2]]
        # Many pages have the same value in dozens of places, and some values in none.
        self._values = list(dict.fromkeys(places))
        self._ranks = [self._values.index(place) for place in places]
        # By its rank instead of its number, which may differ between pages of the same bytes.
        pieces[1::2] = [str(rank) for rank in self._ranks]
        self._pieces: list[bytes] = [piece.encode() for piece in pieces]
        # With an empty one more: else the first value could begin in the last piece.
        self._digest = sha1(_NOT_IN_UTF8.join([*self._pieces, b""]), usedforsecurity=False)

    @property
    def pieces(self) -> list[bytes]:
        """As those of `Skeleton`."""
        return self._pieces

    def fill(self, values: Sequence[str]) -> RenderedPage:
        """Return what `Skeleton.fill` returns, encoded, with its digest."""
        texts = [values[number] for number in self._values]
        encoded = [text.encoded if type(text) is SharedText else text.encode() for text in texts]
        filled = self._pieces.copy()
        filled[1::2] = map(encoded.__getitem__, self._ranks)
        content = b"".join(filled)
        digest = self._digest.copy()
        digest.update(
            _NOT_IN_UTF8.join(
                [text.digest if type(text) is SharedText else each for text, each in zip(texts, encoded, strict=True)]
            )
        )
        return RenderedPage(content, digest.hexdigest())


class RenderedPage(NamedTuple):
    """Page that was made from a skeleton."""

    content: bytes
    """In UTF-8."""
    digest: str
    """Hexadecimal digest of all that the content was made of. It depends on nothing else, in all processes."""


_NOT_IN_UTF8: Final = b"\xff"
"""Separates what is digested, so that no two lists of texts are the same bytes."""


class SharedText(SafeString):
    """Long text that many pages share, such as a page's own style sheet, which is most of its bytes."""

    encoded: bytes
    """The text in UTF-8."""
    digest: bytes

    def __new__(cls, text: str) -> Self:
        """Encode and digest a text once, which needs no escaping."""
        shared = super().__new__(cls, text)
        shared.encoded = text.encode()
        shared.digest = sha1(shared.encoded, usedforsecurity=False).digest()
        return shared


class PackagePart:
    """Small package template that is used many times on a page, such as a cell of the calendar."""

    def __init__(self, package: PackageTemplates) -> None:
        self.package = package
        self._skeletons: dict[_Shape, Skeleton] = {}

    def render(self, **values: str | bool) -> str:
        """Fill the template's skeleton with these texts, escaped unless they are SafeString."""
        return self.skeleton(**values).fill(
            [
                value if type(value) is SafeString else escape(value)
                for value in values.values()
                if value and value is not True
            ]
        )

    def skeleton(self, **values: str | bool) -> Skeleton:
        """Return the skeleton for these flags and empty texts, to be filled with the other texts in their order."""
        # A flag or an empty text is no placeholder, because the template's conditions test it.
        shape = tuple([name if value and value is not True else (name, value) for name, value in values.items()])
        skeleton = self._skeletons.get(shape)
        if skeleton is None:
            skeleton = self._skeletons[shape] = _part_skeleton(self.package, shape)
        return skeleton


class SiteTemplatePart:
    """Part that the site has overridden with a template of its own."""

    def __init__(self, template: str, context: Mapping[str, Any]) -> None:
        self._template = get_template(template)
        #: What the template gets besides the part's own values.
        self._context = context

    def render(self, **values: object) -> str:
        """Render for the current request, with the real values. The template escapes them."""
        return str(self._template.render({**self._context, **values})).strip()


def cached_with_language(max_entries: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that caches a function's results per arguments, the active language among them.

    At most `max_entries`. Nothing is cached while DEBUG is on. The cache is cleared when a setting changes that
    templates depend on.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        compute = lru_cache(max_entries)(function)
        cached: Callable[..., T] = compute

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return function(*args, **kwargs) if settings.DEBUG else cached(*args, **kwargs)

        on_setting_change(TEMPLATE_SETTINGS, compute.cache_clear)
        return wrapper

    return decorate


def cached_per_language(max_entries: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator like `cached_with_language`, for a function that doesn't know the active language.

    Each look-up asks Django for it, which takes longer than all the rest.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @cached_with_language(max_entries)
        def cached(_language: str | None, *args: Any, **kwargs: Any) -> T:
            return function(*args, **kwargs)

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return cached(get_language(), *args, **kwargs)

        return wrapper

    return decorate


@cached_per_language(512)
def _part_skeleton(package: PackageTemplates, shape: _Shape) -> Skeleton:
    numbers = count()
    with_placeholders = dict((each, placeholder(next(numbers))) if isinstance(each, str) else each for each in shape)
    return Skeleton(package.render(with_placeholders).strip())


def render_from_skeleton(package: PackageTemplates, context: Mapping[str, Any], language: str) -> RenderedPage:
    """Render a page of the package's templates from a skeleton, which is cached. `language` is the active one.

    Text becomes a placeholder, and is filled in afterwards, unless it is empty, or the templates compute with its name
    (`PackageTemplates.computed_names`). All else is part of the skeleton's key, so it should be the same for many
    visitors. Searches lists, dicts, dataclasses and structs, but not tuples.
    """
    values: list[str] = []
    variables, attributes = package.computed_names
    key = (
        # By identity: templates that were loaded again get new skeletons.
        package,
        language,
        tuple(context),
        _shape(context, context.values(), variables, attributes, values),
    )
    page = _pages.get(key)
    if page is None:
        numbers = count()
        with_placeholders = {
            name: _replace_with_placeholders(name, value, variables, attributes, numbers)
            for name, value in context.items()
        }
        page = PageSkeleton(package.render(with_placeholders))
        # The next page that needs an evicted one rebuilds it with a single rendering.
        _pages.put(key, page, text_bytes(key, page.pieces))
    return page.fill(values)


MAX_PAGES: Final = 256
"""Skeletons of whole pages in this process."""
MAX_PAGES_BYTES: Final = 32 * 1024 * 1024
"""Bytes of all of them, with their keys: enough for a list of 300 services in each of twenty languages. A list of all
time zones has about 60 KB, or twice that in Arabic letters."""
SHARED_BUDGET: Final = MemoryBudget(MAX_PAGES_BYTES)
"""Budget of the skeletons of whole pages, and of the long lists on them (cells.py)."""
_pages: BoundedDict[tuple[object, ...], PageSkeleton] = BoundedDict(SHARED_BUDGET, max_entries=MAX_PAGES)


def _shape(
    names: Iterable[str],
    found: Iterable[Any],
    computed: frozenset[str],
    attributes: frozenset[str],
    values: list[str],
) -> tuple[Hashable, ...]:
    """Return the part of the skeleton's key for the values `found`. Append what varies to `values`, escaped.

    `computed` are the names at this level with which the templates compute, and `attributes` those within the values.
    """
    shape: list[Hashable] = []
    # One loop for all values of a level: with a call for each, this would be a tenth of what a page costs.
    for name, value in zip(names, found, strict=False):
        kind: Any = type(value)
        if isinstance(value, str):
            if not value or name in computed:
                shape.append((kind, value))
            else:
                values.append(value if kind is SafeString or kind is SharedText else escape(value))
                shape.append(_VARIES)
        # Without its type: True equals 1, but a number has its own beside it.
        elif value is None or kind is bool:
            shape.append(value)
        elif isinstance(value, dict):
            shape.append((kind, *value, _shape(value, value.values(), attributes, attributes, values)))
        elif isinstance(value, list):
            shape.append((kind, _shape(repeat(name), value, computed, attributes, values)))
        elif fields := _fields(kind):
            shape.append((kind, _shape(fields, _getter(fields)(value), attributes, attributes, values)))
        else:
            shape.append((kind, value))
    return tuple(shape)


def _replace_with_placeholders(
    name: str, value: Any, computed: frozenset[str], attributes: frozenset[str], numbers: Iterator[int]
) -> Any:
    """Return the value with placeholders. Must visit the varying values in the same order as `_shape`."""
    if isinstance(value, str):
        return value if not value or name in computed else placeholder(next(numbers))
    if isinstance(value, dict):
        return {
            key: _replace_with_placeholders(key, inner, attributes, attributes, numbers) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_replace_with_placeholders(name, inner, computed, attributes, numbers) for inner in value]
    kind: Any = type(value)
    if names := _fields(kind):
        return kind(
            **{
                each: _replace_with_placeholders(each, getattr(value, each), attributes, attributes, numbers)
                for each in names
            }
        )
    return value


_VARIES: Final = object()


@lru_cache(maxsize=64)
def _fields(kind: type) -> tuple[str, ...]:
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@lru_cache(maxsize=64)
def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that gets the attributes `names` of an object: half the time of `getattr` for each."""
    # The first one twice, because of a single name it would return the bare value. `_shape` ends with the names.
    return attrgetter(*names, names[0])


@lru_cache(maxsize=2048)
def placeholder(number: int) -> SafeString:
    """Return the placeholder for the value with this number."""
    return mark_safe(f"\ue000{_NONCE}:{number}\ue001")  # noqa: S308 (no markup in it)


on_setting_change(TEMPLATE_SETTINGS, _pages.clear)
