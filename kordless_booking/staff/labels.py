"""Labels on the admin's pages, in the active language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.conf import Account
from kordless_booking.models import FunnelCount
from kordless_booking.upstream.registry import services_for


def stage_label(stage: FunnelCount.Stage) -> str:
    """Return the label of what a stage counts, in the plural."""
    return {
        FunnelCount.Stage.VISIT: pgettext("label", "Visits"),
        FunnelCount.Stage.SERVICE: pgettext("label", "Services opened"),
        FunnelCount.Stage.SLOT: pgettext("label", "Times chosen"),
        FunnelCount.Stage.CONTACT: pgettext("label", "Forms sent"),
        FunnelCount.Stage.BOOKED: pgettext("label", "Booked"),
    }[stage]


def placement_label(source: str) -> str:
    """Return the label of a placement of the widget; unknown ones as they are."""
    labels = {
        FunnelCount.Placement.PAGE: _("Pages of the widget"),
        FunnelCount.Placement.INLINE: _("Inside pages of this site"),
        FunnelCount.Placement.EMBED: _("Frames on other sites"),
    }
    return labels[FunnelCount.Placement(source)] if source in list(FunnelCount.Placement) else source


def rejection_label(reason: str) -> str:
    """Return the label of a reason for rejecting a delivery; unknown ones as they are."""
    labels = {
        "webhook_without_secret": _("No secret is set"),
        "webhook_malformed": _("No readable event"),
        "webhook_stale": _("Timestamp too far off"),
        "webhook_signature_invalid": _("Signed with another secret"),
        "webhook_scheme_mismatch": _("Signed in a way other than the settings say"),
        "webhook_too_large": pgettext("label", "Too large"),
        "webhook_receiver_failed": _("A receiver of this site failed"),
        "webhook_not_recorded": _("The database failed"),
    }
    return labels.get(reason, reason)


def format_age(seconds: float) -> str:
    """Format an age in the largest unit that fits: seconds up to two minutes, minutes up to two hours, else hours."""
    number = int(seconds)
    if number < 120:
        return _("%(number)s s") % {"number": number}
    if number < 7200:
        return _("%(number)s min") % {"number": number // 60}
    return _("%(number)s h") % {"number": number // 3600}


def service_names(accounts: Iterable[Account]) -> dict[str, str]:
    """Return names of services by slug, as far as the cache has them. Kordless isn't asked."""
    offers = [services_for(account).catalog.cached_organization() for account in accounts]
    return {service.slug: service.name for offer in offers if offer for service in offer.services}
