"""The API key in the settings: used, and never shown."""

import copy
import pickle
import traceback
from dataclasses import asdict, fields

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.views.debug import SafeExceptionReporterFilter, technical_500_response

from kordless_booking.conf import accounts, find_errors, get_account

KEY = "kb-canary-key-5f1d9c"
FLAT = {"API_KEY": KEY, "ORG_SLUG": "acme-salon"}


def test_the_key_is_not_in_any_repr(settings):
    """Not of the account, a copy, a dictionary of it, or anything around."""
    settings.KORDLESS_BOOKING = FLAT
    account = get_account(None)
    key = account.api_key
    assert key == KEY
    shown = [repr(account), str(account), f"{account}", repr(key), f"{key!r}", repr([key]), repr(asdict(account))]
    shown += [repr(accounts()), repr(copy.deepcopy(account)), repr(pickle.loads(pickle.dumps(key)))]  # noqa: S301 (ours)
    assert not [text for text in shown if KEY in text]
    assert {field.name for field in fields(account)} >= {"api_key"}


class Broken(Exception):
    """Something that goes wrong in a view."""


def debug_page(settings, client_or_view) -> str:
    """Django's page for developers, with all variables and settings, for what the view raises."""
    settings.DEBUG = True
    request = RequestFactory().get("/book/")
    try:
        client_or_view()
    except (Broken, ImproperlyConfigured) as error:
        return technical_500_response(request, type(error), error, error.__traceback__).content.decode()
    raise AssertionError("nothing was raised")


def test_the_debug_page_does_not_show_the_key(settings):
    """Neither among the settings nor among the variables of a view that fails."""
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"north": FLAT, "south": {**FLAT, "API_KEY": KEY + "-south"}}}

    def view() -> None:
        account = get_account("north")
        raise Broken(account)

    page = debug_page(settings, view)
    assert "acme-salon" in page
    assert "KORDLESS_BOOKING" in page
    assert KEY not in page


@pytest.mark.parametrize(
    "raw",
    [
        {**FLAT, "PHONE_REGION": "us"},
        {"API_KEY": KEY},
        {"ACCOUNTS": {"north": FLAT, "south": {**FLAT, "CACHE": "nowhere"}}},
        {**FLAT, "API_KEY": KEY + " with a space"},
        {"ACCOUNTS": {"north": FLAT, "south": FLAT}},
    ],
)
def test_no_complaint_about_the_settings_shows_the_key(settings, raw):
    """Not on the debug page, not in a printed traceback with its variables, not in a mistake."""
    settings.KORDLESS_BOOKING = raw
    assert KEY not in debug_page(settings, lambda: get_account("elsewhere"))
    with pytest.raises(ImproperlyConfigured) as caught:
        get_account("elsewhere")
    rendered = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # Only the frames of the package: this test's own hold the settings.
    ours = [frame for frame in rendered.stack if frame.filename.endswith("kordless_booking/conf.py")]
    assert ours
    rendered.stack = traceback.StackSummary.from_list(ours)
    assert KEY not in "".join(rendered.format())
    assert KEY not in repr(find_errors(raw))


def test_djangos_own_filter_hides_the_key(settings):
    """KORDLESS_BOOKING is a dictionary of another name, and its API_KEY is starred out wherever it stands."""
    settings.KORDLESS_BOOKING = {**FLAT, "ACCOUNTS": {"north": FLAT}}
    safe = SafeExceptionReporterFilter().get_safe_settings()["KORDLESS_BOOKING"]
    assert safe["API_KEY"] == safe["ACCOUNTS"]["north"]["API_KEY"] == SafeExceptionReporterFilter.cleansed_substitute
    assert safe["ORG_SLUG"] == "acme-salon"
