"""Consent: boxes in the contact form (the setting CONSENT), and what a visitor has agreed to by ticking them.

A box is bound to its text: the value that it sends is a fingerprint of name, version and texts. So a tick that was made
for another text, before the settings were changed, counts for nothing.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec
from django.utils.functional import Promise

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.presentation.site_texts import SiteText, find_wrong_text, languages_without, text_in

MAX_BOXES: Final = 5
"""Boxes of one form. Nobody reads more, and each booking may have a row for each."""
MAX_LABEL: Final = 500
"""Characters of a box's text. Each proof repeats it."""
MAX_NAME: Final = 40
MAX_VERSION: Final = 40
"""Characters of a name and a version: the lengths of their columns."""
FIELD_PREFIX: Final = "consent_"
"""Beginning of a box's field name."""
FINGERPRINT_CHARS: Final = 16
"""Characters of a fingerprint: 64 bits. It guards against mix-ups, not against visitors: they may tick what they like.
"""

_NAME: Final = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_NAME - 1}}}")
_VERSION: Final = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{MAX_VERSION - 2}}}[\x21-\x7e])?")
_KEYS: Final = ("name", "label", "required", "version", "marketing")
_MARKETING_NAMES: Final = frozenset({"marketing", "newsletter"})
"""Names that say by themselves that a box is an opt-in to marketing."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Box of the contact form."""

    name: str
    """Identifier, for the site's own code and the proofs."""
    label: SiteText
    """Text that the visitor agrees to."""
    version: str
    """Version of the text, which the site raises with each change of what it means."""
    required: bool = False
    """Nobody books without ticking it."""
    marketing: bool = False
    """An opt-in to marketing, which is never required."""

    @property
    def field(self) -> str:
        """Name of its field."""
        return FIELD_PREFIX + self.name

    @property
    def fingerprint(self) -> str:
        """Value that a ticked box sends: another one for another text."""
        label: Any = self.label
        # A lazy text is another one in each language. Its version has to say when it changes.
        texts = "" if isinstance(label, Promise) else label
        if isinstance(label, Mapping):
            texts = {code: "" if isinstance(text, Promise) else text for code, text in sorted(label.items())}
        about = json.dumps([self.name, self.version, texts], ensure_ascii=True, sort_keys=True)
        return sha256(about.encode()).hexdigest()[:FINGERPRINT_CHARS]

    def text_in(self, language: str) -> str:
        """Return its text as a page in this language shows it."""
        return text_in(self.label, language)

    def give(self, language: str, now: datetime) -> GivenConsent:
        """Return what ticking it means, on a page in this language."""
        return GivenConsent(
            name=self.name,
            version=self.version,
            text=self.text_in(language),
            language=language,
            given_at=int(now.timestamp()),
        )


class GivenConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Box that a visitor has ticked."""

    name: str
    version: str
    text: str
    """Text of the box as it was shown."""
    language: str
    """Django code of the page's language."""
    given_at: int
    """When the form was sent, in Unix time."""


warm_up(GivenConsent)


def parse_consents(value: Iterable[Mapping[str, Any]]) -> tuple[Consent, ...]:
    """Return the boxes of a valid value of the setting."""
    # Copies: dictionaries of the site's could change.
    return tuple(
        Consent(**{**box, "label": dict(box["label"]) if isinstance(box["label"], Mapping) else box["label"]})
        for box in value
    )


def find_wrong_consent(value: object) -> str:
    """Return a description of the first mistake in a value of the setting, which it repeats; "" when there is none."""
    if not isinstance(value, list | tuple):
        return f"{reprlib.repr(value)} is not a list of boxes."
    if len(value) > MAX_BOXES:
        return f"There are {len(value)} boxes, more than {MAX_BOXES}."
    names: set[str] = set()
    for number, box in enumerate(value, 1):
        if wrong := _find_wrong_box(box):
            return f"Box {number}: {wrong}"
        if box["name"] in names:
            return f'Box {number}: another one has the name "{box["name"]}" already.'
        names.add(box["name"])
    return ""


def _find_wrong_box(box: object) -> str:
    if not isinstance(box, Mapping):
        return f"{reprlib.repr(box)} is not a dictionary."
    for key in box:
        if key not in _KEYS:
            return f"unknown key {reprlib.repr(key)}. Known keys: {', '.join(_KEYS)}."
    name, version = box.get("name"), box.get("version")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return (
            f'"name" is {reprlib.repr(name)}: write a lower-case letter, then letters, digits and underscores, '
            f"{MAX_NAME} characters at most."
        )
    if wrong := find_wrong_text(box.get("label"), longest=MAX_LABEL):
        return f'"label" {wrong}'
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return (
            f'"version" is {reprlib.repr(version)}: write a text such as "2026-01", {MAX_VERSION} characters at most, '
            "and another one with each change of the label."
        )
    for key in ("required", "marketing"):
        if not isinstance(box.get(key, False), bool):
            return f'"{key}" is {reprlib.repr(box[key])}: write True or False.'
    if box.get("required") and (box.get("marketing") or name in _MARKETING_NAMES):
        return (
            f'"{name}" is about marketing and required. Consent that is a condition is not given freely: remove '
            '"required".'
        )
    return ""


def find_missing_languages(boxes: Iterable[Consent], languages: Iterable[str]) -> dict[str, list[str]]:
    """Return for each box, by its name, the languages in which its text is missing, where there are any."""
    codes = list(languages)
    return {box.name: missing for box in boxes if (missing := languages_without(box.label, codes))}


def consent_lengths(boxes: Iterable[Consent]) -> dict[str, int]:
    """Return the characters of what the boxes send, by their fields."""
    return {box.field: FINGERPRINT_CHARS for box in boxes}


def identify_consents(consents: Iterable[GivenConsent]) -> str:
    """Return what makes two forms with the same details different requests: which texts were agreed to. "" for none.

    The language isn't a part of it: the same form may be sent again from a page in another one.
    """
    given = sorted((consent.name, consent.version) for consent in consents)
    return json.dumps(given) if given else ""


def convert_consents(stored: Any) -> tuple[GivenConsent, ...]:
    """Return the consents that a row holds; none where it was written by a release with other fields."""
    try:
        return msgspec.convert(stored or (), tuple[GivenConsent, ...])
    except msgspec.ValidationError:
        return ()
