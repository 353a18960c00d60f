"""OpenAPI 3.1 description of the API, as a plain document."""

from __future__ import annotations

from typing import Any, Final

from kordless_booking import __version__
from kordless_booking.limits import MAX_GUESTS, MAX_ID, MAX_PARTY_SIZE
from kordless_booking.views.program_reads import MAX_DAYS, MAX_TIMES, USUAL_DAYS

_TEXT: Final = {"type": "string"}
_URL: Final = {"type": "string", "format": "uri"}
_TIME: Final = {"type": "string", "format": "date-time"}
_DATE: Final = {"type": "string", "format": "date"}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the schema of an object that has all of these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_SERVICE: Final[dict[str, Any]] = {
    "slug": {**_TEXT, "description": "Names the service in addresses and orders."},
    "name": _TEXT,
    "description": _or_null(_TEXT),
    "category": _or_null(_TEXT),
    "duration_minutes": {"type": ["integer", "null"]},
    "price": _object(
        {
            "kind": {**_TEXT, "enum": ["free", "fixed", "variable", "unspecified"]},
            "amount": {**_or_null(_TEXT), "description": "Decimal number in major units, of a fixed price."},
            "currency": _or_null(_TEXT),
        }
    ),
}
_LINKS: Final[dict[str, Any]] = {
    "url": {**_URL, "description": "The service's own document."},
    "times_url": {**_URL, "description": "Its free times."},
    "book_url": {**_URL, "description": "The page at which a person chooses a time and books."},
}
_PERSON: Final = _object({"id": _TEXT, "name": _or_null(_TEXT)})
_SCHEMAS: Final[dict[str, Any]] = {
    "Services": _object(
        {
            "organization": _object({"name": _TEXT, "slug": _TEXT, "tagline": _or_null(_TEXT)}),
            "services": _list(_object({**_SERVICE, **_LINKS})),
        }
    ),
    "Service": _object(
        {
            **_SERVICE,
            "timezone": {**_TEXT, "description": "IANA name of the business's time zone."},
            "booking_window_days": {"type": "integer"},
            "location": {
                "anyOf": [_object({"type": _TEXT, "address": _or_null(_TEXT)}), {"type": "null"}],
                "description": "How and, for onsite, where the appointment takes place.",
            },
            "cancellation_policy": {
                "anyOf": [
                    _object({"notice_hours": {"type": ["number", "null"]}, "text": _or_null(_TEXT)}),
                    {"type": "null"},
                ]
            },
            "form": _ref("Form"),
            **_LINKS,
        }
    ),
    "Form": _object(
        {
            "contact": _object(
                {
                    "name": {**_TEXT, "enum": ["full", "first_last"]},
                    **{
                        name: {**_TEXT, "enum": ["required", "optional", "hidden"]}
                        for name in ("email", "phone", "notes")
                    },
                    "email_or_phone": {"type": "boolean", "description": "One of the two is needed."},
                }
            ),
            "questions": _list(
                _object(
                    {
                        "name": _TEXT,
                        "label": _TEXT,
                        "kind": _TEXT,
                        "required": {"type": "boolean"},
                        "max_length": {"type": ["integer", "null"]},
                        "min": {"type": ["number", "string", "null"], "description": "Of a number or a date."},
                        "max": {"type": ["number", "string", "null"]},
                        "choices": _list(_object({"value": _TEXT, "label": _TEXT})),
                    }
                )
            ),
            "asks_guests": {"type": "boolean"},
            "consents": _list(
                _object({"name": _TEXT, "version": _TEXT, "label": _TEXT, "required": {"type": "boolean"}})
            ),
        },
        description="What a booking of the service has to say.",
    ),
    "Time": _object(
        {
            "start": {**_TIME, "description": "UTC. An order repeats start and end exactly."},
            "end": _TIME,
            "hosts": _list(_PERSON),
            "teams": _list(_PERSON),
            "seats": _object({"free": {"type": "integer"}, "total": {"type": "integer"}}),
            "book_url": {**_URL, "description": "The page at which a person gives their details and books this time."},
        }
    ),
    "Times": _object(
        {
            "service": _TEXT,
            "from": _DATE,
            "to": {**_DATE, "description": "Last day of the answer: earlier than asked for where it isn't complete."},
            "complete": {
                "type": "boolean",
                "description": f"False where there are more than {MAX_TIMES} times: ask on from the day after `to`.",
            },
            "timezone": {**_TEXT, "description": "Zone of the dates."},
            "party": {"type": "integer"},
            "host": _or_null(_TEXT),
            "team": _or_null(_TEXT),
            "outdated": {"type": "boolean", "description": "The booking system can't be asked; these are older times."},
            "times": _list(_ref("Time")),
        }
    ),
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {**_TEXT, "description": "Compare this one, not the texts."},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "errors": _list(
                {
                    "type": "object",
                    "properties": {
                        "pointer": {**_TEXT, "description": "JSON pointer into the body."},
                        "parameter": {**_TEXT, "description": "Name of a parameter of the query."},
                        "detail": _TEXT,
                    },
                    "required": ["detail"],
                }
            ),
            "nearest": _list(_ref("Time")),
        },
        "required": ["type", "title", "status"],
    },
    "Order": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "service": {**_TEXT, "minLength": 1, "maxLength": 200},
            "start": {**_TIME, "description": "Exactly as the times have it."},
            "end": _TIME,
            "timezone": {
                **_TEXT,
                "minLength": 1,
                "maxLength": 100,
                "description": "IANA name: the customer's.",
            },
            "party": {"type": "integer", "minimum": 1, "maximum": MAX_PARTY_SIZE, "default": 1},
            "host": {**_or_null(_TEXT), "minLength": 1, "maxLength": MAX_ID},
            "team": {**_or_null(_TEXT), "minLength": 1, "maxLength": MAX_ID},
            "contact": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {**_TEXT, "maxLength": 500} for name in ("name", "first_name", "last_name", "email", "phone")
                },
            },
            "notes": {**_TEXT, "maxLength": 4000},
            "language": {**_TEXT, "maxLength": 35, "description": "Of mails to the customer, such as de."},
            "answers": {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [{"type": ["string", "number", "boolean"]}, _list(_TEXT)],
                },
            },
            "guests": {"type": "array", "maxItems": MAX_GUESTS, "items": {**_TEXT, "maxLength": 500}},
            "consents": {
                "type": "object",
                "additionalProperties": {**_TEXT, "maxLength": 500},
                "description": "Versions of the texts that the customer was shown and agreed to, by name.",
            },
        },
        "required": ["service", "start", "end", "timezone", "contact"],
    },
    "Attempt": {
        "type": "object",
        "properties": {
            "state": {**_TEXT, "enum": ["placed", "pending", "outcome_unknown"]},
            "service": _TEXT,
            "start": _TIME,
            "end": _TIME,
            "timezone": _TEXT,
            "party": {"type": "integer"},
            "status": {**_TEXT, "description": "confirmed, or pending until the business confirms."},
            "confirmation_number": _TEXT,
            "placed_at": _TIME,
            "manage_url": {**_URL, "description": "For the customer alone: it opens the booking."},
            "poll_url": {"type": ["string", "null"], "format": "uri"},
            "detail": _TEXT,
        },
        "required": ["state", "service", "start", "end", "timezone", "party"],
    },
}


