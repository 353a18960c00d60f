"""Tables as they are after years: each with a given number of rows, written by the database itself in a moment."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Model

from kordless_booking.contrib.customers.models import Customer, CustomerBooking
from kordless_booking.models import (
    Appointment,
    BookingAttempt,
    BookingProjection,
    CampaignCount,
    ConsentProof,
    FunnelCount,
    LostDemandCount,
    OutgoingMail,
    RejectedDeliveryCount,
    WebhookDelivery,
)

GROWING: tuple[type[Model], ...] = (
    BookingAttempt,
    WebhookDelivery,
    BookingProjection,
    FunnelCount,
    LostDemandCount,
    CampaignCount,
    RejectedDeliveryCount,
    ConsentProof,
    Appointment,
    OutgoingMail,
)
"""Tables that grow with bookings, deliveries or days."""
_DAYS = 400
"""Days over which the rows are spread, back from the given time; for appointments, ahead of it."""


def fill_tables(rows: int, now: str = "2026-12-01 15:00:00") -> None:
    """Write so many rows into each table that grows, all of the account `default`. `now` is UTC.

    Most attempts are placed; one in fifty was left behind in the queue, and one in fifty has an unknown outcome.
    """
    minutes = _DAYS * 1440 // rows + 1
    past = _moment(now, f"-(n * {minutes})")
    ahead = _moment(now, f"(n * {minutes})")
    later = _moment(now, f"10080 - (n * {minutes})")
    end = _moment(now, f"(n * {minutes}) + 60")
    by_fifty = (
        "CASE n % 50 WHEN 0 THEN 'waiting' WHEN 1 THEN 'outcome_unknown' WHEN 2 THEN 'rejected' ELSE 'placed' END"
    )
    account = "'default'"
    _insert(
        BookingAttempt,
        rows,
        key=_text("k"),
        account=account,
        service="'haircut'",
        start=ahead,
        generation="1",
        body_hash=_text("b"),
        state=by_fifty,
        rejection="''",
        encrypted="'x'",
        email_hash=_text("e"),
        phone_hash="''",
        number_hash=_text("c"),
        address_hash=f"CASE n % 50 WHEN 0 THEN {_text('a')} ELSE '' END",
        arrival="n",
        turn="n",
        claim="1",
        claimed_until=past,
        outcome_unknown="false",
        retry_at=f"CASE n % 50 WHEN 0 THEN {past} END",
        created_at=past,
        changed_at=past,
    )
    _insert(
        WebhookDelivery,
        rows,
        account=account,
        delivery_id=_text("d"),
        body_hash=_text("b"),
        kind="'booking.created'",
        outcome="'processed'",
        happened_at=past,
        received_at=past,
        source="'webhook'",
        encrypted=f"CASE WHEN n * {minutes} < 28 * 1440 THEN 'x' ELSE '' END",
    )
    _insert(
        BookingProjection,
        rows,
        account=account,
        number_hash=_text("p"),
        start=later,
        created="true",
        canceled="false",
        changed_at=past,
    )
    # Each day has a hundred services, or ten reasons.
    _insert(
        FunnelCount,
        rows,
        day=_day(now, "n / 100"),
        account=account,
        service="'s' || CAST(n % 100 AS varchar(5))",
        placement="'page'",
        stage="'service'",
        count="3",
    )
    _insert(
        LostDemandCount,
        rows,
        day=_day(now, "n / 100"),
        account=account,
        service="'s' || CAST(n % 100 AS varchar(5))",
        placement="'page'",
        month=_day(now, "0"),
        count="3",
    )
    _insert(
        CampaignCount,
        rows,
        day=_day(now, "n / 100"),
        account=account,
        service="'s' || CAST(n % 100 AS varchar(5))",
        placement="'page'",
        source="'google'",
        count="3",
    )
    _insert(
        RejectedDeliveryCount,
        rows,
        day=_day(now, "n / 10"),
        account=account,
        reason="'r' || CAST(n % 10 AS varchar(5))",
        count="3",
    )
    _insert(
        Appointment,
        rows,
        account=account,
        number_hash=_text("a"),
        email_hash=_text("e"),
        phone_hash="''",
        link_hash=_text("l"),
        start=ahead,
        end=end,
        status="'confirmed'",
        revision="0",
        sequence="0",
        notified_at=past,
        encrypted="'x'",
    )
    _insert(
        ConsentProof,
        rows,
        account=account,
        service="'haircut'",
        name="'rules'",
        version="'1'",
        text="'I have read the rules.'",
        language="'en'",
        given_at=_moment(now, f"-(n * {minutes * 4})"),
        number_hash=_text("p"),
        email_hash=_text("e"),
        phone_hash="''",
    )
    # One mail for each appointment, whose keys begin at 1 in an empty table, or go on from there.
    with connection.cursor() as cursor:
        table, mails = _quoted(Appointment._meta.db_table), _quoted(OutgoingMail._meta.db_table)
        cursor.execute(
            f"INSERT INTO {mails} "  # noqa: S608 (ours)
            "(appointment_id, channel, kind, revision, state, tries, queued_at, due_at, changed_at) "
            f"SELECT id, 'email', 'confirmed', 0, 'sent', 1, notified_at, notified_at, notified_at FROM {table}"
        )
    if connection.vendor == "postgresql":
        analyze_tables(*GROWING)


def fill_customers(rows: int, now: str = "2026-12-01 15:00:00") -> None:
    """Write so many customers with one booking each, all of the account `default`. One in three has canceled."""
    minutes = _DAYS * 1440 // rows + 1
    past = _moment(now, f"-(n * {minutes})")
    _insert(
        Customer,
        rows,
        account="'default'",
        identity_hash=_text("i"),
        phone_hash=_text("p"),
        encrypted="'x'",
        first_seen_at=past,
        last_seen_at=past,
        last_visit_at=past,
        booked="n % 4 + 1",
        rescheduled="0",
        canceled="CASE n % 3 WHEN 0 THEN 1 ELSE 0 END",
        canceled_late="CASE n % 9 WHEN 0 THEN 1 ELSE 0 END",
        remote_id="NULL",
        synced_at="NULL",
    )
    table, bookings = _quoted(Customer._meta.db_table), _quoted(CustomerBooking._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {bookings} "  # noqa: S608 (ours)
            "(customer_id, account, number_hash, service, start, status, source, campaign, seen_at, rescheduled, "
            f"canceled_late) SELECT id, account, identity_hash, 'haircut', last_visit_at, 'confirmed', 'widget', '', "
            f"first_seen_at, 0, {'false' if connection.vendor == 'postgresql' else '0'} FROM {table}"
        )


def analyze_tables(*models: type[Model]) -> None:
    """Let PostgreSQL gather statistics, as autovacuum does on tables that have grown. SQLite plans without them."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {_quoted(model._meta.db_table)}")


def _insert(model: type[Model], rows: int, **columns: str) -> None:
    """Insert rows by one statement. Each column is an SQL expression of `n`, which counts from 1."""
    known: list[Any] = list(model._meta.concrete_fields)
    missing = {field.column for field in known} - columns.keys() - {"id"}
    assert not missing, f"{model.__name__} has columns that are not filled: {missing}"
    names = ", ".join(_quoted(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_quoted(model._meta.db_table)} ({names}) "  # noqa: S608 (ours)
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) "
            f"SELECT {', '.join(columns.values())} FROM numbers"
        )


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _text(prefix: str) -> str:
    return f"'{prefix}-' || CAST(n AS varchar(20))"


def _moment(now: str, minutes: str) -> str:
    if connection.vendor == "postgresql":
        return f"TIMESTAMP WITH TIME ZONE '{now}+00' + ({minutes}) * INTERVAL '1 minute'"
    return f"datetime('{now}', ({minutes}) || ' minutes')"


def _day(now: str, days: str) -> str:
    if connection.vendor == "postgresql":
        return f"DATE '{now[:10]}' - ({days})"
    return f"date('{now[:10]}', -({days}) || ' days')"
