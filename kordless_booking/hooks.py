"""Extension API: registries into which other apps of the site put what they add to the widget.

An app registers in `AppConfig.ready()`, once for the process:

    from kordless_booking import hooks

    class WaitlistConfig(AppConfig):
        def ready(self) -> None:
            hooks.template_slots.register("times_after", render_block)
            hooks.url_patterns.register("waitlist", "waitlist.urls")

- Hooks of one kind are called in the order of registration, which is that of INSTALLED_APPS.
- Registering the same again changes nothing. A mistake raises ValueError or TypeError at once, so the site doesn't
  start with it.
- An exception in a hook is logged as `hook_failed`, without its message, and what the hook would have added is left
  out: no page, booking or mail fails by it. Two kinds are different. Erasure and export targets fail loudly and undo
  everything, and a doctor's check that raises is a finding.
- Without hooks, no page has another byte and costs another query.

docs/extending.md explains each kind with an example.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest
    from django.utils.functional import Promise

__all__ = [
    "PRIVATE_SLOTS",
    "SHARED_SLOTS",
    "AdminPage",
    "Change",
    "ErasureTarget",
    "ExportTarget",
    "ExtensionSetting",
    "Hooks",
    "RefreshedTimes",
    "SlotContext",
    "admin_pages",
    "change_handlers",
    "doctor_checks",
    "erasure_targets",
    "export_targets",
    "funnel_stages",
    "page_queries",
    "periodic_jobs",
    "scripts",
    "setting_rules",
    "signal_arguments",
    "template_slots",
    "temporary_hooks",
    "times_refreshed",
    "url_patterns",
]

H = TypeVar("H")

SHARED_SLOTS: Final = ("services_before", "services_after", "times_before", "times_after", "no_times")
"""Places on pages that are cached for all visitors. A hook gets no request there, and what it returns may depend on the
rest of its `SlotContext` alone."""
PRIVATE_SLOTS: Final = ("form_before_button", "confirmation_after_summary", "manage_after_summary")
"""Places on pages that are made for each request and cached nowhere."""

_SIGNAL_ARGUMENTS: Final = frozenset(
    {
        "signal",
        "sender",
        "booking",
        "service",
        "account",
        "source",
        "attribution",
        "reason",
        "answers",
        "metadata",
        "consents",
        "replay",
    }
)
"""Arguments that the signals of changes have already."""
_OWN_TARGETS: Final = frozenset(
    {
        "booking attempts",
        "webhook deliveries",
        "appointments with mail",
        "guests of others",
        "proofs of consent",
        "booking projections",
        "funnel days",
        "lost demand days",
        "campaign days",
        "rejected delivery days",
    }
)
"""Names of the widget's own targets of erasure and export (`erasure.run.TARGETS`)."""


@dataclass(frozen=True, kw_only=True)
class SlotContext:
    """Everything that a hook for a template slot may use."""

    slot: str
    """Name of the slot."""
    account: str
    """Name of the account."""
    language: str
    """Language code of the page; it is active."""
    page: Any
    """The page (`kb` in templates, docs/theming.md lists its attributes)."""
    url: Callable[..., str]
    """Returns the path of a page below the mount by its URL name and arguments, with the visitor's appearance."""
    service: str = ""
    """Slug of the service; `""` on the list of services, and where it isn't known."""
    choices: Any = None
    """`booking.choices.Choices` of the page's URL, such as zone, day, host and party. What a visitor has chosen, and
    nothing personal: pages are cached by them. Give them to `url` for a page that goes on with them."""
    here: Callable[..., str] | None = None
    """In shared slots, returns the URL of this page with other choices and, by name, more of its query."""
    query: Mapping[str, str] = field(default_factory=dict)
    """In shared slots, values of `page_queries`, as far as the request has them."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """In shared slots, what the page's URL has in its query besides `choices`, such as days that aren't wanted. Give it
    to `url`, by name, for a page from which a link leads back."""
    booking: Any = None
    """The `api.resources.Booking` that the page shows, on confirmation and manage page. Personal."""
    request: HttpRequest | None = None
    """The request; None in shared slots."""

    def render(self, template: str, **context: Any) -> SafeString:
        """Render a template with `kb`, `slot` (this object) and `context`, without context processors."""
        return render_to_string(template, {"kb": self.page, "slot": self, **context})


@dataclass(frozen=True, kw_only=True)
class Change:
    """Change of a booking, as it is published."""

    kind: str
    """`created`, `rescheduled` or `cancelled`."""
    booking: Any
    """`api.resources.Booking`, with the contact as far as it is known. Personal."""
    service: Any
    """Its `api.resources.Service` as it is cached, or None."""
    account: str
    """Name of the account."""
    source: Any
    """`signals.ChangeSource`."""
    attribution: Mapping[str, str]
    """Campaign parameters of the visit."""
    now: datetime
    """UTC."""
    preferences: Any = None
    """`booking.preferences.VisitorPreferences` (language, zone, terms), or None where they aren't known."""
    consents: tuple[Any, ...] = ()
    """`consent.GivenConsent` of each box that was ticked in the booking's form; empty where that isn't known."""
    replay: bool = False
    """Staff replays an old delivery."""
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Answers to the business's questions by name, as the signals have them. Personal."""
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Metadata that the page around the widget gave to the booking, as the signals have it."""


@dataclass(frozen=True, kw_only=True)
class RefreshedTimes:
    """Free times of a service that have just been fetched from Kordless, because some page needed them."""

    account: str
    """Name of the account."""
    service: str
    """Slug of the service."""
    slots: Sequence[Any]
    """All slots of the range (`api.resources.Slot`), by start."""
    until: datetime
    """Exclusive end of the range, UTC."""


@dataclass(frozen=True, kw_only=True)
class ExtensionSetting:
    """Rule of a key in KORDLESS_BOOKING that belongs to an extension. It is checked as the widget's own are."""

    is_valid: Callable[[object], bool]
    """Accepts a value; `conf.integer_between` and its neighbors make such functions."""
    hint: str
    """Accepted values, in words: the hint of the system check."""
    default: Any
    """Value where the site sets none."""
    convert: Callable[[Any], Any] = lambda value: value
    """Function from a valid value to the one that `conf.Account.extension_setting` returns."""
    secret: bool = False
    """True where no message may show a wrong value: it may be a token or a key."""


