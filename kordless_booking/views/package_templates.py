"""Decides if a template, and everything that it extends, includes and loads, ships with the package.

Only HTML of such templates is shared between visitors or made from a skeleton. A site's own template may show the user,
the time, or a filtered value, so it is rendered for each request. The decision is cached for each template and layout::

    find_package_templates(name, layout)
      ├─ settings.DEBUG                                    → None
      ├─ found by another backend than Django's            → None
      ├─ the engine has other tags or filters than Django  → None
      └─ for the template, the layout, and all that they include:
           ├─ the file is not the package's                → None
           ├─ a loader has changed the file's text         → None
           ├─ an unknown tag library is loaded             → None
           └─ a name is no literal, nor kb.layout          → None
                                                           otherwise PackageTemplates
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from threading import RLock
from typing import Any, Final

from django.conf import settings
from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates
from django.template.backends.django import Template as BackendTemplate
from django.template.base import Node, Template, Variable
from django.template.library import InclusionNode, Library, import_library
from django.template.loader import get_template
from django.template.loader_tags import ExtendsNode, IncludeNode
from django.template.loaders.cached import Loader as CachedLoader

from kordless_booking.setting_changes import on_setting_change
from kordless_booking.views.template_values import ComputedNames, find_computed_names

_FOLDER: Final = Path(__file__).parent.parent / "templates"
_LAYOUT: Final = "kb.layout"
"""The only variable that the package's templates extend. The caller passes its value as `layout`."""
_LOADED: Final = re.compile(r"\{%\s*load\s+(.*?)\s*%\}")
_LIBRARIES: Final[Mapping[str, str]] = {
    "django_htmx": "django_htmx.templatetags.django_htmx",
    "i18n": "django.templatetags.i18n",
    "kordless_text": "kordless_booking.templatetags.kordless_text",
    "static": "django.templatetags.static",
}
"""Tag libraries that the package's templates load. The output of their tags depends only on language and settings,
that of their filters on the value."""
# None is a cached decision, too.
_UNKNOWN: Final = object()


class PackageTemplates:
    """Template that is proved to be the package's own, with all that it extends and includes.

    Only `find_package_templates` creates instances. Skeletons and the response cache require one, so neither can
    contain output of a site's template.
    """

    def __init__(self, name: str, found: BackendTemplate, used: Mapping[tuple[str, bool], Template]) -> None:
        self._found = found
        self._root: Template = found.template
        self._name = name
        self._used = used
        self._memory = _loader_cache(self._root.engine)

    def render(self, context: dict[str, Any]) -> str:
        """Render without a request, so that the result depends on `context`, language and settings alone."""
        return str(self._found.render(context))

    @cached_property
    def computed_names(self) -> ComputedNames:
        """Names of the values that a skeleton can't have placeholders for, from `find_computed_names`."""
        return find_computed_names([self._root, *self._used.values()])

    def is_current(self) -> bool:
        """Return True while the engine would still use the same template objects."""
        # Django's cached loader drops all its templates at once, so checking one of them is enough.
        if self._memory is not None:
            return self._memory.get(self._name) is self._root
        # Any other loader is asked for each template: it may read from a database, or have templates for each tenant.
        try:
            found = get_template(self._name)
            return getattr(found, "template", None) is self._root and all(
                _load(self._root, name, extended=extended) is template
                for (name, extended), template in self._used.items()
            )
        except (TemplateDoesNotExist, TemplateSyntaxError):
            return False


def templates_to_watch(packages: Iterable[PackageTemplates]) -> tuple[PackageTemplates, ...]:
    """Return those whose `is_current` must be checked: of all that one cached loader holds, one is enough."""
    picked = {id(each) if each._memory is None else id(each._memory): each for each in packages}
    return tuple(picked.values())


def find_package_templates(name: str, layout: str | None = None) -> PackageTemplates | None:
    """Return the template `name`, or None unless it and everything that it may use are the package's own.

    `layout` is the value of `kb.layout`. Without it, a template that extends another one gives None.
    """
    # Templates are edited now, so none is kept.
    if settings.DEBUG:
        return None
    decided = _decision(name, layout)
    if decided is _UNKNOWN:
        # One proof at a time: two would compile the same templates, and each replace what the other has just proved.
        with _proving:
            # Another thread may have made the proof meanwhile.
            decided = _decision(name, layout)
            if decided is _UNKNOWN:
                decided = _decide(name, layout)
    return decided if isinstance(decided, PackageTemplates) else None


