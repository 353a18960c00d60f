"""Check of the questions: they can be read, fit into the notes, and are there in each language of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kordless_booking.doctor.finding import Findings, fix, note, ok, printable
from kordless_booking.forms import ContactForm
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.presentation.site_texts import SiteText, languages_without
from kordless_booking.questions.question import FOR_ALL, MAX_NOTES, Question, Questions, WrongQuestion
from kordless_booking.views.questions import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kordless_booking.conf import Account

_MAX_CALLED: Final = 20
"""Services for which the site's function is called: a large business may have hundreds."""


def examine(account: Account, services: Sequence[str]) -> Findings:
    """Examine the questions of these services, by slug. Yields nothing for a site that asks none."""
    if not account.questions:
        return
    asked: dict[str, Questions] = {}
    for slug in services[:_MAX_CALLED] if callable(account.questions) else services:
        if not callable(account.questions):
            asked[slug] = account.questions.get(slug, account.questions.get(FOR_ALL, ()))
            continue
        try:
            asked[slug] = call(account, slug)
        except Exception as error:  # noqa: BLE001 (the site's function may raise anything)
            # Another error's message may be of anything.
            reason = str(error) if isinstance(error, WrongQuestion) else type(error).__name__
            text = (
                f"QUESTIONS can't be read for {printable(slug)}, whose form has no questions then: {printable(reason)}"
            )
            yield fix("questions_failed", text, "mend the function that QUESTIONS names")
            return
    yield from _lengths(asked)
    yield from _languages(asked)
    count = sum(bool(questions) for questions in asked.values())
    yield ok("questions", f"{count} of {len(asked)} services ask questions")


def _lengths(asked: dict[str, Questions]) -> Findings:
    own = ContactForm.max_lengths()["notes"]
    lengths = {
        slug: own + sum(question.fixed_length + question.max_length for question in questions)
        for slug, questions in asked.items()
        if questions
    }
    long = {slug: length for slug, length in lengths.items() if length > MAX_NOTES}
    if long:
        slug = max(long, key=lambda each: long[each])
        text = (
            f"Notes and answers of {printable(slug)} can have {long[slug]} characters, and {MAX_NOTES} are sent: who "
            "types more is asked to shorten it"
        )
        yield note("questions_long", text, 'give questions a smaller "max_length", or ask less')


def _languages(asked: dict[str, Questions]) -> Findings:
    languages = supported_languages()
    missing: dict[str, list[str]] = {}
    for questions in asked.values():
        for question in questions:
            found = {each for text in _texts(question) for each in languages_without(text, languages)}
            if found:
                missing[question.name] = [language for language in languages if language in found]
    if missing:
        names = ", ".join(list(missing)[:10])
        lacking = ", ".join(language for language in languages if any(language in each for each in missing.values()))
        text = f"Questions lack languages that visitors can choose: {printable(names)} in {printable(lacking)}"
        yield note("questions_untranslated", text, "add these texts, or visitors read those of the site's own language")


def _texts(question: Question) -> list[SiteText]:
    return [question.label, question.help, question.title, *(label for _value, label in question.choices)]