@dataclass(frozen=True, kw_only=True)
class AdminPage:
    """Link in the admin's overview."""

    label: str | Promise
    url_name: str
    """Name for `django.urls.reverse`, such as "admin:waitlist_waitlistentry_changelist"."""
    permission: str = ""
    """Permission that shows the link, such as "waitlist.view_waitlistentry"; `""` for all who see the overview."""


class ErasureTarget(Protocol):
    """Erasure in tables of an extension, as `erasure.base.ErasureTarget` describes it.

    Runs in the transaction of all targets, so its tables are in the same database. Raising undoes all of it.
    """

    name: str
    """Plural, in English: "waitlist entries"."""
    models: tuple[type[Model], ...]

    def erase_person(self, person: Any, now: datetime, *, accounts: list[str] | None, including_open: bool) -> Any:
        """Erase what belongs to an `erasure.base.Person`; return an `erasure.base.ErasureResult`."""

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> Any:
        """Erase what was last changed before `moment`; return an `erasure.base.ErasureResult`."""


class ExportTarget(Protocol):
    """Export of what an extension stores about a person."""

    name: str
    """Key of the rows in the exported document: "waitlist entries"."""

    def export_person(self, person: Any, *, accounts: list[str] | None) -> Iterable[Mapping[str, Any]]:
        """Return the rows of an `erasure.base.Person` as JSON can hold them."""


@dataclass
class Hooks(Generic[H]):
    """Hooks of one kind, each under a name. Registered at start-up, and only read after that."""

    kind: str
    """Name of the registry, for messages and the log."""
    names: Collection[str] | re.Pattern[str]
    """Names that there are, or the pattern of a name."""
    allows_several: bool = False
    """Several hooks may have one name."""
    methods: tuple[str, ...] = ("__call__",)
    """Attributes that a hook needs."""
    _hooks: list[tuple[str, H]] = field(default_factory=list)

    def register(self, name: str, hook: H) -> None:
        """Add a hook. Raises ValueError for a name that isn't known or is taken, TypeError for an unusable hook."""
        self._check_name(name)
        if missing := [method for method in self.methods if not hasattr(hook, method)]:
            is_function = self.methods == ("__call__",)
            needed = "a function" if is_function else f"an object with {', '.join(missing)}"
            raise TypeError(f"hooks.{self.kind}: {name!r} needs {needed}, not {hook!r}.")
        if getattr(hook, "name", name) != name:
            raise ValueError(f"hooks.{self.kind}: {hook!r} has another name than {name!r}.")
        if (name, hook) in self._hooks:
            return
        # Only paths of the mount itself ("") are shared: each of them is checked by its own pattern.
        if name and not self.allows_several and name in dict(self._hooks):
            raise ValueError(f"hooks.{self.kind}: {name!r} is taken by {dict(self._hooks)[name]!r}.")
        self._hooks.append((name, hook))

    def items(self) -> tuple[tuple[str, H], ...]:
        """Return names and hooks in the order of registration."""
        return tuple(self._hooks)

    def named(self, name: str) -> tuple[H, ...]:
        """Return the hooks of one name. Raises ValueError for a name that isn't known."""
        self._check_name(name)
        return tuple(hook for known, hook in self._hooks if known == name)

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def __contains__(self, name: object) -> bool:
        # Asked for each link of a page, and most sites have no hook.
        return bool(self._hooks) and any(known == name for known, _hook in self._hooks)

    def _check_name(self, name: str) -> None:
        if isinstance(self.names, re.Pattern):
            if not self.names.fullmatch(name):
                raise ValueError(f"hooks.{self.kind}: the name {name!r} must match {self.names.pattern}.")
        elif name not in self.names:
            raise ValueError(f"hooks.{self.kind}: there is no {name!r}. Known names: {', '.join(self.names)}.")


