"""The two forms: whatever people and scripts type, Kordless gets it right or the field says what to do."""

import re
from contextlib import suppress

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.api.requests import booking_path
from kordless_booking.api.resources import CONFIRMATION_NUMBER, Contact
from kordless_booking.contact_fields import FIELD_CHOICES, ContactFields, hides_both_contacts
from kordless_booking.exceptions import NotFound
from kordless_booking.forms import (
    ContactForm,
    FindForm,
    clean_confirmation_number,
    join_name,
    throttled_number,
    to_documented_form,
    to_e164,
)

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
    assert form.numbers_and_contact() == (["BOOK_AB12"], "jane@example.com")


_BETWEEN = [
    "",
    " ",
    "_",
    "-",
    "--",
    " - ",
    "\u2010",
    "\u2011",
    "\u2013",
    "\u2014",
    "\u2212",
    "\u30fc",
    "\uff0d",
    "\uff3f",
]
"""Separators that people type in the place of the underscore."""


@fast(max_examples=80, deadline=None)
@given(
    code=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=12).filter(lambda c: c[:3] != "ING"),
    between=st.sampled_from(_BETWEEN),
    is_wide=st.booleans(),
    is_lower=st.booleans(),
)
def test_a_documented_number_is_found_without_its_underscore(code: str, between: str, is_wide: bool, is_lower: bool):
    """Left out, or as a space or any hyphen, in any case and width."""
    number = f"BOOK_{code}"
    typed = f"BOOK{between}{code}"
    typed = typed.lower() if is_lower else typed
    if is_wide:
        typed = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in typed)
    form = find(number=typed)
    assert form.is_valid(), form.errors
    numbers, contact = form.numbers_and_contact() or ([], "")
    # First as it was typed: Kordless documents an example, no rule.
    assert numbers[0] == clean_confirmation_number(typed) or not numbers[0].isascii()
    assert (numbers[-1], len(numbers), contact) == (number, 1 + (numbers[0] != number), "jane@example.com")


@pytest.mark.parametrize(
    "number",
    [
        "BOOKING123",
        "BOOK_AB-12",
        "BOOK-AB_12",
        "BOOK12",
        "XBOOK-AB12",
        "AB12-CD34",
        "BOOKING-AB12",
        "BK-AB12",
        "AB12CD34",
    ],
)
def test_a_number_of_another_form_is_looked_up_as_it_is(number: str):
    """It may be a valid one: Kordless documents an example, no rule."""
    form = find(number=number)
    assert form.is_valid()
    assert form.numbers_and_contact() == ([number], "jane@example.com")


@fast(max_examples=80, deadline=None)
@given(
    number=st.one_of(
        st.text(max_size=40), st.from_regex(r"(?i)book[-_ \u2013\u30fc]{0,2}[a-z0-9]{0,8}", fullmatch=True)
    )
)
def test_what_a_number_is_taken_for_never_gives_new_guesses(number: str):
    """Two numbers that are looked up as one share a throttle, and the documented form is its own."""
    cleaned = clean_confirmation_number(number)
    taken_for = to_documented_form(cleaned)
    # A sign that Unicode calls a letter is the only one that made a throttle of its own before.
    assert throttled_number(taken_for) in {throttled_number(cleaned), throttled_number(cleaned.replace("\u30fc", ""))}
    assert to_documented_form(taken_for) == taken_for


@pytest.mark.parametrize("typed", ["\x01", "\x7f", "\u200b", "\u202e\u202c"])
def test_an_impossible_number_is_never_asked_for(typed):
    """The form is valid, so that the answer is the same as for an unknown one; only Kordless isn't bothered."""
    form = find(number=typed)
    assert form.is_valid(), form.errors
    assert form.numbers_and_contact() is None


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
    if form.is_valid() and (lookup := form.numbers_and_contact()):
        for each in lookup[0]:
            assert CONFIRMATION_NUMBER.fullmatch(each)
            with suppress(NotFound):
                assert re.fullmatch(r"/bookings/confirmation/[A-Za-z0-9%_.~-]+", booking_path(each, "lookup"))


