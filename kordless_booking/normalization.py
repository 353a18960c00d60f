"""Normalization of what people type or paste: one spelling for each email address, phone number and text.

The form, the search for a booking, erasure, hashes and mails all use these functions: a person who types the same
contact in another way must be the same person everywhere. Each function is idempotent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from kordless_booking.lazy_imports import LazyModule

if TYPE_CHECKING:
    import phonenumbers
else:
    phonenumbers = LazyModule("phonenumbers")

_LINE_BREAKS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE: Final = re.compile(
    # The flags of England, Scotland and Wales are a black flag, followed by letters that don't show.
    "(\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f)"
    # Control characters but tab and line feed; the soft hyphen; zero width characters; marks, overrides and isolates of
    # text direction; Hangul fillers; annotations; halves of surrogate pairs; noncharacters; shorthand and musical
    # format controls; tags.
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff]"
)
JOINERS: Final = "\u200c\u200d"
"""Zero width non-joiner and zero width joiner."""
_CURSIVE: Final = re.compile(
    # Scripts in which a joiner changes how the letters beside it are written: Arabic, Syriac, N'Ko, Mongolian, and
    # those of India and its neighbors.
    "[\u0600-\u07ff\u0840-\u0dff\u0f00-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\uaaff\uabc0-\uabff\ufb50-\ufdff"
    "\ufe70-\ufefc\U00010a00-\U00010fff\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
_VIRAMA: Final = 9
"""Canonical combining class of the sign that joins consonants in the scripts of India."""
_BLANK: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols, by their category, that show nothing: Hangul fillers, and the blank of Braille."""


def visible_text(text: str, *, multiline: bool = False) -> str:
    """Return a text without control characters, and without those that don't show or that change its direction.

    Line breaks become spaces, or "\\n" with `multiline`, where tabs stay as well. A zero width joiner or non-joiner
    stays where Persian, the languages of India or an emoji needs it.
    """
    lines = _LINE_BREAKS.sub("\n", text)
    if not multiline:
        lines = lines.replace("\n", " ").replace("\t", " ")
    shown = _INVISIBLE.sub(lambda match: match[1] or "", lines)
    if not any(joiner in shown for joiner in JOINERS):
        return shown
    kept: list[str] = []
    for index, letter in enumerate(shown):
        # Compared with what is kept, not with the text: a second joiner in a row joins nothing.
        if letter not in JOINERS or _is_joiner_needed(kept[-1:], letter, shown[index + 1 : index + 2]):
            kept.append(letter)
    return "".join(kept)


def _is_joiner_needed(before: list[str], joiner: str, after: str) -> bool:
    if not before:
        return False
    # Malayalam writes it after the last letter of a word, too.
    if unicodedata.combining(before[0]) == _VIRAMA:
        return True
    if not after:
        return False
    if _CURSIVE.fullmatch(before[0]) and _CURSIVE.fullmatch(after):
        return unicodedata.category(before[0])[0] in "LM" and unicodedata.category(after)[0] in "LM"
    # A family, a profession: emoji, perhaps with a skin color or a variation selector, and another emoji.
    is_emoji = (
        unicodedata.category(before[0]) == "So"
        or before[0] in "\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
    )
    return joiner == "\u200d" and is_emoji and unicodedata.category(after) == "So"


def has_visible_text(text: str) -> bool:
    """Return True when at least one letter, digit, sign or symbol of the text shows."""
    return any(unicodedata.category(letter)[0] in "LNPS" and letter not in _BLANK for letter in text)


def compact_text(text: str) -> str:
    """Return what is no prose (an address, a number) in Unicode NFKC, without anything that doesn't show.

    NFKC turns full-width letters, digits and signs, as East Asian keyboards type them, into ASCII.
    """
    # Until nothing changes: what is composed anew may have been separated by an invisible character before.
    while (compact := _compact_once(text)) != text:
        text = compact
    return text


def _compact_once(text: str) -> str:
    normalized = unicodedata.normalize("NFKC", text)
    return visible_text(normalized).translate(dict.fromkeys(map(ord, JOINERS + _BLANK))).strip()


def normalize_email(text: str) -> str:
    """Return the canonical spelling of an email address, and anything else in `compact_text`.

    The domain is in lower case and in ASCII (IDNA 2008 with UTS 46, as browsers encode it): mail programs and Kordless
    need not know more. The part before the "@" stays as it was typed, because only its own server knows whether case
    matters there.
    """
    address = compact_text(text)
    local, _at, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}" if local and domain else address


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        # Not the codec "idna" of Python: that is IDNA 2003, for which straße.example is strasse.example.
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        # No domain, so the address will be refused: it stays as it is.
        return domain