class _ArgumentHooks(Hooks[H]):
    """Hooks whose names become arguments of the signals."""

    def _check_name(self, name: str) -> None:
        super()._check_name(name)
        if name in _SIGNAL_ARGUMENTS:
            raise ValueError(f"hooks.{self.kind}: the signals have an argument {name!r} of their own.")


class _TargetHooks(Hooks[H]):
    """Hooks whose names stand beside those of the widget's own targets in what an operator gets."""

    def _check_name(self, name: str) -> None:
        super()._check_name(name)
        if name in _OWN_TARGETS:
            raise ValueError(f"hooks.{self.kind}: the widget has a target {name!r} of its own.")


_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_SENTENCE: Final = re.compile(r"[a-z][a-z ]{0,39}")
_PREFIX: Final = re.compile(r"|[a-z][a-z0-9-]{0,39}")
_QUERY: Final = re.compile(r"[a-z][a-z_]{0,19}")
_ARGUMENT: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SETTING: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_STAGE: Final = re.compile(r"[a-z][a-z_]{0,9}")  # the length of the column

template_slots: Final = Hooks[Callable[[SlotContext], str]](
    "template_slots", (*SHARED_SLOTS, *PRIVATE_SLOTS), allows_several=True
)
"""By slot: returns HTML, escaped unless it is a SafeString, or `""` for nothing."""
scripts: Final = Hooks[str]("scripts", _NAME, methods=("startswith",))
"""By a name of your own: path of a script among the static files, loaded by each page of the widget."""
url_patterns: Final = Hooks[Any]("url_patterns", _PREFIX, methods=())
"""By the prefix below each mount of the widget: dotted path of a module with `urlpatterns`, or a list of patterns. The
prefix `""` is for files such as llms.txt; its patterns come after the widget's own."""
page_queries: Final = Hooks[re.Pattern[str]]("page_queries", _QUERY, methods=("fullmatch",))
"""By a name in the query of pages with shared slots: pattern of its values, each of which is a page of its own in the
cache. It begins with your app's name, and nothing personal may match it."""
funnel_stages: Final = Hooks["str | Promise"]("funnel_stages", _STAGE, methods=())
"""By the name that `funnel.counters.count_stage` counts under: label in the admin, in the plural."""
signal_arguments: Final = _ArgumentHooks[Callable[[Change], Any]]("signal_arguments", _ARGUMENT)
"""By the name of the argument: computes its value for the signals of a change. It is None after an exception."""
change_handlers: Final = Hooks[Callable[[Change], Any]]("change_handlers", _NAME)
"""By a name of your own: called once for each change, in the transaction that records it, before the signal."""
times_refreshed: Final = Hooks[Callable[[RefreshedTimes], Any]]("times_refreshed", _NAME)
"""By a name of your own: called in a background thread after free times were fetched."""
periodic_jobs: Final = Hooks[Callable[[datetime], Any]]("periodic_jobs", _NAME)
"""By a name of your own: called with the time (UTC) by each run of `manage.py kordless_mail`."""
erasure_targets: Final = _TargetHooks[ErasureTarget](
    "erasure_targets", _SENTENCE, methods=("name", "models", "erase_person", "erase_older_than")
)
"""By its `name`: erases what `manage.py kordless_erase` is asked to."""
export_targets: Final = _TargetHooks[ExportTarget]("export_targets", _SENTENCE, methods=("name", "export_person"))
"""By its `name`: returns what is stored about a person."""
doctor_checks: Final = Hooks[Callable[[Any], Iterable[Any]]]("doctor_checks", _SENTENCE)
"""By the area in the output of `manage.py kordless_doctor`: called with each `conf.Account`, yields
what `ok`, `note` and `fix` of `doctor.finding` build."""
admin_pages: Final = Hooks[AdminPage]("admin_pages", _NAME, methods=("label", "url_name", "permission"))
"""By a name of your own: a link in the admin's overview."""
setting_rules: Final = Hooks[ExtensionSetting](
    "setting_rules", _SETTING, methods=("is_valid", "hint", "default", "convert")
)
"""By the key in KORDLESS_BOOKING, which begins with the extension's name: the rule of its values."""

_ALL: Final[tuple[Hooks[Any], ...]] = (
    template_slots,
    scripts,
    url_patterns,
    funnel_stages,
    signal_arguments,
    change_handlers,
    times_refreshed,
    periodic_jobs,
    erasure_targets,
    export_targets,
    doctor_checks,
    admin_pages,
    setting_rules,
    page_queries,
)


@contextmanager
def temporary_hooks() -> Iterator[None]:
    """Begin without any hook, and restore all at the end of the `with` block. For tests, in one thread.

    URL patterns are read when the site's URLconf is imported; `kordless_booking.urls.build_urlpatterns` reads them
    again.
    """
    before = [registry.items() for registry in _ALL]
    for registry in _ALL:
        registry._hooks[:] = []
    try:
        yield
    finally:
        for registry, hooks in zip(_ALL, before, strict=True):
            registry._hooks[:] = hooks
