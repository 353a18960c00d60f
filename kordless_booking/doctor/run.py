"""Run of all checks, one area after the other. A check that fails is a finding; the others still run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from kordless_booking import conf, hooks
from kordless_booking.doctor import (
    base_template,
    database,
    embedding,
    messages,
    search_engines,
    settings_read,
    shared_cache,
    site,
    static_files,
    templates,
    upstream_check,
    webhook,
)
from kordless_booking.doctor.finding import Finding, Findings, fix, note
from kordless_booking.setting_names import name_settings
from kordless_booking.upstream.registry import services_for

Check = Callable[[], Findings]


@dataclass(frozen=True)
class LocatedFinding:
    """Finding with the place where it was made."""

    area: str
    """Subject of the check, in a word or two."""
    account: str
    """Name of the account; empty for what concerns all of them."""
    finding: Finding


@dataclass
class DoctorRun:
    """One run of the doctor."""

    only_account: str = ""
    """Name of the one account to check; empty for all."""
    origin: str = ""
    """Scheme and host of the running site; empty when it isn't checked."""
    current_check: str = ""
    """Check that is running, for the message at a timeout."""
    gates: list[upstream_check.RecordingGate] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Requests sent to Kordless so far."""
        return sum(gate.sent for gate in self.gates)

    def run(self) -> Iterator[LocatedFinding]:
        """Yield findings as they are made."""
        for area, account, check in self._checks():
            self.current_check = f"{area} of {account}" if account else area
            try:
                for finding in check():
                    yield LocatedFinding(area, account, _reword(finding))
            except Exception as error:  # noqa: BLE001 (whatever is broken, the rest is still checked)
                text = f"This could not be checked ({type(error).__name__})"
                yield LocatedFinding(
                    area, account, fix("failed", text, "run manage.py check, and fix what it reports first")
                )

    def _checks(self) -> Iterator[tuple[str, str, Check]]:
        # Those without an account come first: they work while the settings are unusable.
        yield "settings", "", settings_read.examine
        yield "database", "", database.examine
        yield "static files", "", static_files.examine
        yield "templates", "", templates.examine
        if not settings_read.has_usable_accounts():
            yield "accounts", "", _no_accounts
            return
        for name, account in conf.accounts().items():
            if self.only_account in {"", name}:
                yield "urls", name, partial(site.examine_mounts, account)
                yield "cache", name, partial(shared_cache.examine, account)
                yield "kordless", name, partial(self._reach, account)
                yield "webhook", name, partial(webhook.examine, account)
                yield "embedding", name, partial(embedding.examine, account)
                yield "base template", name, partial(base_template.examine, account)
                yield "messages", name, partial(messages.examine, account)
                yield "search engines", name, partial(search_engines.examine, account)
                for area, examine in hooks.doctor_checks.items():
                    yield area, name, partial(examine, account)
                if self.origin:
                    yield "site", name, partial(site.examine, account, self.origin)

    def _reach(self, account: conf.Account) -> Findings:
        # Around the account's own gate, so that these requests take permits like all others.
        gate = upstream_check.RecordingGate(services_for(account).gate)
        self.gates.append(gate)
        return upstream_check.examine(account, gate)


def _reword(finding: Finding) -> Finding:
    """Return a finding with the names of settings that the site's owner knows."""
    return replace(finding, text=name_settings(finding.text), advice=name_settings(finding.advice))


def _no_accounts() -> Findings:
    yield note("accounts_unknown", "Kordless was not checked", "fix the settings first")
