"""Bookings by programs of the site's own, with a token. Not for pages in a browser: CORS stays closed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils import translation
from django.views.decorators.debug import sensitive_variables

from kordless_booking import exceptions
from kordless_booking.api.deadline import deadline
from kordless_booking.contrib.json_api.plugin import BOOKINGS_SETTING
from kordless_booking.contrib.json_api.responses import (
    JSON,
    ApiProblem,
    api_view,
    dump_json,
    not_found,
    take_api_use,
    too_many,
    unavailable,
)
from kordless_booking.limits import MAX_GUESTS, MAX_ID, MAX_PARTY_SIZE
from kordless_booking.presentation.locales import best_supported_language
from kordless_booking.presentation.timezones import canonical_timezone
from kordless_booking.upstream.requester import requested_by
from kordless_booking.upstream.window import DAY
from kordless_booking.views.client_address import Bucket, build_requester, client_buckets
from kordless_booking.views.program_bookings import (
    TOKENS_SETTING,
    Order,
    Result,
    follow_up,
    hash_token,
    is_known_token,
    parse_key,
    place_order,
)
from kordless_booking.views.program_reads import (
    BookLinks,
    TimesQuery,
    absolute,
    nearest_times,
    plain_links,
    read_as_program,
    write_time,
)
from kordless_booking.views.request import WidgetRequest

MAX_BODY_BYTES: Final = 128 * 1024
"""Bytes of a body. The longest form has 1,000 characters of notes and some answers."""
_WRONG_TOKENS: Final = 20
"""Requests with a wrong token that one client address may send in ten minutes. A token can't be guessed; this keeps a
program with an old one from filling the log."""
_POLLS_PER_BOOKING: Final = 10
"""Polls that each booking of the limit allows."""
_WINDOW_SECONDS: Final = 600
_AT: Final = re.compile(r"(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?\Z", re.DOTALL)
_MISSING: Final = re.compile(r"Object (?:missing required|contains unknown) field `(?P<name>[^`]*)`")
_YEARS: Final = range(2000, 2200)
"""Years of a time: far beyond any booking window, and so near that no arithmetic overflows."""

_Text = Annotated[str, msgspec.Meta(max_length=4000)]
_Line = Annotated[str, msgspec.Meta(max_length=500)]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]


class ContactBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`contact` of a body. What is required is a matter of the site's settings."""

    name: _Line = ""
    first_name: _Line = ""
    last_name: _Line = ""
    email: _Line = ""
    phone: _Line = ""

    def __repr__(self) -> str:
        return "ContactBody(…)"


class OrderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of a request. Unknown fields are refused: a misspelled `party` would book for one."""

    service: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f/]+\Z")]
    start: _Time
    end: _Time
    timezone: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    contact: ContactBody
    party: Annotated[int, msgspec.Meta(ge=1, le=MAX_PARTY_SIZE)] = 1
    host: _Id | None = None
    team: _Id | None = None
    notes: _Text = ""
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""
    answers: dict[str, bool | int | float | str | list[str]] = {}
    guests: Annotated[list[_Line], msgspec.Meta(max_length=MAX_GUESTS)] = []
    consents: dict[str, _Line] = {}

    def __repr__(self) -> str:
        return "OrderBody(…)"


_decoder: Final = msgspec.json.Decoder(OrderBody)


@api_view("POST", is_public=False)
@sensitive_variables()
def attempts(visit: WidgetRequest) -> HttpResponse:
    """Place a booking, or follow up the attempt that has the request's Idempotency-Key."""
    token = _require_token(visit)
    limit = visit.account.extension_setting(BOOKINGS_SETTING)
    take_api_use(visit, "api_booking", [Bucket(hash_token(token))], limit=limit, seconds=_WINDOW_SECONDS)
    key = parse_key(visit.request.headers.get("Idempotency-Key"))
    if key is None:
        raise ApiProblem(
            400,
            "idempotency-key-required",
            "Idempotency-Key required",
            "Send the header Idempotency-Key with 8 to 128 visible ASCII characters, such as a UUID: a new one for "
            "each booking, and the same one when the request is repeated.",
        )
    order, language = _read_order(visit)
    # The customer's language: that of mails to them, and of the texts that they are told.
    if language:
        visit = replace(visit, language=language, choices=visit.choices.replace(lang=language))
    with (
        translation.override(visit.language),
        requested_by(build_requester(visit)),
        deadline(visit.account.booking_seconds),
    ):
        result = place_order(visit, order, key)
    return _build_response(visit, result)


