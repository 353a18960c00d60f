"""The two forms: whatever people and scripts type, Kordless gets it right or the field says what to do."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.api.requests import booking_path
from kordless_booking.api.resources import CONFIRMATION_NUMBER, Contact
from kordless_booking.exceptions import NotFound
from kordless_booking.forms import ContactForm, FindForm, to_e164

PERSON = {"name": "Jane Doe", "email": "jane@example.com"}


def contact(region="US", **changes) -> ContactForm:
    """The contact form, filled in."""
    return ContactForm({**PERSON, **changes}, region=region)


def find(region="US", number="BOOK_AB12", contact="jane@example.com") -> FindForm:
    """The lookup form, filled in."""
    return FindForm({"number": number, "contact": contact}, region=region)


@pytest.mark.parametrize(
    ("region", "typed", "sent"),
    [
        ("US", "(212) 555-0123", "+12125550123"),
        ("US", "212.555.0123", "+12125550123"),
        ("US", "1 212 555 0123", "+12125550123"),
        ("US", "+49 30 901820", "+4930901820"),
        ("US", "011 49 30 901820", "+4930901820"),
        ("DE", "030 901820", "+4930901820"),
        ("DE", "0049 30 901820", "+4930901820"),
        ("GB", "020 7946 0018", "+442079460018"),
        ("GB", "+44 (0)20 7946 0018", "+442079460018"),
        ("FR", "06 12 34 56 78", "+33612345678"),
        ("IT", "06 6982", "+39066982"),
        ("BR", "(11) 96123-4567", "+5511961234567"),
        ("IL", "03-712-3456", "+97237123456"),
        ("US", "\uff0b\uff11 212 555 0123", "+12125550123"),
        ("EG", "\u0660\u0661\u0660 \u0660\u0661\u0662\u0663 \u0664\u0665\u0666\u0667", "+201001234567"),
        ("IN", "\u0968\u0968 \u0968\u096d\u096d\u096e \u0968\u096d\u096d\u0968", "+912227782772"),
        ("US", "\u200e+1 212 555 0123\u200f", "+12125550123"),
        ("US", "+1 212 555 0123 ext. 9", "+12125550123"),
    ],
)
def test_phones_of_all_regions_become_e164(region, typed, sent):
    """Without a country code they are of the site's region; digits of every script count."""
    form = contact(region, phone=typed)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["phone"] == sent


@pytest.mark.parametrize(
    "typed",
    ["555 0123", "12", "call me", "+", "+999 123456789", "1" * 40, "00", "+1 212 555 01234567", "jane@example.com"],
)
def test_a_number_that_can_not_be_dialled_is_an_error_of_its_field(typed):
    """Also a number without its area code, which nobody abroad could call."""
    form = contact(phone=typed)
    assert not form.is_valid()
    assert list(form.errors) == ["phone"]
    assert form.errors.get_json_data()["phone"][0]["code"] == "invalid"


@fast(max_examples=80, deadline=None)
@given(typed=st.text(max_size=60), region=st.sampled_from(["US", "DE", "JP", "BR"]))
def test_any_text_is_a_phone_or_none(typed, region):
    """Never anything but E.164 goes out, and nothing raises."""
    number = to_e164(typed, region)
    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit() and len(number) <= 18)


@pytest.mark.parametrize(
    ("given", "person"),
    [
        ({"phone": ""}, Contact(name="Jane Doe", email="jane@example.com")),
        ({"email": "", "phone": "+12125550123"}, Contact(name="Jane Doe", phone="+12125550123")),
        ({"email": "  jane@example.com  "}, Contact(name="Jane Doe", email="jane@example.com")),
        ({"name": " \t Jane\u00a0Doe \n"}, Contact(name="Jane\u00a0Doe", email="jane@example.com")),
        (
            {"name": "\u05e9\u05e8\u05d4 \u05db\u05d4\u05df"},
            Contact(name="\u05e9\u05e8\u05d4 \u05db\u05d4\u05df", email="jane@example.com"),
        ),
        (
            {"name": "\u202e\u0645\u062d\u0645\u062f\u202c"},
            Contact(name="\u0645\u062d\u0645\u062f", email="jane@example.com"),
        ),
        ({"name": "O'Brien <b>&amp;</b> 李 🙂"}, Contact(name="O'Brien <b>&amp;</b> 李 🙂", email="jane@example.com")),
    ],
)
def test_a_contact_needs_one_of_the_two_ways(given, person):
    """E-mail alone, phone alone, names of every script, and space around them."""
    form = contact(**given)
    assert form.is_valid(), form.errors
    assert form.contact() == person


@pytest.mark.parametrize("given", [{"email": "", "phone": ""}, {"email": "  ", "phone": "\t"}, {"email": ""}])
def test_without_either_way_it_says_so_once(given):
    """Beside the e-mail field."""
    form = contact(**given)
    assert not form.is_valid()
    assert form.errors.get_json_data() == {
        "email": [{"message": "Please enter an email address or a phone number.", "code": "required"}]
    }


@pytest.mark.parametrize("wrong", [{"email": "jane@"}, {"email": "jane", "phone": ""}, {"email": "", "phone": "12"}])
def test_a_wrong_field_is_the_only_error(wrong):
    """A mistyped e-mail address isn't reported as missing as well."""
    form = contact(**wrong)
    assert not form.is_valid()
    assert [len(errors) for errors in form.errors.values()] == [1]
    assert form.errors.get_json_data()[next(iter(form.errors))][0]["code"] == "invalid"


