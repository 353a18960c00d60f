"""Everything that the extension registers. A real one would have a model in the place of the lists in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kordless_booking import hooks
from kordless_booking.doctor.finding import Finding, note, ok
from kordless_booking.erasure.base import ErasureResult, Person


@dataclass
class Memory:
    """What the extension has stored and heard."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    changes: list[hooks.Change] = field(default_factory=list)
    refreshed: list[hooks.RefreshedTimes] = field(default_factory=list)
    runs: list[datetime] = field(default_factory=list)


memory = Memory()


def render_block(slot: hooks.SlotContext) -> str:
    """Return a link to the page on which visitors ask to be called back: the same HTML for all of them."""
    return slot.render("callback/block.html", url=slot.url("callback-ask", service=slot.service))


def render_note(slot: hooks.SlotContext) -> str:
    """Return a line about the booking of a private page."""
    return f"Callback & {slot.booking.confirmation_number}" if slot.booking else "Callback & form"


class CallbackRequests:
    """Erasure and export target."""

    name = "callback requests"
    models = ()

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        return self._erase([row for row in memory.requests if person.matches(row["contact"])])

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        return self._erase([row for row in memory.requests if row["at"] < moment])

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterable[dict[str, Any]]:
        return [{"contact": row["contact"]} for row in memory.requests if person.matches(row["contact"])]

    def _erase(self, rows: list[dict[str, Any]]) -> ErasureResult:
        memory.requests = [row for row in memory.requests if row not in rows]
        return ErasureResult(deleted=len(rows))


def examine(account: Any) -> Iterator[Finding]:
    """Check what the extension needs."""
    if account.support_phone:
        yield ok("callback_phone", "Callers see a number that they know")
    else:
        yield note("callback_phone", "No phone number is set", 'set "SUPPORT_PHONE"')


def count_calls(change: hooks.Change) -> int:
    """Return how many requests there are."""
    return len(memory.requests)


target = CallbackRequests()


def register() -> None:
    """Register all hooks. Doing it twice changes nothing."""
    for slot in hooks.SHARED_SLOTS:
        hooks.template_slots.register(slot, render_block)
    for slot in hooks.PRIVATE_SLOTS:
        hooks.template_slots.register(slot, render_note)
    hooks.scripts.register("callback", "callback/callback.js")
    hooks.url_patterns.register("callback", "tests.projects.extended.callback.urls")
    hooks.url_patterns.register("", "tests.projects.extended.callback.file_urls")
    hooks.funnel_stages.register("callback", "Callbacks asked for")
    hooks.signal_arguments.register("callback_requests", count_calls)
    hooks.change_handlers.register("callback", memory_change)
    hooks.times_refreshed.register("callback", memory_refreshed)
    hooks.periodic_jobs.register("callback", memory_run)
    hooks.erasure_targets.register(target.name, target)
    hooks.export_targets.register(target.name, target)
    hooks.doctor_checks.register("callback", examine)
    hooks.admin_pages.register(
        "callback", hooks.AdminPage(label="Callbacks", url_name="admin:index", permission="auth.view_user")
    )


def memory_change(change: hooks.Change) -> None:
    """Remember a change."""
    memory.changes.append(change)


def memory_refreshed(refreshed: hooks.RefreshedTimes) -> None:
    """Remember that times were refreshed."""
    memory.refreshed.append(refreshed)


def memory_run(now: datetime) -> None:
    """Remember a run of kordless_mail."""
    memory.runs.append(now)
