"""Facts about the Booking API, those that can be seen from outside and those that can not, and what was found of them.

A statement says what the sandbox does and the package prefers. A refuted one doesn't mean that something is broken:
`fallback` says what the package does then, and `settings` what an operator can set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kordless_booking.api.documented import REQUESTS_PER_MINUTE
from kordless_booking.api.responses import DEFAULT_WAIT_SECONDS
from kordless_booking.upstream.gate import MAX_SKEW_SECONDS

NOT_OBSERVABLE: Final = "nothing in the answers shows it"
NEEDS_BOOK: Final = "needs --book"


class FactSource(StrEnum):
    """Source of a fact."""

    DOCUMENTED = "documented"
    ASSUMED = "assumed"
    """Not documented, and the package relies on it, with a way out."""
    UNKNOWN = "unknown"
    """Not documented, and the package accepts each reasonable answer."""


class Verdict(StrEnum):
    """Result for a fact."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNTESTED = "untested"


@dataclass(frozen=True)
class Fact:
    """Fact. None of its texts ends with a full stop."""

    code: str
    """Stable identifier, listed in docs/contract.md."""
    source: FactSource
    statement: str
    fallback: str
    """Behavior of the package where the statement is wrong."""
    settings: tuple[str, ...] = ()
    """Keys of KORDLESS_BOOKING that answer it."""
    untested_reason: str = NOT_OBSERVABLE
    """Why it wasn't seen, where a run doesn't say it better."""


_DELIVERY = "needs --delivery, the file of a saved delivery"
_NEVER = "never provoked"

