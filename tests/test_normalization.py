"""One spelling for what people type or paste: texts, email addresses, phone numbers."""

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.booking.hashes import contact_hash, contact_hashes
from kordless_booking.normalization import (
    JOINERS,
    compact_text,
    contact_spellings,
    has_visible_text,
    normalize_email,
    parse_phone,
    to_e164,
    validate_deliverable_email,
    visible_text,
)

INVISIBLE = "\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\xad\u061c\u180e\u3164\U000e0041"
"""Zero width space, marks and overrides of direction, byte order mark, soft hyphen, Hangul filler, tag."""
UNICODE = st.text(st.characters(codec="utf-8"), max_size=40) | st.text(
    f"a9é\u0644\u0915\u094d👩❤️ .\n{JOINERS}{INVISIBLE}"
)
EMAILS = {
    "jane@münchen.de": "jane@xn--mnchen-3ya.de",
    "jane@xn--mnchen-3ya.de": "jane@xn--mnchen-3ya.de",
    "jane@XN--MNCHEN-3YA.DE": "jane@xn--mnchen-3ya.de",
    "jane@mu\u0308nchen.de": "jane@xn--mnchen-3ya.de",
    "jane@MÜNCHEN.DE": "jane@xn--mnchen-3ya.de",
    "ja\u200bne@mün\xadchen.de\ufeff": "jane@xn--mnchen-3ya.de",
    " \u202ajane@münchen.de\u202c ": "jane@xn--mnchen-3ya.de",
    "\uff4a\uff41\uff4e\uff45\uff20münchen\uff0ede": "jane@xn--mnchen-3ya.de",
    "jane@münchen\u3002de": "jane@xn--mnchen-3ya.de",
    # IDNA 2003 would make strasse.example of it, which is another domain.
    "jane@straße.example": "jane@xn--strae-oqa.example",
    "Jane.Doe@Example.COM": "Jane.Doe@example.com",
}


@pytest.mark.parametrize(("typed", "canonical"), EMAILS.items())
def test_an_email_address_has_one_spelling(typed: str, canonical: str) -> None:
    """As a browser sends it from an email field, as a person types it into another, and with what was pasted along."""
    assert normalize_email(typed) == canonical
    validate_deliverable_email(canonical)


def test_both_spellings_of_a_domain_are_one_identity() -> None:
    """Hashes and searches know no difference, and neither do case and what doesn't show."""
    same = ["jane@münchen.de", "jane@xn--mnchen-3ya.de", "JANE@München.de", "jane\u200b@münchen.de"]
    assert len({contact_hash(typed) for typed in same}) == 1
    assert all(contact_hash(typed) in contact_hashes([other]) for typed in same for other in same)
    assert contact_spellings("jane@münchen.de") == ("jane@xn--mnchen-3ya.de", "jane@münchen.de")
    assert contact_spellings("jane@xn--mnchen-3ya.de") == ("jane@xn--mnchen-3ya.de", "jane@münchen.de")
    assert contact_spellings("jane@example.com") == ("jane@example.com",)


@given(UNICODE, UNICODE)
def test_normalizing_an_email_twice_changes_nothing(local: str, domain: str) -> None:
    """Whatever is typed, its canonical spelling is canonical."""
    once = normalize_email(f"{local}@{domain}")
    assert normalize_email(once) == once
    assert contact_hash(once) == contact_hash(f"{local}@{domain}")


@given(st.from_regex(r"[a-z][a-z0-9.]{0,10}@[a-z0-9ü]{1,20}\.(de|example)", fullmatch=True), st.sampled_from(INVISIBLE))
def test_what_does_not_show_is_no_part_of_an_email(address: str, invisible: str) -> None:
    """Wherever it stands."""
    for place in range(len(address) + 1):
        assert normalize_email(address[:place] + invisible + address[place:]) == normalize_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "n6@localhost",
        "n6@mail.localhost",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@127.0.0.1",
        "a@10.0.0.10",
        "a@printer.local",
        "a@intra.internal",
        "a@b",
        "a@b..example",
        "a@b.example.",
        '"a\x01b"@b.example',
        "a\n@b.example",
        "jane@",
        "@b.example",
        "",
    ],
)
def test_an_address_that_no_mail_reaches_is_refused(address: str) -> None:
    """Names and numbers of a machine or of a local network, control characters, half an address."""
    with pytest.raises(ValidationError):
        validate_deliverable_email(address)


@pytest.mark.parametrize(
    "typed",
    [
        "=?utf-8?q?jane?=@example.com",
        "=?utf-8?b?amFuZQ==?=@example.com",
        "=?utf-8?q?jane=40evil.example=3e?=@example.com",
        '"jane"@example.com',
        '"j\\ane"@example.com',
        "\u0131@example.com",
        "\u0130@example.com",
        "jane@\u0661.com",
        f"jane@{'é' * 60}.com",
    ],
)
def test_a_second_spelling_that_only_mail_software_knows_is_refused(typed: str) -> None:
    """Quoted, or as an encoded word, it would reach a person whom no hash finds under it."""
    with pytest.raises(ValidationError):
        validate_deliverable_email(normalize_email(typed))


@given(
    st.lists(
        st.sampled_from([*'jJ.=?_-+"\\()<>, @\u0131\u017f', "=?utf-8?q?", "=?x?b?", "?=", "=40", "amFuZQ=="]),
        max_size=8,
    )
)
def test_mail_goes_to_the_very_address_that_was_accepted(parts: list[str]) -> None:
    """Whatever Django's mail makes of an address, it is the same one."""
    address = normalize_email(f"{''.join(parts)}@example.com")
    try:
        validate_deliverable_email(address)
    except ValidationError:
        return
    assert str(EmailMessage(to=[address]).message()["To"]) == address