@pytest.mark.parametrize(
    ("region", "typed", "contact"),
    [
        ("US", "Jane@Example.com", "Jane@example.com"),
        ("US", "(212) 555-0123", "+12125550123"),
        ("DE", "030 901820", "+4930901820"),
        ("US", "no phone", "no phone"),
        ("US", " jane@example.com ", "jane@example.com"),
    ],
)
def test_a_lookup_contact_is_written_as_it_was_booked(region, typed, contact):
    """A phone as E.164, an e-mail with its domain in lower case, and whatever else as typed."""
    form = find(region, contact=typed)
    assert form.is_valid()
    assert form.numbers_and_contact() == (["BOOK_AB12"], contact)


@pytest.mark.parametrize("typed", ["№ 12/34", "a b", "été.7", "預約 5"])
def test_a_number_of_an_unusual_form_is_looked_up_as_it_was_copied(typed: str):
    """Cleaning could only damage it: what Kordless's numbers may be made of is not documented."""
    form = find(number=f" {typed}\u200b ")
    assert form.is_valid(), form.errors
    assert form.numbers_and_contact() == ([typed], "jane@example.com")


def shown(**fields: str) -> ContactFields:
    """Fields as a site sets them."""
    return ContactFields.from_setting(fields)


EVERY_SETTING = [
    ContactFields.from_setting(value)
    for email in FIELD_CHOICES["email"]
    for phone in FIELD_CHOICES["phone"]
    for notes in FIELD_CHOICES["notes"]
    for name in FIELD_CHOICES["name"]
    if not hides_both_contacts(value := {"email": email, "phone": phone, "notes": notes, "name": name})
]


@pytest.mark.parametrize(
    ("fields", "by_phone", "labels"),
    [
        ({}, False, ["Name", "Email (or phone)", "Phone (or email)", "Notes (optional)"]),
        ({"email": "required"}, False, ["Name", "Email", "Phone (optional)", "Notes (optional)"]),
        ({"phone": "required"}, False, ["Name", "Email (optional)", "Phone", "Notes (optional)"]),
        ({"email": "required", "phone": "required", "notes": "required"}, False, ["Name", "Email", "Phone", "Notes"]),
        ({"email": "hidden", "notes": "hidden"}, False, ["Name", "Phone"]),
        ({"phone": "hidden"}, False, ["Name", "Email", "Notes (optional)"]),
        ({"name": "first_last", "phone": "hidden"}, False, ["First name", "Last name", "Email", "Notes (optional)"]),
        ({}, True, ["Name", "Email (optional)", "Phone", "Notes (optional)"]),
        ({"phone": "hidden"}, True, ["Name", "Email", "Phone", "Notes (optional)"]),
        ({"email": "hidden", "phone": "optional"}, True, ["Name", "Phone", "Notes (optional)"]),
    ],
)
def test_labels_say_which_fields_are_needed(fields, by_phone, labels):
    """Whichever a site asks for; an appointment by phone has a number to call."""
    form = ContactForm(shown=shown(**fields), by_phone=by_phone)
    assert [str(field.label) for field in form] == labels
    required = {field.name for field in form if field.field.widget.attrs.get("aria-required") == "true"}
    assert required == {field.name for field in form if field.field.required}