AREAS: Final[dict[str, tuple[Fact, ...]]] = {
    "services": (
        Fact(
            "slugs",
            FactSource.DOCUMENTED,
            "A service's key is its slug, and its times name it as serviceId",
            "The service is requested once more, to learn its key",
        ),
        Fact(
            "prices",
            FactSource.UNKNOWN,
            "A price is a number, null or absent",
            "A number that is written as text is understood; any other price isn't shown",
        ),
        Fact("metadata", FactSource.UNKNOWN, "A service's metadata is an object", "Anything else is ignored"),
        Fact(
            "locations",
            FactSource.DOCUMENTED,
            "A location is onsite, phone, meet_url or custom",
            "The value of another one is shown as text",
        ),
        Fact(
            "timezones",
            FactSource.DOCUMENTED,
            "Time zones have IANA names",
            "Names of Windows and offsets in hours are understood; else UTC is shown",
        ),
    ),
    "times": (
        Fact(
            "range_62_days",
            FactSource.ASSUMED,
            "The free times of 62 days are answered in one request",
            "They are requested for 33 days at a time, and 62 days are tried again after an hour",
        ),
        Fact("range_63_days", FactSource.ASSUMED, "A longer range is refused with 400", "No page asks for one"),
        Fact(
            "utc",
            FactSource.DOCUMENTED,
            "Times are ISO 8601 in UTC with Z, in whole seconds",
            "Other offsets and fractions are understood; a time without an offset isn't shown",
        ),
        Fact("order", FactSource.UNKNOWN, "Times are sorted by their start", "They are sorted before they are shown"),
        Fact("full_times", FactSource.UNKNOWN, "Full times are not listed", "Full times aren't offered"),
        Fact(
            "once_each",
            FactSource.UNKNOWN,
            "A time is listed once for each host or team",
            "Of duplicates the one with the fewest free seats counts",
        ),
        Fact(
            "host_names",
            FactSource.UNKNOWN,
            "The name of a host is displayName",
            "display_name and name are understood as well; without any of them a host has no name",
            untested_reason="none of the times read has a host",
        ),
        Fact(
            "team_names",
            FactSource.UNKNOWN,
            "A team has an id and a displayName",
            "display_name and name are understood as well; without any of them a team has no name",
            untested_reason="none of the times read has a team",
        ),
        Fact(
            "seats",
            FactSource.ASSUMED,
            "availableCapacity is a number of free seats, at most capacity",
            "The smaller of both counts; a time without them has one seat, and one with text for them isn't shown",
        ),
        Fact(
            "party_size",
            FactSource.ASSUMED,
            "partySize lists the times that have so many free seats",
            "Pages ask for one person, and choose by availableCapacity",
        ),
        Fact(
            "unknown_parameters",
            FactSource.ASSUMED,
            "An unknown query parameter is refused with 400",
            "The package sends none",
        ),
        Fact(
            "reschedule_times",
            FactSource.UNKNOWN,
            "The times for rescheduling have a path of their own that needs no key",
            "Rescheduling reads the times of the service, with the key",
            untested_reason="its path isn't documented, and none is guessed",
        ),
    ),
    "errors": (
        Fact(
            "error_shape",
            FactSource.DOCUMENTED,
            "An error has the fields detail, status and type",
            "The status of the response decides alone",
        ),
        Fact(
            "error_400",
            FactSource.DOCUMENTED,
            "Bad input is 400 validation_error",
            "A form that is refused comes back with all input",
        ),
        Fact(
            "error_401",
            FactSource.DOCUMENTED,
            "A wrong key is 401 authentication_error",
            "403 is the same; with any other status pages fail without saying why",
        ),
        Fact(
            "error_403",
            FactSource.DOCUMENTED,
            "A contact that doesn't match is 403 permission_error",
            "404 has the same page; with any other status the look-up has failed",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "error_404",
            FactSource.DOCUMENTED,
            "An unknown service or booking is 404 not_found",
            "410 is the same; with any other status visitors see that something failed",
        ),
        Fact(
            "error_409",
            FactSource.UNKNOWN,
            "A taken time is 409 conflict",
            "The status decides alone",
            untested_reason=f"{_NEVER}: it would take a second booking",
        ),
        Fact(
            "error_422",
            FactSource.UNKNOWN,
            "What is impossible is 422 unprocessable",
            "The status decides alone",
            (),
            NEEDS_BOOK,
        ),
        Fact(
            "error_429",
            FactSource.UNKNOWN,
            "Too many requests are 429 rate_limited",
            "The status decides alone",
            (),
            _NEVER,
        ),
        Fact(
            "foreign_key",
            FactSource.ASSUMED,
            "The key of another organization is 403 permission_error",
            "401 and 403 are one to visitors: booking is paused",
            untested_reason="needs another organization",
        ),
        Fact(
            "reschedule_429",
            FactSource.ASSUMED,
            "Too many reschedules are 429",
            "Any refusal of a reschedule leaves the booking as it is",
            untested_reason=_NEVER,
        ),
    ),
    "header fields": (
        Fact(
            "rate_fields",
            FactSource.DOCUMENTED,
            "Answers have X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset",
            "The package counts its own requests against these settings",
            ("REQUESTS_PER_MINUTE", "CREATIONS_PER_MINUTE"),
        ),
        Fact(
            "rate_limit",
            FactSource.DOCUMENTED,
            f"The key's limit is {REQUESTS_PER_MINUTE} requests a minute, or what the setting says",
            "A smaller limit that Kordless names is kept",
            ("REQUESTS_PER_MINUTE",),
        ),
        Fact(
            "creation_limit",
            FactSource.DOCUMENTED,
            "A creation names its own limit, 10 a minute or what the setting says",
            "The setting counts",
            ("CREATIONS_PER_MINUTE",),
            NEEDS_BOOK,
        ),
        Fact(
            "rate_reset",
            FactSource.DOCUMENTED,
            "X-RateLimit-Reset is in Unix seconds",
            "Milliseconds, seconds from now, ISO 8601 and HTTP dates are understood as well",
        ),
        Fact(
            "retry_after",
            FactSource.UNKNOWN,
            "A 429 has Retry-After",
            f"Without it X-RateLimit-Reset counts, and without both {DEFAULT_WAIT_SECONDS} seconds",
            untested_reason=f"no answer was 429, which is {_NEVER}",
        ),
        Fact(
            "date",
            FactSource.UNKNOWN,
            f"Answers have a Date, at most {MAX_SKEW_SECONDS} seconds from this machine's clock",
            "Waiting times are measured from Date where there is one; webhooks need clocks that agree",
            untested_reason="no answer has a Date",
        ),
        Fact(
            "lookup_limit",
            FactSource.UNKNOWN,
            "Look-ups name a rate limit, though they carry no key",
            "They have a quota of their own, as large as that of the key",
            ("REQUESTS_PER_MINUTE",),
        ),
        Fact(
            "lookup_quota",
            FactSource.UNKNOWN,
            "Look-ups don't count against the limit of the key",
            "Set a smaller number, so that pages and look-ups together stay below the limit",
            ("REQUESTS_PER_MINUTE",),
        ),
    ),
    "bookings": (
        Fact(
            "created",
            FactSource.DOCUMENTED,
            "A creation is answered with 201 and the booking's number, status and times",
            "200 is the same; without a number the package asks again with the same key",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "numbers",
            FactSource.DOCUMENTED,
            "A confirmation number has letters, digits, hyphens and underscores",
            "Other printable characters are sent percent-encoded",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "statuses",
            FactSource.DOCUMENTED,
            "A new booking is confirmed or pending",
            "Another status is shown as a booking that was received",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "invites",
            FactSource.DOCUMENTED,
            "A creation is answered with a calendar invite, too",
            "Calendar files are the package's own in any case",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "email_alone",
            FactSource.DOCUMENTED,
            "A name and an email address are enough to book",
            "The form comes back and asks for what is missing; it can ask at once",
            ("CONTACT_FIELDS",),
            "needs --book with --email and without --phone",
        ),
        Fact(
            "phone_alone",
            FactSource.ASSUMED,
            "A name and a phone number are enough to book",
            "The form comes back and asks for what is missing; it can ask at once",
            ("CONTACT_FIELDS",),
            "needs --book with --phone and without --email",
        ),
        Fact(
            "replay_same",
            FactSource.ASSUMED,
            "The same Idempotency-Key and body are answered with the same booking",
            "After a lost answer a booking may stand twice: cancel one of them in Kordless, and tell us",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "replay_other",
            FactSource.UNKNOWN,
            "The same Idempotency-Key with another body is refused with 422",
            "The package never sends one",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "replay_lifetime",
            FactSource.UNKNOWN,
            "An Idempotency-Key is remembered for ever",
            "The package repeats a creation within minutes only",
            untested_reason="a run is too short to see it",
        ),
        Fact(
            "lookup_by_email",
            FactSource.DOCUMENTED,
            "A booking is found by its number and the email address alone",
            "The page asks for the one that the booking was made with",
            ("CONTACT_FIELDS",),
            NEEDS_BOOK,
        ),
        Fact(
            "lookup_by_phone",
            FactSource.DOCUMENTED,
            "A booking is found by its number and the phone number alone",
            "The page asks for the one that the booking was made with",
            ("CONTACT_FIELDS",),
            NEEDS_BOOK,
        ),
        Fact(
            "canceled",
            FactSource.DOCUMENTED,
            "A cancel is answered with the booking, its status canceled",
            "The booking is looked up, and its page shows what it says",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "cancel_twice",
            FactSource.ASSUMED,
            "A second cancel is refused with 422",
            "Either answer leads to the page that says that it is canceled",
            untested_reason=NEEDS_BOOK,
        ),
        Fact(
            "notice",
            FactSource.UNKNOWN,
            "The notice of a cancellation policy is enforced by the business, not by Kordless",
            "Kordless's refusal is shown; pages can say it before",
            ("ENFORCE_NOTICE",),
            "the booked time is kept outside of the notice, so that it can be canceled",
        ),
    ),
    "webhooks": (
        Fact(
            "signature",
            FactSource.ASSUMED,
            "A delivery is signed over timestamp.body, in hex",
            "The settings name another recipe",
            ("WEBHOOK_SIGNED_PAYLOAD", "WEBHOOK_SIGNATURE_ENCODING"),
            f"no delivery was accepted yet; {_DELIVERY}",
        ),
        Fact(
            "timestamp_unit",
            FactSource.UNKNOWN,
            "X-Kordless-Timestamp is in seconds",
            "Milliseconds are understood as well",
            untested_reason=_DELIVERY,
        ),
        Fact(
            "webhook_id",
            FactSource.UNKNOWN,
            "The body's webhookId names the subscription, and X-Kordless-Webhook-Id the delivery",
            "The header field counts, and the same body under another id is a duplicate",
            untested_reason=f"no delivery was accepted yet; {_DELIVERY}",
        ),
        Fact(
            "webhook_service",
            FactSource.DOCUMENTED,
            "The serviceId of a delivery begins with srv_",
            "It is understood with and without",
            untested_reason=f"no delivery was accepted yet; {_DELIVERY}",
        ),
        Fact(
            "webhook_retries",
            FactSource.UNKNOWN,
            "A delivery that isn't answered with 2xx is sent again, several times",
            "Bookings are read from Kordless when a page shows them; a lost delivery costs a signal",
            untested_reason="needs an outage of this site",
        ),
    ),
}
"""All facts, by area, in the order of the report."""

FACTS: Final[dict[str, Fact]] = {fact.code: fact for facts in AREAS.values() for fact in facts}


@dataclass
class Findings:
    """Findings of a run. The first refutation of a fact stays: what was seen once isn't undone by a later answer."""

    verdicts: dict[str, tuple[Verdict, str]] = field(default_factory=dict)

    def judge(self, code: str, holds: bool, observation: str) -> None:
        """Record what was seen of a fact, in words without anything personal."""
        if code not in FACTS:
            raise KeyError(code)
        if self.verdicts.get(code, (Verdict.UNTESTED, ""))[0] is not Verdict.REFUTED:
            self.verdicts[code] = (Verdict.CONFIRMED if holds else Verdict.REFUTED, observation)

    def explain(self, code: str, why: str) -> None:
        """Record why a fact wasn't seen, unless it was."""
        self.verdicts.setdefault(code, (Verdict.UNTESTED, why))

    def get(self, code: str) -> tuple[Verdict, str]:
        """Return verdict and observation of a fact."""
        return self.verdicts.get(code, (Verdict.UNTESTED, FACTS[code].untested_reason))
