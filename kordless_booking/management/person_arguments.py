"""The argument --contact of the commands that are about one person."""

from __future__ import annotations

from typing import Any, TextIO

from kordless_booking import conf
from kordless_booking.erasure.base import AmbiguousContact, Person
from kordless_booking.upstream.phone_region import find_phone_region
from kordless_booking.upstream.registry import services_for


def add_contact_argument(parser: Any, meaning: str, *, required: bool = False) -> None:
    """Add --contact to a parser, or to a group of arguments."""
    parser.add_argument(
        "--contact",
        action="append",
        metavar="EMAIL-OR-PHONE",
        help=f"{meaning}; may be repeated; - reads contacts from standard input, one per line",
        **({"required": True} if required else {}),
    )


def read_person(arguments: list[str], stdin: TextIO, account: str | None) -> Person:
    """Return the person with the contacts that were given. `account` is the name of the one that is asked about.

    Raises ValueError, see `describe_wrong_contact`.
    """
    contacts = _read_contacts(arguments, stdin)
    return Person.from_texts(contacts, _find_regions(contacts, account))


def describe_wrong_contact(error: ValueError) -> str:
    """Return what was wrong with the contacts, in a sentence."""
    if isinstance(error, AmbiguousContact):
        return (
            "A phone number without a country code may be different people's, because your accounts are in several "
            "countries. Begin it with + and the country code, or give --account."
        )
    # The text isn't repeated: a command's output may be stored by whoever runs it.
    return "A contact is neither an email address nor a phone number."


def _read_contacts(arguments: list[str], stdin: TextIO) -> list[str]:
    """Return the contacts as given, with the lines of standard input in place of a dash."""
    found = [text for text in arguments if text != "-"]
    if "-" in arguments:
        found += [line.strip() for line in stdin if line.strip()]
    if not found:
        raise ValueError("no contact is given")
    return found


def _find_regions(contacts: list[str], name: str | None) -> frozenset[str]:
    """Return where phone numbers without a country code may be from: where the account `name` is, or all are.

    For email addresses, Kordless isn't asked.
    """
    known = conf.accounts()
    accounts = [known[name]] if name and name in known else list(known.values())
    if all("@" in contact for contact in contacts):
        return frozenset()
    regions = (find_phone_region(account, services_for(account).catalog) for account in accounts)
    return frozenset(region for region in regions if region)