def build_openapi(root: str, *, with_attempts: bool) -> dict[str, Any]:
    """Return the document of an API at the absolute URL `root`. `with_attempts`: programs with a token may book."""
    service = {
        "name": "service",
        "in": "path",
        "required": True,
        "description": "Slug of a service.",
        "schema": {**_TEXT, "minLength": 1, "pattern": "^[^/]+$"},
    }
    paths: dict[str, Any] = {
        "/services.json": {
            "get": _read("list_services", "List the services", "Services"),
        },
        "/service/{service}.json": {
            "parameters": [service],
            "get": _read("get_service", "Get a service and what its form asks for", "Service", "404"),
        },
        "/service/{service}/times.json": {
            "parameters": [service],
            "get": _read(
                "list_times",
                "List the free times of a service",
                "Times",
                "400",
                "404",
                parameters=[
                    _parameter("from", _DATE, "First day; today without it."),
                    _parameter(
                        "to",
                        _DATE,
                        f"Last day, at most {MAX_DAYS - 1} days after the first; {USUAL_DAYS} days in all without it.",
                    ),
                    _parameter("tz", _TEXT, "Zone of the days, an IANA name; the business's own without it."),
                    _parameter("party", {"type": "integer", "minimum": 1, "maximum": MAX_PARTY_SIZE}, "People."),
                    _parameter("host", {**_TEXT, "minLength": 1}, "Id of a host."),
                    _parameter("team", {**_TEXT, "minLength": 1}, "Id of a team."),
                ],
            ),
        },
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Appointments",
            "version": __version__,
            "description": "Services and free times, for programs. A person confirms each booking at a `book_url`.",
        },
        "servers": [{"url": root}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS},
    }
    if with_attempts:
        paths["/attempts.json"] = {"post": _create()}
        paths["/attempts/{token}.json"] = {"get": _poll()}
        document["components"] = {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        }
    return document


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_PROBLEMS: Final = {
    "400": "The request can't be read.",
    "401": "The token is missing or unknown.",
    "404": "There is nothing at this address.",
    "409": "The time isn't free: `nearest` has others.",
    "413": "The body is too large.",
    "415": "The body is of another type.",
    "422": "Nothing was booked: `errors` says why, or `type`.",
    "429": "Too many requests: `Retry-After` says when to try again.",
    "503": "Nothing can be read or booked right now: `Retry-After` says when to try again.",
}