def _decision(name: str, layout: str | None) -> Any:
    """Return the decision in force, or `_UNKNOWN` when the template must be proved, for the first time or again.

    None stays until a setting changes, although a template may since have become the package's own: rendering for each
    request is always correct.
    """
    known: Any = _known.get((name, layout), _UNKNOWN)
    return known if known is None or (known is not _UNKNOWN and known.is_current()) else _UNKNOWN


def _decide(name: str, layout: str | None) -> PackageTemplates | None:
    """Prove the template and keep the decision, unless another thread compiled the template during the proof."""
    proved = _prove(name, layout)
    if proved is not None and not proved.is_current():
        # With a cached loader that was a race, so the next request proves again. A loader without a cache compiles a
        # new object each time, and may find another template when the page is rendered.
        if proved._memory is not None:
            return None
        proved = None
    _known[name, layout] = proved
    return proved


# Decisions, by template and layout.
_known: dict[tuple[str, str | None], PackageTemplates | None] = {}
_proving = RLock()


def _prove(name: str, layout: str | None) -> PackageTemplates | None:
    try:
        found = get_template(name)
        # A subclass of the backend's template may add anything to the context.
        if type(found) is not BackendTemplate or not _has_only_django_tags(found.template.engine):
            return None
        used = _used_by(name, found.template, layout)
    except (TemplateDoesNotExist, TemplateSyntaxError):
        return None  # rendering the template raises the same error, where it can be seen
    if used is None:
        return None
    return PackageTemplates(name, found, used)


def _used_by(name: str, root: Template, layout: str | None) -> dict[tuple[str, bool], Template] | None:
    """Return all templates that rendering `root` may use, by name and a flag for extended ones; None if one isn't ours.

    Walks the compiled nodes instead of rendering, so that untaken branches count as well.
    """
    used: dict[tuple[str, bool], Template] = {}
    waiting = [(name, False), *([(layout, True)] if layout else [])]
    while waiting:
        name, extended = waiting.pop()
        if (name, extended) in used:
            continue
        template = used[name, extended] = _load(root, name, extended=extended)
        if not _is_package_template(template, name):
            return None
        for node in template.nodelist.get_nodes_by_type(Node):
            match node:
                case IncludeNode():
                    # Not a literal: the name depends on the context.
                    if not isinstance(node.template.var, str) or node.template.filters:
                        return None
                    waiting.append((str(node.template.var), False))
                case ExtendsNode():
                    parent = getattr(node.parent_name, "var", None)
                    if layout is None or not isinstance(parent, Variable) or parent.var != _LAYOUT:
                        return None
                case InclusionNode():
                    # A tag with a template of its own, whose name isn't in this template's text.
                    return None
    return used


def _load(root: Template, name: str, *, extended: bool) -> Template:
    """Load a template as rendering `root` would: from the same engine."""
    if extended:
        # As ExtendsNode does: a template may extend another one of its own name, but never itself.
        parent, _origin = root.engine.find_template(name, skip=[root.origin])
        return parent
    return root.engine.get_template(name)


def _is_package_template(template: Template, name: str) -> bool:
    """Return True when the template is the package's file of that name, with its text unchanged."""
    own = _FOLDER / name
    if Path(template.origin.name).resolve() != own.resolve() or not own.is_file():
        return False
    if template.source != own.read_text(encoding="utf-8"):
        return False
    libraries = template.engine.template_libraries
    loaded = {word for words in _LOADED.findall(template.source) for word in words.split()}
    return all(word in _LIBRARIES and libraries.get(word) is import_library(_LIBRARIES[word]) for word in loaded)


def _has_only_django_tags(engine: Engine) -> bool:
    """Return True unless a library in the engine's `builtins` replaces a tag or filter of Django's own.

    Additional tags and filters do no harm, because the package's templates don't use them.
    """
    # Merged in the order in which the engine's parser does it: the last library with a name wins.
    tags: dict[str, Any] = {}
    filters: dict[str, Any] = {}
    for library in engine.template_builtins:
        tags |= library.tags
        filters |= library.filters
    return all(tags[name] is tag for library in _django_libraries() for name, tag in library.tags.items()) and all(
        filters[name] is function for library in _django_libraries() for name, function in library.filters.items()
    )


@cache
def _django_libraries() -> list[Library]:
    return [import_library(path) for path in Engine.default_builtins]


def _loader_cache(engine: Engine) -> Mapping[str, Any] | None:
    """Return the cache of Django's cached loader when it alone decides which template is found, else None."""
    # `get_template` asks the engines in their order, so only the first one can decide alone.
    first, loaders = engines.all()[0], engine.template_loaders
    if not isinstance(first, DjangoTemplates) or first.engine is not engine or len(loaders) != 1:
        return None
    return loaders[0].get_template_cache if type(loaders[0]) is CachedLoader else None


on_setting_change(None, _known.clear)