def _unicode_domain(domain: str) -> str:
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def contact_spellings(contact: str) -> tuple[str, ...]:
    """Return the spellings of an email address or a phone number that mean the same, the canonical one first.

    An email address has two when its domain has letters beyond ASCII: bookings that were made elsewhere may have
    either one.
    """
    if "@" not in (canonical := compact_text(contact)):
        return (canonical,)
    canonical = normalize_email(canonical)
    local, _at, domain = canonical.rpartition("@")
    other = f"{local}@{_unicode_domain(domain)}"
    # A made-up domain may be decoded to one that is encoded in another way: then it isn't the same.
    return (canonical, other) if other != canonical == normalize_email(other) else (canonical,)


_LOCAL_DOMAINS: Final = frozenset({"arpa", "internal", "invalid", "lan", "local", "localdomain", "localhost"})
"""Top-level domains that no mail from outside reaches (RFC 6761, RFC 6762, and those that routers use)."""


class DeliverableEmailValidator(EmailValidator):
    """Validator for a canonical email address that mail can be sent to over the internet.

    No IP address, no local name, and no second spelling of another address.
    """

    def __init__(self) -> None:
        super().__init__(allowlist=[])

    def __call__(self, value: str | None) -> None:
        address = value or ""
        # Django accepts control characters between quotation marks. In a header they could begin another one. It
        # accepts letters beyond ASCII: in a canonical address only a domain that there can't be has any.
        if not (address.isprintable() and address.isascii()):
            raise ValidationError(self.message, code=self.code)
        # Mail software takes "jane"@… and =?utf-8?q?jane?=@… (RFC 2047) for jane@…: each person would have as many
        # spellings as somebody wants, which no hash finds.
        if '"' in address or "=?" in address:
            raise ValidationError(self.message, code=self.code)
        super().__call__(value)

    def validate_domain_part(self, domain_part: str) -> bool:
        top = domain_part.rpartition(".")[2].lower()
        # Django's own method accepts an IP address in brackets, too.
        return bool(self.domain_regex.match(domain_part)) and not top.isdigit() and top not in _LOCAL_DOMAINS


validate_deliverable_email: Final = DeliverableEmailValidator()


@dataclass(frozen=True)
class PhoneNumber:
    """Phone number in its canonical spelling."""

    e164: str
    """Such as "+12125550123"."""
    extension: str = ""
    """Digits to dial after the connection is made."""


_MEXICO: Final = 52
_TYPED_DIGITS: Final = 6
"""Last digits of a number that must be those that were typed. Before them, trunk prefixes may have been replaced."""


def parse_phone(text: str, region: str | None) -> PhoneNumber | None:
    """Parse a phone number as people write it; None when it can't be one.

    `region` (ISO 3166) is where a number without a country code is from; None when that isn't known. A number whose
    country is guessed by it must be one that is in use there: of a wrong guess nobody would learn.
    """
    compact = compact_text(text)
    number = _parse(compact, region)
    if number is None or _is_wrong_guess(number):
        # The international prefix of most countries, also where another one is dialed.
        number = _parse("+" + compact[2:], region) if _digits(compact[:2]) == "00" else None
    if number is None:
        return None
    # Not `is_possible_number`: it accepts numbers without their area code, which nobody abroad could call.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    extension = _digits(number.extension or "")
    # The parser may skip what follows a number. Digits that somebody typed must not get lost without a word.
    typed = compact if extension else phonenumbers.convert_alpha_characters_in_number(compact)
    national = phonenumbers.national_significant_number(number)
    if not _digits(typed).endswith(national[-_TYPED_DIGITS:] + extension):
        return None
    return PhoneNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), extension)


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    national = phonenumbers.national_significant_number(number)
    if number.country_code == _MEXICO and re.fullmatch("1[0-9]{10}", national):
        # Until 2019 cell phones there had a 1 after the country code. Many contacts still have it.
        number.national_number = int(national[1:])
    return number


def _is_wrong_guess(number: phonenumbers.PhoneNumber) -> bool:
    """Return True for a number that isn't in use in the country that was guessed."""
    is_guessed = number.country_code_source not in {
        phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
        phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD,
    }
    return is_guessed and not phonenumbers.is_valid_number(number)


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(letter)) for letter in text if letter.isdecimal())


def to_e164(text: str, region: str | None) -> str | None:
    """Return a phone number in E.164, such as `+12125550123`, without its extension. None when it can't be one."""
    number = parse_phone(text, region)
    return number.e164 if number else None
