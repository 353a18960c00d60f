"""The setting CONSENT: mistakes are named, a box is bound to its text, and texts come in the page's language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.booking.attempt import Attempt
from kordless_booking.conf import find_errors
from kordless_booking.consent import (
    FINGERPRINT_CHARS,
    MAX_BOXES,
    MAX_LABEL,
    MAX_NAME,
    MAX_VERSION,
    Consent,
    GivenConsent,
    convert_consents,
    find_missing_languages,
    find_wrong_consent,
    identify_consents,
    parse_consents,
)
from kordless_booking.models import ConsentProof
from kordless_booking.presentation.safe_links import parse_page_url
from kordless_booking.presentation.site_texts import find_wrong_text, languages_without, text_in
from tests.support.clock import NOW

BOX: dict[str, Any] = {"name": "rules", "label": "I have read the rules.", "version": "1"}


def given_box(**changes: Any) -> GivenConsent:
    """Return a ticked box."""
    return GivenConsent(
        **{"name": "rules", "version": "1", "text": "Rules", "language": "en", "given_at": 1796137200} | changes
    )


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ("rules", "'rules' is not a list of boxes."),
        ({"rules": BOX}, "is not a list of boxes."),
        ([BOX, "x"], "Box 2: 'x' is not a dictionary."),
        ([{**BOX, "text": "x"}], "Box 1: unknown key 'text'. Known keys: name, label, required, version, marketing."),
        ([{**BOX, "name": "House rules"}], "Box 1: \"name\" is 'House rules': write a lower-case letter"),
        ([{"label": "x", "version": "1"}], 'Box 1: "name" is None'),
        ([{**BOX, "name": "x" * (MAX_NAME + 1)}], f"{MAX_NAME} characters at most"),
        ([BOX, BOX], 'Box 2: another one has the name "rules" already.'),
        ([{**BOX, "label": ""}], "Box 1: \"label\" is '': write a text, or a dictionary of texts by language."),
        ([{**BOX, "label": "\u200b"}], 'Box 1: "label" is'),
        ([{**BOX, "label": "a\nb"}], 'Box 1: "label" has a line break or another control character'),
        ([{**BOX, "label": "x" * (MAX_LABEL + 1)}], f'"label" has {MAX_LABEL + 1} characters, more than {MAX_LABEL}.'),
        ([{**BOX, "label": {}}], '"label" is an empty dictionary: give it a text for each language.'),
        ([{**BOX, "label": {"german": "x"}}], "\"label\" has the key 'german', which is no language code"),
        ([{**BOX, "label": {"de": 1}}], '"label" of "de" is 1: write a text'),
        ([{**BOX, "version": 1}], 'Box 1: "version" is 1: write a text such as "2026-01"'),
        ([{**BOX, "version": "x" * (MAX_VERSION + 1)}], f"{MAX_VERSION} characters at most"),
        ([{"name": "rules", "label": "x"}], 'Box 1: "version" is None'),
        ([{**BOX, "required": "yes"}], "Box 1: \"required\" is 'yes': write True or False."),
        ([{**BOX, "marketing": 1}], 'Box 1: "marketing" is 1: write True or False.'),
        ([{**BOX, "name": f"box{number}"} for number in range(MAX_BOXES + 1)], f"more than {MAX_BOXES}."),
    ],
    ids=str,
)
def test_a_wrong_box_is_named_with_its_mistake(value: Any, mistake: str):
    """The hint of the system check says which box and which value."""
    assert mistake in find_wrong_consent(value)
    [error] = find_errors({"SANDBOX": True, "CONSENT": value})
    assert error.kind == "wrong"
    assert "CONSENT" in error.text
    assert mistake in error.hint


@pytest.mark.parametrize("changes", [{"marketing": True}, {"name": "newsletter"}, {"name": "marketing"}], ids=str)
def test_marketing_is_never_required(changes: dict[str, Any]):
    """Consent that is a condition isn't given freely: an error, not a warning."""
    assert "is about marketing and required" in find_wrong_consent([{**BOX, **changes, "required": True}])
    assert not find_wrong_consent([{**BOX, **changes}])
    assert not find_wrong_consent([{**BOX, **changes, "required": False}])


def test_the_longest_values_of_a_box_fit_their_columns():
    """The limits of the setting are those of the proofs' table."""
    columns = {
        field.name: field.max_length for field in ConsentProof._meta.get_fields() if hasattr(field, "max_length")
    }
    assert (columns["name"], columns["version"]) == (MAX_NAME, MAX_VERSION)
    assert not find_wrong_consent([{"name": "x" * MAX_NAME, "label": "x" * MAX_LABEL, "version": "v" * MAX_VERSION}])


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
boxes = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=8) | st.sampled_from(["rules", "news", "newsletter"]) | json_like,
        "label": st.text(max_size=20) | st.dictionaries(st.sampled_from(["en", "de", "x"]), st.text()) | json_like,
        "version": st.text(max_size=8) | st.sampled_from(["1", "2026-01"]) | json_like,
        "required": st.booleans() | json_like,
        "marketing": st.booleans() | json_like,
    },
)