@pytest.mark.parametrize("by_phone", [False, True])
@pytest.mark.parametrize("fields", EVERY_SETTING, ids=lambda fields: "-".join(vars(fields).values()))
def test_every_setting_has_a_form_that_can_be_sent_and_one_that_says_what_is_missing(fields, by_phone):
    """Empty, each required field is an error of its own; with those filled in, Kordless gets a contact."""
    empty = ContactForm({}, shown=fields, by_phone=by_phone, region="US")
    assert not empty.is_valid()
    required = {name for name, field in empty.fields.items() if field.required}
    assert empty.errors.keys() == required | ({"email"} if fields.is_either and not by_phone else set())
    assert len({str(error) for errors in empty.errors.values() for error in errors}) == len(empty.errors)
    texts = {"name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
    texts |= {"phone": "212 555 0123", "notes": "Second floor"}
    least = {name: text for name, text in texts.items() if name in required or (name == "email" and not by_phone)}
    form = ContactForm(least, shown=fields, by_phone=by_phone, region="US")
    assert form.is_valid(), form.errors
    assert form.contact().name == "Ada Lovelace"
    assert form.contact().email or form.contact().phone
    # The last field has none: the script would look for another one.
    hints = [field.field.widget.attrs.get("enterkeyhint") for field in form]
    assert hints == ["next"] * (len(hints) - 1) + [None]


@pytest.mark.parametrize("fields", EVERY_SETTING, ids=lambda fields: "-".join(vars(fields).values()))
def test_a_hidden_field_is_not_sent(fields):
    """Whoever posts one nevertheless: the site doesn't want it."""
    typed = {"name": "Ada L", "first_name": "Ada", "last_name": "L", "email": "ada@example.com", "notes": "Hello"}
    form = ContactForm({**typed, "phone": "+12125550123"}, shown=fields, region="US")
    assert form.is_valid(), form.errors
    assert bool(form.contact().email) == (fields.email != "hidden")
    assert bool(form.contact().phone) == (fields.phone != "hidden")
    assert bool(form.notes_text()) == (fields.notes != "hidden")


@pytest.mark.parametrize(
    ("first", "last", "language", "sent"),
    [
        ("Ada", "Lovelace", "en-us", "Ada Lovelace"),
        ("Ada", "Lovelace", "hu", "Lovelace Ada"),
        ("Văn An", "Nguyễn", "vi", "Nguyễn Văn An"),
        ("Văn An", "Nguyễn", "en-us", "Văn An Nguyễn"),
        ("太郎", "山田", "en-us", "山田 太郎"),
        ("太郎", "山田", "ja", "山田 太郎"),
        ("철수", "김", "en-us", "김 철수"),
        ("小明", "王", "zh-hant", "王 小明"),
        # Half of it is in Latin letters: as on the site.
        ("Hana", "山田", "en-us", "Hana 山田"),
        ("Sukarno", "-", "en-us", "Sukarno"),
        ("\u2013", "Sukarno", "ja", "Sukarno"),
        ("-", "-", "en-us", ""),
        ("محمد", "علي", "ar", "محمد علي"),
        ("O'Neil-Ray", "d'Arc", "en-us", "O'Neil-Ray d'Arc"),
        ("\U0001f600", "\U0001f601", "en-us", "\U0001f600 \U0001f601"),
    ],
)
def test_a_name_in_two_parts_is_sent_as_people_write_it(settings: Settings, first, last, language, sent):
    """In the order of its letters, else in that of the site's own language; a hyphen stands for no part."""
    settings.LANGUAGE_CODE = language
    for shown_in in ("en", "ja"):
        # Not that of the page: the same form is the same request after the language has changed.
        with translation.override(shown_in):
            assert join_name(first, last) == sent


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ["first_name", "last_name"]),
        ("ja", ["last_name", "first_name"]),
        ("zh-hans", ["last_name", "first_name"]),
    ],
)
def test_the_parts_of_a_name_stand_in_the_order_of_the_pages_language(language, names):
    """With the tokens by which browsers fill them in."""
    with translation.override(language):
        form = ContactForm(shown=shown(name="first_last"))
        assert list(form.fields)[:2] == list(form.pair) == names
    tokens = {name: form.fields[name].widget.attrs["autocomplete"] for name in names}
    assert tokens == {"first_name": "given-name", "last_name": "family-name"}


ONLY_ONE = "If you have only one name, enter a hyphen here."


@pytest.mark.parametrize(
    ("first", "last", "errors"),
    [
        ("", "", {"first_name": "Please enter your first name.", "last_name": "Please enter your last name."}),
        ("", "Lovelace", {"first_name": f"Please enter your first name. {ONLY_ONE}"}),
        ("Ada", " \u200b ", {"last_name": f"Please enter your last name. {ONLY_ONE}"}),
        ("-", "\u2014", {"first_name": "Please enter your name."}),
        ("Null\0", "Lovelace", {"first_name": "Null characters are not allowed."}),
        ("x" * 10_000, "Lovelace", {"first_name": "Ensure this value has at most 60 characters (it has 10000)."}),
        ("Ada", "-", {}),
        ("\u202eadA", "Lovelace", {}),
    ],
)
def test_a_missing_part_of_a_name_is_an_error_of_its_field(first, last, errors):
    """Who has one name only is told what to do, once the other field is filled in."""
    form = ContactForm(
        {"first_name": first, "last_name": last, "email": "ada@example.com"}, shown=shown(name="first_last")
    )
    assert {name: " ".join(texts) for name, texts in form.errors.items()} == errors


