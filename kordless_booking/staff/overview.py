"""Current state of an account for the overview page, from the database and the cache. Kordless isn't asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min, Q, Sum

from kordless_booking.models import (
    BookingAttempt,
    LostDemandCount,
    OutgoingMail,
    RejectedDeliveryCount,
    WebhookDelivery,
)
from kordless_booking.staff.labels import service_names
from kordless_booking.upstream.registry import AccountServices, services_for

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.upstream.catalog import CacheStatus
    from kordless_booking.upstream.gate import GateState

REFUSAL_DAYS: Final = 7
"""Days for which deliveries, rejections and lost demand are counted."""
MAX_LOST: Final = 5
"""Services with lost demand that are shown, those with most first."""


@dataclass(frozen=True)
class Rejections:
    """Deliveries that were rejected for one reason."""

    reason: str
    today: int
    week: int
    """In the last REFUSAL_DAYS days."""


@dataclass(frozen=True)
class ServiceLostDemand:
    """Times that visitors of a service were shown that nothing is free."""

    service: str
    """Name of the service as far as the cache has it, else its slug."""
    today: int
    week: int
    """In the last REFUSAL_DAYS days."""


@dataclass(frozen=True)
class OpenAttempts:
    """Attempts in one open state."""

    state: str
    number: int
    oldest: datetime
    """Creation of the oldest of them."""


@dataclass(frozen=True)
class ServiceState:
    """Cache status of a service: of its details, and of the times of each month."""

    name: str
    details: CacheStatus
    months: tuple[CacheStatus, ...]


@dataclass(frozen=True)
class AccountState:
    """Everything that the overview page shows of an account."""

    name: str
    business: str
    """The business's name; empty when the cache doesn't have it."""
    webhook: bool
    """A secret is set."""
    last: WebhookDelivery | None
    deliveries: int
    """Received in the last REFUSAL_DAYS days."""
    refusals: tuple[Rejections, ...]
    gate: GateState
    cache_up: bool
    offer: CacheStatus
    """Cache status of the business and its list of services."""
    services: tuple[ServiceState, ...]
    months: tuple[date, ...]
    """First days of the months that `services` are about: this one and the next."""
    attempts: tuple[OpenAttempts, ...]
    lost: tuple[ServiceLostDemand, ...]
    """Services with most lost demand."""
    mails: Mapping[OutgoingMail.State, int]
    """Mails that wait, and those of the last 24 hours that were given up, withheld, or have an unknown outcome."""
    messages: Mapping[OutgoingMail.State, int]
    """The same of messages to phones."""


def account_state(account: Account, now: datetime, today: date) -> AccountState:
    """Collect the state of an account. `now` is UTC, `today` a day of the site's TIME_ZONE."""
    account_services = services_for(account)
    # 32 days after the first is always in the next month.
    months = (today.replace(day=1), (today.replace(day=1) + timedelta(days=32)).replace(day=1))
    business, offer, services = _cache_state(account_services, months)
    deliveries = WebhookDelivery.objects.filter(account=account.name)
    mails = _mails(account, now)
    return AccountState(
        name=account.name,
        business=business,
        webhook=bool(account.webhook_secrets),
        last=deliveries.defer("encrypted").order_by("-received_at", "-pk").first(),
        deliveries=deliveries.filter(received_at__gt=now - timedelta(days=REFUSAL_DAYS)).count(),
        refusals=_refusals(account, today),
        gate=account_services.gate.state(),
        cache_up=account_services.cache.up,
        offer=offer,
        services=services,
        months=months,
        attempts=_attempts(account),
        lost=_lost_demand(account, today, service_names([account])),
        mails=Counter(mails[OutgoingMail.Channel.EMAIL]) + Counter(mails[OutgoingMail.Channel.STAFF]),
        messages=mails[OutgoingMail.Channel.PHONE],
    )


def _refusals(account: Account, today: date) -> tuple[Rejections, ...]:
    rows = RejectedDeliveryCount.objects.filter(account=account.name, day__gt=today - timedelta(days=REFUSAL_DAYS))
    week = dict(rows.order_by("reason").values_list("reason").annotate(number=Sum("count")))
    now = dict(rows.filter(day=today).values_list("reason", "count"))
    return tuple(Rejections(reason, now.get(reason, 0), number) for reason, number in week.items())


def _lost_demand(account: Account, today: date, names: Mapping[str, str]) -> tuple[ServiceLostDemand, ...]:
    rows = LostDemandCount.objects.filter(account=account.name, day__gt=today - timedelta(days=REFUSAL_DAYS))
    sums = rows.order_by().values_list("service").annotate(week=Sum("count"), now=Sum("count", filter=Q(day=today)))
    return tuple(
        ServiceLostDemand(names.get(slug, slug), now or 0, week)
        for slug, week, now in sums.order_by("-week", "service")[:MAX_LOST]
    )


def _mails(account: Account, now: datetime) -> dict[OutgoingMail.Channel, dict[OutgoingMail.State, int]]:
    """Count the mails that staff may have to look at, by channel.

    Those that were sent are too many to count for each page.
    """
    states, channels = OutgoingMail.State, OutgoingMail.Channel
    rows = OutgoingMail.objects.filter(
        Q(state=states.QUEUED) | Q(changed_at__gt=now - timedelta(days=1)),
        state__in=(states.QUEUED, states.FAILED, states.WITHHELD, states.OUTCOME_UNKNOWN),
    )
    # Of all accounts: with the account as a condition, a database without statistics begins with all its appointments.
    counts = rows.order_by().values_list("appointment__account", "channel", "state").annotate(Count("pk"))
    found: dict[OutgoingMail.Channel, dict[OutgoingMail.State, int]] = {channel: {} for channel in channels}
    for name, channel, state, number in counts:
        if name == account.name:
            found[channels(channel)][states(state)] = number
    return found


def _attempts(account: Account) -> tuple[OpenAttempts, ...]:
    opened = BookingAttempt.objects.filter(
        account=account.name, state__in=[state for state in BookingAttempt.State if state.is_open]
    )
    rows = opened.order_by("state").values_list("state").annotate(number=Count("pk"), oldest=Min("created_at"))
    return tuple(OpenAttempts(*row) for row in rows)


def _cache_state(
    account_services: AccountServices, months: tuple[date, ...]
) -> tuple[str, CacheStatus, tuple[ServiceState, ...]]:
    cached = account_services.catalog.cached_organization()
    offer, *others = account_services.catalog.cache_status(months)
    names = {service.slug: service.name for service in cached.services} if cached else {}
    # `cache_status` returns a flat list: for each service its details, then its months.
    each = len(months) + 1
    rows = [others[start : start + each] for start in range(0, len(others), each)]
    services = tuple(ServiceState(names.get(row[0].service, row[0].service), row[0], tuple(row[1:])) for row in rows)
    return cached.organization.name if cached else "", offer, services
