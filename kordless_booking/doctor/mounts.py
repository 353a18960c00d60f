"""Check of the URLconf: where the widget is mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, get_resolver, reverse

from kordless_booking import conf
from kordless_booking.checks import mounted_namespaces
from kordless_booking.doctor.finding import Findings, fix, ok

if TYPE_CHECKING:
    from kordless_booking.conf import Account

__all__ = ["examine", "namespaces_of"]


def namespaces_of(account: Account) -> list[str]:
    """Return the namespaces that the account is mounted under. Links use the first one."""
    # With one account any namespace is its own; with several, the last part must be the account's name.
    alone = len(conf.accounts()) == 1
    found = list(mounted_namespaces(get_resolver().url_patterns))
    return [name for name in found if alone or name.rpartition(":")[2] == account.name]


def examine(account: Account) -> Findings:
    """Report each address of the account's pages."""
    found = namespaces_of(account)
    if not found:
        if len(conf.accounts()) > 1:
            advice = f"add path(…, include('kordless_booking.urls', namespace={account.name!r})) to the URLconf"
        else:
            advice = 'add path("book/", include("kordless_booking.urls")) to the URLconf'
        yield fix("unmounted", "The widget has no address", advice)
        return
    for name in found:
        try:
            yield ok("mounted", f"The widget is at {reverse(f'{name}:services')}")
        # The mount point has a path parameter, such as `<slug:shop>/book/`, for which no value is known here.
        except NoReverseMatch:
            advice = "mount it where no part of the address is variable"
            yield fix("unmounted", f"The address of the widget in {name!r} can't be told", advice)
