"""Everything that the app adds to the widget, by hooks alone."""

from __future__ import annotations

from typing import Final

from django.utils.translation import pgettext_lazy

from kordless_booking import hooks
from kordless_booking.contrib.customers.doctor import examine
from kordless_booking.contrib.customers.erasure import Customers
from kordless_booking.contrib.customers.record import AGAIN_STAGE, FIRST_STAGE, count_visits, record_change
from kordless_booking.contrib.customers.retention import RULE, SETTING, delete_expired

TARGET: Final = Customers()
_PAGE: Final = hooks.AdminPage(
    label=pgettext_lazy("heading", "Customers"),
    url_name="admin:kordless_customers_customer_changelist",
    permission="kordless_customers.view_customer",
)


def register() -> None:
    """Register all hooks. Doing it twice changes nothing."""
    hooks.setting_rules.register(SETTING, RULE)
    hooks.change_handlers.register("customers", record_change)
    hooks.signal_arguments.register("customer_visits", count_visits)
    hooks.funnel_stages.register(FIRST_STAGE, pgettext_lazy("label", "Bookings of new customers"))
    hooks.funnel_stages.register(AGAIN_STAGE, pgettext_lazy("label", "Bookings of returning customers"))
    hooks.periodic_jobs.register("customers", delete_expired)
    hooks.erasure_targets.register(TARGET.name, TARGET)
    hooks.export_targets.register(TARGET.name, TARGET)
    hooks.doctor_checks.register("customers", examine)
    hooks.admin_pages.register("customers", _PAGE)
