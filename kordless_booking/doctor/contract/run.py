"""Run of the comparison, and its report: nothing in it names a person, a business, a service or a booking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from kordless_booking import __version__, conf
from kordless_booking.doctor.contract.booking import BookingRun, TestContact
from kordless_booking.doctor.contract.delivery import SavedDelivery, judge_accepted, judge_saved
from kordless_booking.doctor.contract.facts import AREAS, FACTS, NEEDS_BOOK, NOT_OBSERVABLE, Findings, Verdict
from kordless_booking.doctor.contract.prober import Prober, Stopped
from kordless_booking.doctor.contract.reading import read_and_judge

if TYPE_CHECKING:
    from kordless_booking.conf import Account

REDACTION_NOTICE: Final = (
    "Left out: the API key, names, addresses, phone numbers, confirmation numbers, and the slugs, texts and addresses "
    "of the business. The report was sent to nobody; you can send it to the authors of this package."
)


@dataclass
class ContractRun:
    """Comparison of one account's API with the contract."""

    account: Account
    prober: Prober
    findings: Findings = field(default_factory=Findings)
    booked: bool = False
    """True for a run that was to book."""
    stopped: str = ""
    """Why the run ended early; empty if it didn't."""
    today: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())

    def run(
        self,
        *,
        service_slug: str = "",
        contact: TestContact | None = None,
        saved: SavedDelivery | None = None,
        warn: Callable[[str], None],
    ) -> None:
        """Compare. With a `contact`, book and cancel, too. `warn` is called with what an operator has to do by hand."""
        self.booked = contact is not None
        if saved is not None:
            judge_saved(self.account, self.findings, saved)
        judge_accepted(self.account, self.findings)
        try:
            service = read_and_judge(self.prober, self.findings, service_slug)
            if contact is not None:
                BookingRun(self.prober, self.findings, service, contact, warn).run()
        except Stopped as error:
            self.stopped = str(error)
            self._explain_untested()
        finally:
            self.prober.close()

    def _explain_untested(self) -> None:
        for code, fact in FACTS.items():
            if fact.untested_reason == NOT_OBSERVABLE or (self.booked and fact.untested_reason == NEEDS_BOOK):
                self.findings.explain(code, "the run ended before it")

    def count(self, verdict: Verdict) -> int:
        """Return the number of facts with a verdict."""
        return Counter(self.findings.get(code)[0] for code in FACTS)[verdict]

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        kind = "books and cancels" if self.booked else "read-only"
        lines = [f"kordless_booking {__version__}, {self.today}, {self._describe_api()}, {kind}"]
        for area, facts in AREAS.items():
            lines += ["", area]
            for fact in facts:
                verdict, observation = self.findings.get(fact.code)
                lines.append(f"  {verdict:<9}  {fact.code} ({fact.source}): {fact.statement}.")
                lines.append(
                    f"             {'Observed' if verdict is not Verdict.UNTESTED else 'Untested'}: {observation}."
                )
                if verdict is not Verdict.CONFIRMED:
                    lines.append(f"             Setting: {', '.join(fact.settings) or 'none'}.")
                    lines.append(f"             Where it isn't so: {fact.fallback}.")
        lines.append("")
        if self.stopped:
            lines.append(f"Stopped early: {self.stopped}.")
        counts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in Verdict)
        lines += [f"{counts}. {self.prober.requests} requests to Kordless.", REDACTION_NOTICE]
        return lines

    def document(self) -> dict[str, Any]:
        """Return the report as a JSON document."""
        facts = []
        for area, listed in AREAS.items():
            for fact in listed:
                verdict, observation = self.findings.get(fact.code)
                facts.append(
                    {
                        "area": area,
                        "code": fact.code,
                        "source": fact.source.value,
                        "statement": fact.statement,
                        "verdict": verdict.value,
                        "observation": observation,
                        "settings": list(fact.settings),
                        "fallback": fact.fallback,
                    }
                )
        return {
            "version": 1,
            "package": __version__,
            "date": self.today,
            "api": self._describe_api(),
            "booked": self.booked,
            "stopped": self.stopped or None,
            "requests": self.prober.requests,
            "counts": {verdict.value: self.count(verdict) for verdict in Verdict},
            "facts": facts,
            "redaction": REDACTION_NOTICE,
        }

    def _describe_api(self) -> str:
        if self.account.sandbox and self.account.transport is None:
            return "embedded sandbox"
        is_documented = self.account.base_url == conf.Account.base_url
        return "documented base URL" if is_documented else "another base URL"
