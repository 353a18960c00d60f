"""The part of the comparison that only reads: services, times, errors, limits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from kordless_booking.doctor.contract.facts import Findings
from kordless_booking.doctor.contract.prober import Prober, Stopped
from kordless_booking.presentation.timezones import business_timezone
from kordless_booking.upstream.window import DAY, LONGEST_MONTH_DAYS, NEAR_DAYS

if TYPE_CHECKING:
    from kordless_booking.api.raw import RawResponse

Document = Mapping[str, Any]

MAX_OTHER_SERVICES: Final = 4
"""Services whose times are read beside the first one's, to find hosts, teams and several seats."""
OTHER_DAYS: Final = 14
"""Days of times that are read of each."""
RESERVED_EMAIL: Final = "contract-check@example.com"
"""Address at a domain that is reserved for examples (RFC 2606), which reaches nobody."""
UNKNOWN_NUMBER: Final = "KORDLESS-CONTRACT-CHECK"
"""Confirmation number of no booking."""
_LOCATIONS: Final = frozenset({"onsite", "phone", "meet_url", "custom"})
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_LOOKUPS: Final = 2
_MAX_NOTICE_HOURS: Final = 24 * 365
_MAX_SEATS: Final = 1_000_000


@dataclass
class ServiceTimes:
    """A service and the times that were read of it."""

    slug: str
    key: str = ""
    notice_hours: float = 0
    timezone: str = "UTC"
    """IANA name."""
    slots: list[Document] = field(default_factory=list)


def read_and_judge(prober: Prober, findings: Findings, service_slug: str = "") -> ServiceTimes:
    """Compare what can be read, and return the service named, or the first one that can be booked, with its times.

    Raises Stopped.
    """
    bookable = _judge_services(prober, findings, service_slug)
    main = bookable[0]
    start = datetime.combine(datetime.now(UTC).date(), time(), UTC)
    _judge_settings(prober, findings, main)
    _judge_ranges(prober, findings, main, start)
    read = [main, *_read_others(prober, bookable[1:], main, start)]
    _judge_slots(findings, read)
    _judge_party_size(prober, findings, read, start)
    _provoke_errors(prober, findings, main, start)
    _judge_lookups(prober, findings, main, start)
    return main


def judge_times(findings: Findings, texts: Iterable[object]) -> None:
    """Judge the form of times."""
    texts = list(texts)
    other = sum(not (isinstance(text, str) and _UTC.fullmatch(text)) for text in texts)
    if texts:
        findings.judge("utc", not other, f"{other} times have another form" if other else "all times have this form")


def judge_location(findings: Findings, location: object) -> None:
    """Judge a location; none is fine."""
    if isinstance(location, Mapping):
        kind = location.get("type")
        known = isinstance(kind, str) and kind in _LOCATIONS
        findings.judge("locations", known, "only these" if known else "a location of another type")


def judge_timezone(findings: Findings, name: object) -> str:
    """Judge the name of a time zone; none is fine. Return the canonical name, or UTC."""
    if name is None:
        return "UTC"
    canonical = business_timezone(name) if isinstance(name, str) else None
    is_iana = isinstance(name, str) and canonical is not None and (canonical == name or "/" in name)
    findings.judge("timezones", is_iana, "only these" if is_iana else "a name of another kind")
    return canonical or "UTC"