@given(json_like | st.lists(boxes | json_like, max_size=6))
def test_any_value_of_the_setting_is_refused_in_words_or_can_be_used(value: Any):
    """Whatever a site writes: a sentence, or boxes with a text in each language and a value to send."""
    wrong = find_wrong_consent(value)
    if wrong:
        assert wrong.endswith((".", ")", '"')), wrong
        return
    for box in parse_consents(value):
        assert box.text_in("de")
        assert len(box.fingerprint) == FINGERPRINT_CHARS
        assert not (box.required and box.marketing)


def test_a_fingerprint_changes_with_name_version_and_text_alone():
    """Not with whether it is required, nor with the order of the languages."""
    texts = {"en": "Rules", "de": "Regeln"}
    [box] = parse_consents([{**BOX, "label": texts}])
    [same] = parse_consents([{**BOX, "label": dict(reversed(texts.items())), "required": True}])
    assert box.fingerprint == same.fingerprint
    others = [
        {**BOX, "label": {**texts, "de": "Neue Regeln"}},
        {**BOX, "label": texts, "version": "2"},
        {**BOX, "label": texts, "name": "house"},
        {**BOX, "label": gettext_lazy("Rules")},
    ]
    assert len({box.fingerprint, *(Consent(**other).fingerprint for other in others)}) == 5


def test_texts_by_language_fall_back_to_the_sites_own(settings: Any):
    """The nearest language, else the site's own, else the first one; a lazy text is translated."""
    settings.LANGUAGE_CODE = "de"
    texts = {"fr": "Oui", "de": "Ja", "pt-br": "Sim"}
    assert [text_in(texts, code) for code in ("fr", "fr-ca", "pt", "ja", "de-at")] == ["Oui", "Oui", "Sim", "Ja", "Ja"]
    assert text_in({"fr": "Oui", "it": "Sì"}, "ja") == "Oui"
    assert text_in({}, "ja") == text_in("", "ja") == ""
    assert text_in(gettext_lazy("Monday"), "de") == "Montag"
    assert languages_without(texts, ["de", "fr", "en", "pt-br", "ja"]) == ["en", "ja"]
    assert languages_without("Yes", ["de"]) == languages_without(gettext_lazy("Monday"), ["de"]) == []
    assert find_missing_languages(parse_consents([{**BOX, "label": texts}, {**BOX, "name": "b"}]), ["de", "it"]) == {
        "rules": ["it"]
    }
    # Narrow spaces, as French has them, are no control characters.
    assert not find_wrong_text("D’accord\u202f!", longest=100)


@given(st.text(max_size=60))
def test_an_address_is_https_or_a_path_of_this_site(text: str):
    """Whatever is accepted can neither run as a script nor lead to another site by a trick of parsing."""
    for value in (text, f"/{text}", f"https://salon.example/{text}", f"http://{text}", f"javascript:{text}"):
        url = parse_page_url(value)
        if url is not None:
            assert url.startswith(("https://", "http://localhost", "http://127.0.0.1", "http://[::1]", "/"))
            assert not url.startswith(("//", "/\\"))
            assert not set(url) & set("\"'<>\\ \n\r\t\0") - {"'"}


@pytest.mark.parametrize(
    "value",
    [
        "http://salon.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil",
        "privacy",
        " ",
        5,
    ],
)
def test_an_address_that_can_not_be_linked_to_is_an_error(value: Any):
    """PRIVACY_URL and TERMS_URL, for all languages or for one."""
    for name in ("PRIVACY_URL", "TERMS_URL"):
        for given_value, repeated in ((value, repr(value)), ({"de": value}, f'"de" is {value!r}')):
            [error] = find_errors({"SANDBOX": True, name: given_value})
            assert name in error.text
            assert repeated in error.hint
    assert not find_errors({"SANDBOX": True, "PRIVACY_URL": {"en": "/privacy/", "de": "https://x.example/d"}})
    [error] = find_errors({"SANDBOX": True, "TERMS_URL": {}})
    assert "empty dictionary" in error.hint
    [error] = find_errors({"SANDBOX": True, "TERMS_URL": {"german": "/x"}})
    assert "'german'" in error.hint


def new_attempt(*consents: GivenConsent) -> Attempt:
    """Return an attempt with these boxes ticked."""
    request = NewBooking(
        service_slug="haircut",
        start=NOW,
        end=NOW + timedelta(hours=1),
        timezone="UTC",
        contact=Contact(name="Jane", email="jane@example.com"),
    )
    return Attempt("0123456789abcdef", request, consents=consents)


def test_what_was_ticked_is_a_part_of_the_digest_and_not_of_the_body():
    """In any order and language; an attempt without boxes has the digest that it had before there were any."""
    rules, news = given_box(), given_box(name="news", version="3")
    digests = {new_attempt(*boxes).body_digest() for boxes in ((), (rules,), (news,), (rules, news))}
    assert len(digests) == 4
    assert new_attempt(rules, news).body_digest() == new_attempt(news, rules).body_digest()
    assert new_attempt(given_box(language="de", text="Regeln")).body_digest() == new_attempt(rules).body_digest()
    assert new_attempt(given_box(version="2")).body_digest() != new_attempt(rules).body_digest()
    assert new_attempt(rules).body() == new_attempt().body()
    assert identify_consents(()) == ""


def test_stored_boxes_of_another_release_are_none():
    """A booking must not fail for them."""
    assert convert_consents(None) == ()
    assert convert_consents([{"name": "rules"}]) == ()
    assert convert_consents("x") == ()