def _problems(*statuses: str) -> dict[str, Any]:
    return {
        status: {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
        }
        for status in sorted(statuses)
    }


def _answer(description: str, schema: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}, **more}


def _read(name: str, summary: str, schema: str, *problems: str, parameters: list[Any] | None = None) -> dict[str, Any]:
    language = _parameter("lang", _TEXT, "Language of labels, such as de; the site's own for any other.")
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [*(parameters or []), language],
        "responses": {
            "200": _answer("The document.", schema),
            "304": {"description": "Unchanged since the answer with the ETag in If-None-Match."},
            **_problems("429", "503", *problems),
        },
    }


_LOCATION: Final = {"Location": {"description": "Address of the attempt.", "schema": _URL}}


def _create() -> dict[str, Any]:
    return {
        "operationId": "create_attempt",
        "summary": "Book a time",
        "description": "The same key and body are the same attempt: repeat a request as often as you like.",
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "A UUID, new for each booking.",
                "schema": {**_TEXT, "minLength": 8, "maxLength": 128, "pattern": "^[!#-~]{8,128}$"},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Order")}}},
        "responses": {
            "201": _answer("Booked.", "Attempt", headers=_LOCATION),
            "202": _answer("Not known yet: ask at `poll_url`, and don't book again.", "Attempt"),
            **_problems("400", "401", "409", "413", "415", "422", "429", "503"),
        },
    }


def _poll() -> dict[str, Any]:
    return {
        "operationId": "get_attempt",
        "summary": "Get the outcome of an attempt",
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "token",
                "in": "path",
                "required": True,
                "description": "As `poll_url` has it.",
                "schema": {**_TEXT, "minLength": 1, "pattern": "^[^/]+$"},
            }
        ],
        "responses": {
            "201": _answer("Booked.", "Attempt", headers=_LOCATION),
            "202": _answer("Not known yet: ask again later.", "Attempt"),
            **_problems("401", "404", "409", "422", "429", "503"),
        },
    }