def member(document: object, name: str) -> Document:
    """Return the object in a document's member; an empty one if there is none."""
    found = document.get(name) if isinstance(document, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _objects(document: object, name: str) -> list[Document]:
    found = document.get(name) if isinstance(document, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _judge_services(prober: Prober, findings: Findings, service_slug: str) -> list[ServiceTimes]:
    answer = prober.organization()
    if answer.status != 200:
        raise Stopped(f"the organization was answered with {answer.status}")
    services = _objects(answer.document, "services")
    kinds = Counter(_price_kind(service) for service in services)
    if kinds:
        observation = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        findings.judge("prices", not kinds["of another form"], observation)
    objects = sum(isinstance(service.get("metadata", {}), Mapping) for service in services)
    if services:
        findings.judge("metadata", objects == len(services), f"{objects} of {len(services)} services")
    bookable = [
        ServiceTimes(service["slug"], str(service.get("key")))
        for service in services
        if isinstance(service.get("slug"), str) and service.get("isBookablePublic") is not False
    ]
    if service_slug:
        bookable.sort(key=lambda service: service.slug != service_slug)
    if not bookable or (service_slug and bookable[0].slug != service_slug):
        raise Stopped(
            "the service isn't among those that can be booked" if service_slug else "no service can be booked"
        )
    return bookable


def _price_kind(service: Document) -> str:
    if "price" not in service:
        return "absent"
    price = service["price"]
    if price is None:
        return "null"
    # bool is a subclass of int.
    return "numbers" if isinstance(price, int | Decimal) and not isinstance(price, bool) else "of another form"


def _judge_settings(prober: Prober, findings: Findings, main: ServiceTimes) -> None:
    document = prober.service(main.slug).document
    settings = member(document, "calendarSettings")
    judge_location(findings, settings.get("location"))
    main.timezone = judge_timezone(findings, settings.get("timezone"))
    hours = member(settings, "cancellation_policy").get("noticeHours")
    # Compared before it becomes a float or an interval, which have no room for each number of JSON.
    main.notice_hours = float(max(0, min(hours, _MAX_NOTICE_HOURS))) if isinstance(hours, int | Decimal) else 0.0


def _judge_ranges(prober: Prober, findings: Findings, main: ServiceTimes, start: datetime) -> None:
    answer = prober.availability(main.slug, start, start + NEAR_DAYS * DAY, partySize="1")
    observation = f"{answer.status}, {len(_objects(answer.document, 'slots'))} times"
    findings.judge("range_62_days", answer.status == 200, observation if answer.status == 200 else str(answer.status))
    if answer.status != 200:
        answer = prober.availability(main.slug, start, start + LONGEST_MONTH_DAYS * DAY, partySize="1")
    main.slots = _objects(answer.document, "slots")
    longer = prober.availability(main.slug, start, start + (NEAR_DAYS + 1) * DAY, partySize="1")
    findings.judge("range_63_days", longer.status == 400, f"{longer.status} for {NEAR_DAYS + 1} days")


def _read_others(
    prober: Prober, others: list[ServiceTimes], main: ServiceTimes, start: datetime
) -> Iterable[ServiceTimes]:
    """Read the times of further services until hosts, a team and several seats were seen."""
    read = [main]
    for service in others[:MAX_OTHER_SERVICES]:
        slots = [slot for each in read for slot in each.slots]
        if any(_seats(slot) > 1 for slot in slots) and all(
            any(slot.get(name) for slot in slots) for name in ("host", "team")
        ):
            break
        answer = prober.availability(service.slug, start, start + OTHER_DAYS * DAY, partySize="1")
        service.slots = _objects(answer.document, "slots")
        read.append(service)
    return read[1:]


def _seats(slot: Document) -> int:
    return _seat_count(slot.get("capacity"))


def _free(slot: Document) -> int:
    return _seat_count(slot.get("availableCapacity"))


def _seat_count(found: object) -> int:
    # Kept short: the report says it, and a query repeats it.
    return max(-_MAX_SEATS, min(found, _MAX_SEATS)) if isinstance(found, int) else 1


def _judge_slots(findings: Findings, read: list[ServiceTimes]) -> None:
    slots = [slot for service in read for slot in service.slots]
    if not slots:
        for code in ("utc", "order", "full_times", "once_each", "seats", "party_size"):
            findings.explain(code, "no service read has free times")
        return
    judge_times(findings, (slot.get(name) for slot in slots for name in ("startsAt", "endsAt")))
    for name in {slot.get("timezone") for slot in slots if isinstance(slot.get("timezone"), str | None)}:
        judge_timezone(findings, name)
    for service in read:
        starts = [str(slot.get("startsAt")) for slot in service.slots]
        findings.judge("order", starts == sorted(starts), "sorted" if starts == sorted(starts) else "another order")
        named = {slot.get("serviceId") for slot in service.slots if isinstance(slot.get("serviceId"), str)}
        same = service.key == service.slug and named <= {service.slug}
        findings.judge("slugs", same, "the same in all places" if same else "they differ")
    full = sum(_free(slot) < 1 for slot in slots)
    findings.judge("full_times", not full, f"{full} of {len(slots)} times are full")
    repeated = len(slots) - len({_identity(slot) for slot in slots})
    hosts = Counter(repr((slot.get("serviceId"), slot.get("startsAt"))) for slot in slots)
    several = sum(count > 1 for count in hosts.values())
    findings.judge("once_each", not repeated, f"{several} times with several hosts or teams, {repeated} repeated")
    wrong = sum(
        not isinstance(slot.get("capacity"), int)
        or not isinstance(slot.get("availableCapacity"), int)
        or not 0 <= _free(slot) <= _seats(slot)
        for slot in slots
    )
    largest = max(map(_seats, slots))
    observation = f"{wrong} of {len(slots)} times are otherwise" if wrong else f"at most {largest} seats"
    findings.judge("seats", not wrong, observation)
    for code, name, needed in (
        ("host_names", "host", ("displayName",)),
        ("team_names", "team", ("id", "displayName")),
    ):
        found = [slot[name] for slot in slots if isinstance(slot.get(name), Mapping)]
        without = sum(any(key not in each for key in needed) for each in found)
        if found:
            observation = (
                f"{without} of {len(found)} times are otherwise" if without else f"{len(found)} times have one"
            )
            findings.judge(code, not without, observation)


def _identity(slot: Document) -> str:
    names = ("serviceId", "startsAt", "endsAt", "hostId", "teamId")
    return repr([slot.get(name) for name in names])


def _judge_party_size(prober: Prober, findings: Findings, read: list[ServiceTimes], start: datetime) -> None:
    with_slots = [service for service in read if service.slots]
    if not with_slots:
        return
    # The one whose times differ most in their free seats shows most.
    service = max(with_slots, key=lambda each: len({_free(slot) for slot in each.slots}))
    end = start + OTHER_DAYS * DAY
    before = [slot for slot in service.slots if str(slot.get("startsAt")) < end.strftime("%Y-%m-%dT%H:%M:%SZ")]
    seats = sorted({_free(slot) for slot in before}) or [1]
    party = seats[-1] if len(seats) > 1 else seats[-1] + 1
    answer = prober.availability(service.slug, start, end, partySize=str(party))
    if answer.status != 200:
        findings.judge("party_size", False, f"{answer.status} for {party} people")
        return
    after = _objects(answer.document, "slots")
    fitting = sum(_free(slot) >= party for slot in before)
    # Somebody may have booked in between, so the numbers needn't be equal.
    holds = all(_free(slot) >= party for slot in after) and bool(after) == bool(fitting)
    observation = (
        f"times listed for a party of {party}: {len(after)}; times that have the seats: {fitting} of {len(before)}"
    )
    findings.judge("party_size", holds, observation)


def _provoke_errors(prober: Prober, findings: Findings, main: ServiceTimes, start: datetime) -> None:
    # The prober judges the documents, as those of all errors.
    backwards = prober.availability(main.slug, start + DAY, start)
    _judge_status(findings, 400, backwards, "a range that ends before it starts")
    _judge_status(findings, 401, prober.availability(main.slug, start, start + DAY, with_key="no"), "an invented key")
    _judge_status(findings, 404, prober.service(UNKNOWN_NUMBER.lower()), "an unknown service")


def _judge_status(findings: Findings, expected: int, answer: RawResponse, asked: str) -> None:
    if answer.status != expected:
        findings.judge(f"error_{expected}", False, f"{answer.status} for {asked}")


def _judge_lookups(prober: Prober, findings: Findings, main: ServiceTimes, start: datetime) -> None:
    """Judge the limits of look-ups: what they say, and what the key has left before and after two of them."""
    remaining, reset = prober.remaining, prober.reset
    answers = [look_up(prober, UNKNOWN_NUMBER, RESERVED_EMAIL) for _ in range(_LOOKUPS)]
    for answer in answers:
        _judge_status(findings, 404, answer, "an unknown booking")
    limits = [answer.headers.get("x-ratelimit-limit") for answer in answers]
    found = next((limit for limit in limits if limit and limit.isascii() and limit.isdecimal()), None)
    findings.judge("lookup_limit", bool(found), f"a limit of {found}" if found else "no limit is named")
    answer = prober.availability(main.slug, start, start + DAY, kordlessContractCheck="1")
    findings.judge("unknown_parameters", answer.status == 400, str(answer.status))
    if remaining is None or prober.remaining is None:
        findings.explain("lookup_quota", "the answers don't say how many requests are left")
    elif prober.remaining >= remaining and prober.reset != reset:
        findings.explain("lookup_quota", "a new minute began meanwhile: run it again")
    else:
        used = remaining - prober.remaining
        observation = f"one request with the key and {_LOOKUPS} look-ups used up {used}"
        findings.judge(
            "lookup_quota", used <= 1, observation if used <= 1 else f"{observation}, or by visitors at the same time"
        )


def look_up(prober: Prober, number: str, contact: str) -> RawResponse:
    """Look a booking up, without the key."""
    return prober.send("lookup", "GET", prober.booking_path(number), query={"contact": contact})


def parse_time(text: object) -> datetime | None:
    """Parse a time with an offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def is_beyond(slot: Document, notice: timedelta) -> bool:
    """Return True for a time that begins after the notice."""
    start = parse_time(slot.get("startsAt"))
    return start is not None and start - datetime.now(UTC) > notice