@given(UNICODE, st.booleans())
def test_normalizing_a_text_twice_changes_nothing(text: str, multiline: bool) -> None:
    """And nothing that controls the terminal or the direction is left."""
    once = visible_text(text, multiline=multiline)
    assert visible_text(once, multiline=multiline) == once
    assert not set(once) & set("\0\x1b\x7f\r\u2028\u202e\u2066\u200b\ufeff\ud800")
    assert multiline or "\n" not in once
    assert compact_text(compact_text(text)) == compact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क\u094d\u200dष",
        "ശ്രീ",
        "ക\u0d4d\u200d",
        "ශ\u0dca\u200dරී",
        "👩\u200d🦱 👩🏽\u200d💻 ❤\ufe0f\u200d🔥",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "葛\U000e0100城",
        "Zoë O'Neil-Łukasz",
        "שָׁלוֹם",
    ],
)
def test_what_a_script_needs_stays(text: str) -> None:
    """Joiners in Persian, in the languages of India and in emoji; variants of characters; accents and points."""
    assert visible_text(text) == text
    assert has_visible_text(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ja\x00ne\x1b[31m Doe\x7f", "Jane[31m Doe"),
        ("\u202eeod enaj\u202c", "eod enaj"),
        ("\u2067Jane\u2069 \u200fDoe", "Jane Doe"),
        ("J\u200ban\u200ce\u200d D\xadoe", "Jane Doe"),
        ("\u0627\u200c\u200c\u0628", "\u0627\u200c\u0628"),
        ("\u200cعلی\u200c", "علی"),
        ("Jane\tDoe\r\nBcc: x", "Jane Doe Bcc: x"),
        ("a\u2028b\x85c", "a b c"),
        ("a\ud800b", "ab"),
    ],
)
def test_what_does_not_show_is_removed(text: str, shown: str) -> None:
    """Control characters, overrides of direction, and joiners where they join nothing."""
    assert visible_text(text) == shown


@pytest.mark.parametrize(
    "text", ["", " ", *INVISIBLE, *JOINERS, "\u200b \u2060", "\u2800", "\u115f\u1160", "\u0301", "\ufe0f"]
)
def test_only_what_shows_is_a_text(text: str) -> None:
    """Not space, fillers, blanks and marks without a letter."""
    assert not has_visible_text(visible_text(text))


@pytest.mark.parametrize(
    ("region", "typed"),
    [
        ("US", "06 12 34 56 78"),
        ("US", "30 901820"),
        ("US", "98765 43210"),
        ("US", "31 6 12345678"),
        ("GB", "06 12 34 56 78 90"),
        ("DE", "212 555 0123 45678901"),
        (None, "(212) 555-0123"),
        (None, "06 12 34 56 78"),
    ],
)
def test_a_guessed_country_must_have_the_number(region: str | None, typed: str) -> None:
    """A French number isn't an American one; without a country nothing is guessed."""
    assert parse_phone(typed, region) is None


@pytest.mark.parametrize("region", ["US", "GB", "DE", "JP", "AU", None])
@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("+31 6 12345678", "+31612345678"),
        ("0031 6 12345678", "+31612345678"),
        ("00 31 (0)6 12345678", "+31612345678"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+52 55 1234 5678", "+525512345678"),
        ("0052 1 55 1234 5678", "+525512345678"),
        ("+1 (212) 555-0123", "+12125550123"),
        ("\u202a+1 212\u2011555\u20110123\u202c", "+12125550123"),
        ("\uff0b\uff11 212 555 0123", "+12125550123"),
    ],
)
def test_a_number_with_its_country_is_the_same_everywhere(region: str | None, typed: str, sent: str) -> None:
    """With "+", with the international prefix 00, and as Mexican cell phones were written until 2019."""
    assert to_e164(typed, region) == sent


@pytest.mark.parametrize(
    ("typed", "extension"),
    [
        ("(212) 555-0123 ext. 12", "12"),
        ("212 555 0123 x12", "12"),
        ("212-555-0123 #7", "7"),
        ("+1 212 555 0123;ext=5", "5"),
        ("0031 6 12345678 ext. 9", "9"),
        ("212 555 0123 доб. 5", "5"),
        ("+1 212 555 0123", ""),
    ],
)
def test_an_extension_is_kept(typed: str, extension: str) -> None:
    """However it is written."""
    number = parse_phone(typed, "US")
    assert number is not None
    assert number.extension == extension


@pytest.mark.parametrize(
    "typed",
    [
        "212 555 0123 / 0124",
        "212 555 0123 / 212 555 0124",
        "(212) 555-0123 or 555-0124",
        "+49 30 901820 Durchwahl 12",
        "212 555 0123 12",
    ],
)
def test_digits_that_can_not_be_kept_are_refused(typed: str) -> None:
    """A second number, or an extension in words that aren't known: nothing is dropped without a word."""
    assert parse_phone(typed, "US") is None


@given(UNICODE | st.text("+0123456789 ()-x#,", max_size=30), st.sampled_from(["US", "DE", "MX", "AR", "IT", None]))
def test_a_number_is_the_same_when_it_is_read_again(typed: str, region: str | None) -> None:
    """E.164 is its own canonical spelling, in every country."""
    number = parse_phone(typed, region)
    if number is not None:
        assert to_e164(number.e164, "JP") == number.e164
        assert number.extension.isascii()
        assert number.extension == "" or number.extension.isdigit()