@pytest.mark.parametrize("name", ["", "   ", "\t\n", "\u00a0\u2003"])
def test_a_name_of_nothing_but_space_is_none(name):
    """Every kind of space."""
    form = contact(name=name)
    assert form.errors["name"] == ["Please enter your name."]


@pytest.mark.parametrize("field", ContactForm.base_fields)
@pytest.mark.parametrize("text", ["a\0b", "x" * 10_000, "\u0660" * 10_000, "a@" + "b" * 10_000 + ".com"])
def test_hostile_contents_are_an_error_of_their_field(field, text):
    """NUL bytes and ten thousand characters: rejected at their field, and at once."""
    form = contact(**{field: text})
    assert not form.is_valid()
    assert field in form.errors


@pytest.mark.parametrize(("field", "most"), [("name", 120), ("notes", 1000)])
def test_the_longest_is_allowed_and_one_more_is_not(field, most):
    """Exactly."""
    assert contact(**{field: "x" * most}).is_valid()
    assert not contact(**{field: "x" * (most + 1)}).is_valid()


@fast(max_examples=60, deadline=None)
@given(given=st.dictionaries(st.sampled_from([*ContactForm.base_fields, "region", ""]), st.text(max_size=60)))
def test_any_form_is_valid_or_has_errors(given):
    """Nothing raises, and a valid one gives a contact that Kordless's client accepts."""
    form = ContactForm(given)
    if form.is_valid():
        person = form.contact()
        assert person.name.strip()
        assert person.email or person.phone
    else:
        assert form.errors


@pytest.mark.parametrize("field", ["name", "email", "phone"])
def test_browsers_know_what_to_fill_in(field):
    """The autocomplete tokens are the standard's, and no field is marked required by the browser's own bubble."""
    html = str(contact()[field])
    assert f'autocomplete="{ {"phone": "tel"}.get(field, field) }"' in html
    assert " required" not in html


@pytest.mark.parametrize(
    "typed",
    ["BOOK_AB12", "book_ab12", "  book_AB12  ", "BOOK _AB 12", "\u00a0BOOK_AB12\u2003", "book_\tab12", "BOOK\x07_AB12"],
)
def test_a_number_is_found_in_any_case_and_with_any_space(typed):
    """As it stands in an e-mail, or as it was read out."""
    form = find(number=typed)
    assert form.is_valid(), form.errors
    assert form.number_and_contact() == ("BOOK_AB12", "jane@example.com")


@pytest.mark.parametrize("typed", ["\x01", "\x7f", "\u200b", "\u202e\u202c"])
def test_an_impossible_number_is_never_asked_for(typed):
    """The form is valid, so that the answer is the same as for an unknown one; only Kordless isn't bothered."""
    form = find(number=typed)
    assert form.is_valid(), form.errors
    assert form.number_and_contact() is None


@pytest.mark.parametrize("field", ["number", "contact"])
@pytest.mark.parametrize(
    ("text", "code"),
    [("AB\0CD", "null_characters_not_allowed"), ("A" * 10_000, "max_length"), ("", "required"), ("  ", "required")],
)
def test_hostile_or_missing_lookups_have_one_error_each(field, text, code):
    """NUL, ten thousand characters, nothing: said once, beside the field."""
    form = find(**{field: text})
    assert not form.is_valid()
    assert [error["code"] for error in form.errors.get_json_data()[field]] == [code]


@fast(max_examples=80, deadline=None)
@given(number=st.text(max_size=80), contact=st.text(max_size=80))
def test_only_a_safe_number_ever_leaves(number, contact):
    """Whatever is typed, what goes into a path is letters, digits and "_.-~", and all else percent-encoded."""
    form = find(number=number, contact=contact)
    if form.is_valid() and (asked := form.number_and_contact()):
        assert CONFIRMATION_NUMBER.fullmatch(asked[0])
        with suppress(NotFound):
            assert re.fullmatch(r"/bookings/confirmation/[A-Za-z0-9%_.~-]+", booking_path(asked[0], "lookup"))


@pytest.mark.parametrize(
    ("region", "typed", "asked"),
    [
        ("US", "Jane@Example.com", "Jane@example.com"),
        ("US", "(212) 555-0123", "+12125550123"),
        ("DE", "030 901820", "+4930901820"),
        ("US", "no phone", "no phone"),
        ("US", " jane@example.com ", "jane@example.com"),
    ],
)
def test_a_lookup_contact_is_written_as_it_was_booked(region, typed, asked):
    """A phone as E.164, an e-mail with its domain in lower case, and whatever else as typed."""
    form = find(region, contact=typed)
    assert form.is_valid()
    assert form.number_and_contact() == ("BOOK_AB12", asked)


@pytest.mark.parametrize("typed", ["№ 12/34", "a b", "été.7", "預約 5"])
def test_a_number_of_an_unusual_form_is_looked_up_as_it_was_copied(typed: str):
    """Cleaning could only damage it: what Kordless's numbers may be made of is not documented."""
    form = find(number=f" {typed}\u200b ")
    assert form.is_valid(), form.errors
    assert form.number_and_contact() == (typed, "jane@example.com")
