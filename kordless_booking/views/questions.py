"""Questions of a service, as its form asks them: from the settings, or from the site's own function."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kordless_booking.clock import Clock
from kordless_booking.logs import error_location, log_event
from kordless_booking.questions.question import FOR_ALL, Questions, WrongQuestion, parse_questions
from kordless_booking.setting_changes import on_setting_change

if TYPE_CHECKING:
    from kordless_booking.conf import Account

log = logging.getLogger("kordless_booking.views")

FRESH_SECONDS: Final = 10
"""Seconds for which a process asks what the site's function has returned: a form that many open costs one call."""
SLOW_SECONDS: Final = 1.0
"""Seconds that a call may take. A slower one is logged: a visitor has waited for it."""
_MAX_CACHED: Final = 500
"""Services whose questions a process remembers. The name of a service may be made up by a visitor."""


@dataclass(frozen=True)
class _CachedQuestions:
    questions: Questions
    until: float
    """Monotonic seconds."""


class QuestionSource:
    """Questions of the site's function, of which a failure stops no booking.

    Whatever the function raises or returns by mistake is logged. The questions of its last success are asked then; a
    process that knows none asks nothing, also not what is required: a form that nobody can send would be worse.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock(monotonic=time.monotonic)
        self._cached: dict[tuple[str, str], _CachedQuestions] = {}
        self._lock = threading.Lock()

    def read(self, account: Account, service: str) -> Questions:
        """Return the questions of a service. Never raises."""
        key = (account.name, service)
        known = self._cached.get(key)
        begin = self._clock.monotonic()
        if known is not None and begin < known.until:
            return known.questions
        try:
            questions = call(account, service)
        except Exception as error:  # noqa: BLE001 (the site's function may raise anything)
            # A mistake in a question is named, which repeats the site's own text; another error's message may be of
            # anything.
            reason = str(error) if isinstance(error, WrongQuestion) else None
            location = error_location(error)
            log_event(
                log, logging.ERROR, "questions_failed", account=account.name, service=service, reason=reason, **location
            )
            questions = known.questions if known else ()
        end = self._clock.monotonic()
        if end - begin > SLOW_SECONDS:
            seconds = round(end - begin, 1)
            log_event(log, logging.WARNING, "questions_slow", account=account.name, service=service, seconds=seconds)
        with self._lock:
            if len(self._cached) >= _MAX_CACHED:
                self._cached.clear()
            self._cached[key] = _CachedQuestions(questions, end + FRESH_SECONDS)
        return questions

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._cached.clear()


def call(account: Account, service: str) -> Questions:
    """Call the site's function. Raises WrongQuestion for what isn't a list of questions, and whatever it raises."""
    if not callable(account.questions):
        raise WrongQuestion("QUESTIONS is no function.")
    # None for "nothing to ask" is what a function returns that ends without a word.
    return parse_questions(account.questions(account.name, service) or [])


_source: Final = QuestionSource()
on_setting_change({"KORDLESS_BOOKING"}, _source.clear)


def configured_questions(account: Account, service: str) -> Questions:
    """Return the questions of a service, in the order of the form. Costs no request and no query of ours."""
    setting = account.questions
    if not callable(setting):
        return setting.get(service, setting.get(FOR_ALL, ()))
    return _source.read(account, service)
