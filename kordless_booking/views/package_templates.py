"""Decides whether everything that a template is rendered from ships in the package.

Only such HTML is shared between visitors or made from a skeleton. A site's own template may show the user, the time,
or a filtered value, so it is rendered for each request. The decision is made once for each template and layout::

    find_package_templates(name, layout)
      ├─ settings.DEBUG                                    → None
      ├─ found by another backend than Django's            → None
      ├─ the engine has other tags or filters than Django  → None
      └─ for the template, the layout, and all that they include:
           ├─ the file is not the package's                → None
           ├─ the text is not the file's (a loader's doing) → None
           ├─ a library is loaded that is not known here   → None
           └─ a name can't be read from the text           → None
                                                           otherwise PackageTemplates
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates
from django.template.backends.django import Template as BackendTemplate
from django.template.base import Node, Template, Variable
from django.template.library import InclusionNode, Library, import_library
from django.template.loader import get_template
from django.template.loader_tags import ExtendsNode, IncludeNode
from django.template.loaders.cached import Loader as CachedLoader

__all__ = ["PackageTemplates", "find_package_templates", "to_be_watched"]

_FOLDER: Final = Path(__file__).parent.parent / "templates"
_LAYOUT: Final = "kb.layout"
"""The only variable that a template of the package extends. The caller says what is in it."""
_LOADED: Final = re.compile(r"\{%\s*load\s+(.*?)\s*%\}")
_LIBRARIES: Final[Mapping[str, str]] = {
    "django_htmx": "django_htmx.templatetags.django_htmx",
    "i18n": "django.templatetags.i18n",
    "static": "django.templatetags.static",
}
"""What the widget's templates load. A tag of theirs depends on the language and on settings, and on nothing else."""
_UNKNOWN: Final = object()


class PackageTemplates:
    """A template, and all that it extends and includes, proved to be the package's own.

    Only `find_package_templates` makes one. Skeletons and the response cache demand one, so neither can hold anything
    of a site's template.
    """

    def __init__(self, name: str, found: BackendTemplate, used: Mapping[tuple[str, bool], Template]) -> None:
        self._found = found
        self._root: Template = found.template
        self._name = name
        self._used = used
        self._memory = _memory_of(self._root.engine)

    def render(self, context: dict[str, Any]) -> str:
        """Render without a request: nothing in the result can be about a visitor who is not in `context`."""
        return str(self._found.render(context))

    def is_current(self) -> bool:
        """Whether the engine would still render from the very same templates.

        Django's cached loader forgets all its templates at once or none, so that looking for one of them is enough.
        Any other loader is asked for each: it may read from a database, or have templates for each tenant.
        """
        if self._memory is not None:
            return self._memory.get(self._name) is self._root
        try:
            found = get_template(self._name)
            return getattr(found, "template", None) is self._root and all(
                _load(self._root, name, extended=extended) is template
                for (name, extended), template in self._used.items()
            )
        except (TemplateDoesNotExist, TemplateSyntaxError):
            return False


def to_be_watched(packages: Iterable[PackageTemplates]) -> tuple[PackageTemplates, ...]:
    """Pick those of which `is_current` has to be asked: one is enough of all that one cached loader holds."""
    picked = {id(each) if each._memory is None else id(each._memory): each for each in packages}
    return tuple(picked.values())


def find_package_templates(name: str, layout: str | None = None) -> PackageTemplates | None:
    """Find the template `name`; None unless it and all that it may use are the package's own.

    `layout` is what stands in `kb.layout`; without it a template that extends is never the package's own. A None lasts
    until a setting changes: rendering for each request is always right.
    """
    if settings.DEBUG:
        return None
    known: Any = _known.get((name, layout), _UNKNOWN)
    if known is None or (known is not _UNKNOWN and known.is_current()):
        return known if isinstance(known, PackageTemplates) else None
    proved = _known[name, layout] = _prove(name, layout)
    return proved


_known: dict[tuple[str, str | None], PackageTemplates | None] = {}


def _prove(name: str, layout: str | None) -> PackageTemplates | None:
    try:
        found = get_template(name)
        # A subclass may add what it likes to the context.
        if type(found) is not BackendTemplate or not _has_djangos_own_tags(found.template.engine):
            return None
        used = _used_by(name, found.template, layout)
    except (TemplateDoesNotExist, TemplateSyntaxError):
        return None  # whoever renders it will hear of it
    if used is None:
        return None
    proved = PackageTemplates(name, found, used)
    # A loader that compiles a template anew each time may find another one when the page is rendered.
    return proved if proved.is_current() else None


def _used_by(name: str, root: Template, layout: str | None) -> dict[tuple[str, bool], Template] | None:
    """All templates that rendering `root` may touch, by name and whether they are extended; None if one isn't ours."""
    used: dict[tuple[str, bool], Template] = {}
    waiting = [(name, False), *([(layout, True)] if layout else [])]
    while waiting:
        name, extended = waiting.pop()
        if (name, extended) in used:
            continue
        template = used[name, extended] = _load(root, name, extended=extended)
        if not _is_the_packages(template, name):
            return None
        for node in template.nodelist.get_nodes_by_type(Node):
            match node:
                case IncludeNode():
                    if not isinstance(node.template.var, str) or node.template.filters:
                        return None
                    waiting.append((str(node.template.var), False))
                case ExtendsNode():
                    parent = getattr(node.parent_name, "var", None)
                    if layout is None or not isinstance(parent, Variable) or parent.var != _LAYOUT:
                        return None
                case InclusionNode():
                    return None
    return used


def _load(root: Template, name: str, *, extended: bool) -> Template:
    """Load as rendering `root` would: in its engine, and as a parent only what is not `root` itself."""
    if extended:
        parent, _origin = root.engine.find_template(name, skip=[root.origin])
        return parent
    return root.engine.get_template(name)


def _is_the_packages(template: Template, name: str) -> bool:
    """Whether the template is the package's file of that name, as it was written."""
    own = _FOLDER / name
    if Path(template.origin.name).resolve() != own.resolve() or not own.is_file():
        return False
    if template.source != own.read_text(encoding="utf-8"):
        return False
    libraries = template.engine.template_libraries
    loaded = {word for words in _LOADED.findall(template.source) for word in words.split()}
    return all(word in _LIBRARIES and libraries.get(word) is import_library(_LIBRARIES[word]) for word in loaded)


def _has_djangos_own_tags(engine: Engine) -> bool:
    """Whether no library in the engine's `builtins` replaces a tag or filter of Django's. More of them do no harm."""
    tags: dict[str, Any] = {}
    filters: dict[str, Any] = {}
    for library in engine.template_builtins:
        tags |= library.tags
        filters |= library.filters
    return all(tags[name] is tag for library in _djangos_own() for name, tag in library.tags.items()) and all(
        filters[name] is function for library in _djangos_own() for name, function in library.filters.items()
    )


@cache
def _djangos_own() -> list[Library]:
    return [import_library(path) for path in Engine.default_builtins]


def _memory_of(engine: Engine) -> Mapping[str, Any] | None:
    """The memory of Django's cached loader, if it alone decides which template is found."""
    first, loaders = engines.all()[0], engine.template_loaders
    if not isinstance(first, DjangoTemplates) or first.engine is not engine or len(loaders) != 1:
        return None
    return loaders[0].get_template_cache if type(loaders[0]) is CachedLoader else None


@receiver(setting_changed)
def _forget(**_kwargs: object) -> None:
    _known.clear()