@api_view("GET", is_public=False)
@sensitive_variables()
def attempt(visit: WidgetRequest, token: str) -> HttpResponse:
    """Return the outcome of an attempt, and send it again when that is due."""
    own = _require_token(visit)
    limit = visit.account.extension_setting(BOOKINGS_SETTING)
    bucket = Bucket(hash_token(own), _POLLS_PER_BOOKING)
    take_api_use(visit, "api_poll", [bucket], limit=limit, seconds=_WINDOW_SECONDS)
    with requested_by(build_requester(visit)), deadline(visit.account.booking_seconds):
        result = follow_up(visit, token)
    return _build_response(visit, result)


def _require_token(visit: WidgetRequest) -> str:
    """Return the request's token. Raises ApiProblem: 404 where no program may book, 401 for an unknown token."""
    if not visit.account.extension_setting(TOKENS_SETTING):
        raise not_found("Programs can't book here: this site has no API_TOKENS.")
    scheme, _space, token = visit.request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and token and is_known_token(visit.account, token):
        return token
    buckets = client_buckets(visit.request, visit.account.trusted_proxies)
    take_api_use(visit, "api_token", buckets, limit=_WRONG_TOKENS, seconds=_WINDOW_SECONDS)
    raise ApiProblem(
        401,
        "unauthorized",
        "Unauthorized",
        "Send the header Authorization: Bearer with a token whose hash is in API_TOKENS.",
        headers={"WWW-Authenticate": 'Bearer realm="bookings"'},
    )


