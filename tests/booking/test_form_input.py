"""Form input that travels past the slot page: encrypted, short enough for a form, and ignored when it is invalid."""

from hypothesis import HealthCheck, given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.booking import form_input
from kordless_booking.booking.form_input import decrypt_form_input, encrypt_form_input, is_carried, known_fields
from kordless_booking.booking.tokens import encrypt_token
from kordless_booking.forms import ContactForm
from tests.support.clock import NOW

STAMP = NOW.timestamp()
FIELDS = ContactForm().max_lengths()
TYPED = {"name": "Zzqx Canary", "email": "canary+7f3a@example.com", "phone": "+1 555 010 7777", "notes": "Side door"}


def test_it_comes_back_within_a_quarter_of_an_hour(clock):
    """And is nothing after that."""
    token = encrypt_form_input("default", TYPED)
    assert decrypt_form_input("default", token, STAMP + 900, FIELDS) == TYPED
    assert decrypt_form_input("default", token, STAMP + 901, FIELDS) == {}


def test_nothing_typed_is_no_token(clock):
    """An empty form leaves no trace."""
    assert encrypt_form_input("default", {}) is None
    assert decrypt_form_input("default", None, STAMP, FIELDS) == {}


def test_it_is_the_accounts_own_and_unreadable(clock):
    """Another business can't open it, and nobody can read it."""
    token = encrypt_form_input("north", TYPED)
    assert decrypt_form_input("south", token, STAMP, FIELDS) == {}
    assert "canary" not in token


@fast(max_examples=60, deadline=None)
@given(junk=st.text(max_size=120))
def test_junk_is_nothing(junk):
    """A mangled address only loses what was typed."""
    assert decrypt_form_input("default", junk, STAMP, FIELDS) == {}


def test_only_known_fields_pass_and_none_is_endless():
    """A form of anybody's making can't carry more through our URLs."""
    given = {"name": "x" * 10_000, "notes": "n" * 10_000, "draft": "token", "email": "", "other": "y"}
    assert known_fields(given, FIELDS) == {"name": "x" * FIELDS["name"], "notes": "n" * FIELDS["notes"]}


def test_a_token_of_ours_with_other_contents_is_narrowed(clock):
    """A token encrypted by another version is reduced to the fields that this version knows."""
    token = encrypt_token("form_input", "default", {"name": 7, "email": None, "strange": {"a": 1}})
    assert decrypt_form_input("default", token, STAMP, FIELDS) == {"name": "7"}


@fast(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dice=st.randoms(use_true_random=False), first=st.sampled_from([0x61, 0x4E00, 0x10000]))
def test_everything_that_fits_the_form_fits_a_token(clock, dice, first):
    """Also in scripts that take four bytes for each character, as hardly compressible as can be."""
    typed = {name: "".join(chr(first + dice.randrange(20_000)) for _ in range(most)) for name, most in FIELDS.items()}
    token = encrypt_form_input("default", typed)
    assert decrypt_form_input("default", token, STAMP, FIELDS) == typed
    assert is_carried("default", typed, STAMP)


def test_a_token_has_a_maximum(clock, monkeypatch):
    """Texts that don't fit are left behind, longest first, and the rest comes along."""
    monkeypatch.setattr(form_input, "MAX_TOKEN", 1000)
    typed = known_fields({name: "\U00012345\u4e00x" * most for name, most in FIELDS.items()}, FIELDS)
    typed["notes"] = "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))
    token = encrypt_form_input("default", typed)
    assert len(token) <= 1000
    kept = decrypt_form_input("default", token, STAMP, FIELDS)
    assert kept.items() == typed.items() - {("notes", typed["notes"])}
    assert not is_carried("default", typed, STAMP)