@pytest.mark.parametrize(
    ("style", "given", "fitted"),
    [
        ("full", {"first_name": "Ada", "last_name": "Lovelace"}, {"name": "Ada Lovelace"}),
        ("full", {"last_name": "Lovelace"}, {"name": "Lovelace"}),
        ("full", {"name": "Ada", "first_name": "x"}, {"name": "Ada"}),
        ("first_last", {"name": "Ada Lovelace"}, {"first_name": "Ada Lovelace"}),
        ("first_last", {"name": "Ada", "last_name": "Lovelace"}, {"last_name": "Lovelace"}),
    ],
)
def test_a_name_that_was_typed_otherwise_is_not_lost(style, given, fitted):
    """Into the form of another service, or into one that was open while the setting changed."""
    form = ContactForm(given, shown=shown(name=style))
    assert {name: form[name].value() for name in fitted} == fitted
    assert form.fit_name(given) == {**given, **fitted}


def test_a_hidden_field_that_kordless_asks_for_is_shown():
    """Where only an email address was wanted, and Kordless books with both alone: the phone follows the email."""
    fields = shown(phone="hidden")
    form = ContactForm({**PERSON, "phone": ""}, shown=fields, region="US")
    assert form.is_valid()
    form.require_other_contact()
    assert (list(form.fields), form.also) == (["name", "email", "phone", "notes"], ("phone",))
    assert form.errors["phone"] == ["The booking system also needs your phone number."]
    again = ContactForm({**PERSON, "phone": ""}, shown=fields, also=form.also, region="US")
    assert again.errors["phone"] == ["Please enter your phone number."]
    done = ContactForm({**PERSON, "phone": "2125550123"}, shown=fields, also=form.also, region="US")
    assert done.is_valid()
    assert done.contact().phone == "+12125550123"


@pytest.mark.parametrize("also", [("phone",), ("notes", "name"), ("email", "email"), ("",)])
def test_what_a_form_says_that_kordless_asked_for_shows_no_field_but_a_hidden_contact(also):
    """The hidden field can be forged: it adds the email or the phone, and never changes one that is shown."""
    form = ContactForm(shown=shown(email="required", notes="hidden"), also=also)
    assert ([str(field.label) for field in form], form.also) == (["Name", "Email", "Phone (optional)"], ())


@fast(max_examples=60, deadline=None)
@given(
    typed=st.dictionaries(
        st.sampled_from([*ContactForm().max_lengths(), "contact", ""]), st.text(max_size=70), max_size=6
    ),
    fields=st.sampled_from(EVERY_SETTING),
    also=st.lists(st.sampled_from(["email", "phone", "notes", "x", ""]), max_size=3),
)
def test_any_input_of_any_form_is_an_error_or_a_contact(typed, fields, also):
    """Nothing raises, and a valid form has a name and a way to reach the customer."""
    form = ContactForm(typed, shown=fields, also=also)
    if form.is_valid():
        person = form.contact()
        assert person.name.strip()
        assert person.email or person.phone
    assert str(form)


@pytest.mark.parametrize(
    ("contacts", "label", "missing"),
    [
        (("email", "phone"), "Email or phone", "the email address or phone number that"),
        (("email",), "Email", "the email address that"),
        (("phone",), "Phone", "the phone number that"),
    ],
)
def test_the_lookup_form_asks_for_what_the_contact_forms_ask_for(contacts, label, missing):
    """And looks the other one up as well: the business may have made the booking."""
    form = FindForm({"number": "BOOK_AB12", "contact": ""}, contacts=contacts)
    assert str(form["contact"].label) == label
    assert form.errors["contact"] == [f"Please enter {missing} you booked with."]
    for typed, found in (("JANE@Example.com", "JANE@example.com"), ("(212) 555-0123", "+12125550123")):
        form = FindForm({"number": "BOOK_AB12", "contact": typed}, contacts=contacts, region="US")
        assert form.is_valid()
        assert form.numbers_and_contact() == (["BOOK_AB12"], found)