def _read_order(visit: WidgetRequest) -> tuple[Order, str]:
    """Read the body: the order, and the customer's language, "" for none. Raises ApiProblem."""
    request = visit.request
    if request.content_type != JSON:
        raise ApiProblem(415, "unsupported-media-type", "Unsupported media type", f"Send the body as {JSON}.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and (len(length) > 9 or int(length) > MAX_BODY_BYTES):
        raise _too_large()
    try:
        raw = request.body
    except RequestDataTooBig:
        raise _too_large() from None
    except (UnreadablePostError, RawPostDataException, OSError):
        raise ApiProblem(400, "unreadable", "Unreadable request", "The body ended too early.") from None
    if len(raw) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        body = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid([_find_place(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiProblem(400, "unreadable", "Unreadable request", "The body is no JSON.") from None
    return _build_order(body)


def _build_order(body: OrderBody) -> tuple[Order, str]:
    errors = [
        (f"/{name}", "The year is out of range.")
        for name, moment in (("start", body.start), ("end", body.end))
        if moment.year not in _YEARS
    ]
    zone = canonical_timezone(body.timezone)
    if zone is None:
        errors.append(("/timezone", "Unknown time zone: use an IANA name such as Europe/Paris."))
    language = best_supported_language(body.language) or "" if body.language else ""
    if errors or zone is None:
        raise _invalid(errors)
    contact = {name: getattr(body.contact, name) for name in ContactBody.__struct_fields__}
    order = Order(
        service=body.service,
        start=body.start,
        end=body.end,
        timezone=zone,
        party=body.party,
        host=body.host,
        team=body.team,
        contact={name: text for name, text in contact.items() if text},
        notes=body.notes,
        answers=body.answers,
        guests=tuple(body.guests),
        consents=body.consents,
    )
    return order, language


def _find_place(text: str) -> tuple[str, str]:
    """Return the JSON pointer of an error of msgspec's, and the error without it. Neither repeats a value."""
    found = _AT.fullmatch(text)
    said, path = (found["text"], found["path"] or "") if found else (text, "")
    pointer = re.sub(r"\.|\[(?=\d)", "/", path.replace("[...]", "")).replace("]", "")
    if missing := _MISSING.fullmatch(said):
        pointer += "/" + missing["name"].replace("~", "~0").replace("/", "~1")
    return pointer or "/", f"{said}."


def _invalid(errors: list[tuple[str, str]]) -> ApiProblem:
    return ApiProblem(422, "invalid-order", "Invalid order", "Nothing was booked: see errors.", errors=errors)


def _too_large() -> ApiProblem:
    return ApiProblem(413, "too-large", "Too large", f"A body has {MAX_BODY_BYTES} bytes at most.")


def _build_response(visit: WidgetRequest, result: Result) -> HttpResponse:
    """Return the response for a result. Raises ApiProblem for all but placed and open attempts."""
    terms = result.order_terms
    poll_url = absolute(visit, plain_links(visit).url("api-attempt", result.token)) if result.token else None
    if result.state in {"placed", "pending", "unknown"} and terms is not None:
        document: dict[str, Any] = {
            "state": "outcome_unknown" if result.state != "placed" and not result.queued else result.state,
            "service": terms.service,
            "start": write_time(terms.start),
            "end": write_time(terms.end),
            "timezone": terms.timezone,
            "party": terms.party_size,
        }
        if result.state == "placed" and result.booking is not None:
            written = {name: _written(value) for name, value in result.booking.items()}
            return _build_attempt({**document, **written}, 201, poll_url)
        document["poll_url"] = None if result.state == "unknown" else poll_url
        document["detail"] = _OPEN_TEXTS["queued" if result.queued else result.state]
        response = _build_attempt(document, 202, document["poll_url"])
        if result.state != "unknown":
            response["Retry-After"] = str(result.seconds or 1)
        return response
    raise _build_problem(visit, result)


_OPEN_TEXTS: Final = {
    "queued": "The booking is queued. Ask again at poll_url after Retry-After seconds; do not send another one.",
    "pending": "The booking was sent, and its outcome isn't known yet. Ask again at poll_url after Retry-After "
    "seconds; do not send another one.",
    "unknown": "The booking may have been made, and it can't be found out here. A person has to look it up before "
    "anything is booked again.",
}


def _build_problem(visit: WidgetRequest, result: Result) -> ApiProblem:
    match result.state:
        case "taken":
            return ApiProblem(
                409,
                "time-taken",
                "Time taken",
                "This time isn't free. An earlier try of this very request may have booked it: look it up first."
                if result.after_unknown_outcome
                else "This time isn't free for this host, team and party. Nothing was booked.",
                more={"nearest": _find_nearest(visit, result)},
            )
        case "refused":
            return ApiProblem(
                422, "refused", "Refused", "The booking system didn't accept this booking. Nothing was booked."
            )
        case "invalid":
            return _invalid(list(result.errors))
        case "reused":
            return ApiProblem(
                422,
                "idempotency-key-reused",
                "Idempotency-Key reused",
                "This key belongs to another request. Its attempt was left alone; another booking needs another key.",
            )
        case "throttled":
            return too_many(result.seconds or _WINDOW_SECONDS)
        case "gone":
            return not_found("There is no such attempt, or its address is too old.")
    return unavailable(
        "The booking system can't be reached right now. Send the same request again, with the same Idempotency-Key.",
        result.seconds,
    )


def _find_nearest(visit: WidgetRequest, result: Result) -> list[dict[str, Any]]:
    """Return the free times nearest to one that is taken; none where they can't be read."""
    terms = result.order_terms
    if terms is None:
        return []
    try:
        with read_as_program(visit):
            detail = visit.bookable_service(terms.service)
            query = TimesQuery(
                first=(terms.start - 3 * DAY).date(),
                last=(terms.start + 7 * DAY).date(),
                zone=terms.timezone,
                party=terms.party_size,
                host=terms.host_id,
                team=terms.team_id,
            )
            found = nearest_times(visit, detail, query, terms.start)
            return BookLinks(visit, terms.service, query).describe_times(found.times)
    except exceptions.KordlessError:
        return []


def _build_attempt(document: dict[str, Any], status: int, address: str | None) -> HttpResponse:
    response = HttpResponse(dump_json(document), status=status, content_type=JSON)
    if address:
        response["Location"] = address
    return response


def _written(value: Any) -> Any:
    return write_time(value) if isinstance(value, datetime) else value
