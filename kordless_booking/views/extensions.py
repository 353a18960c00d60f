"""HTML of the template slots of a page, and the scripts of extensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.templatetags.static import static
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from kordless_booking import hooks
from kordless_booking.hook_calls import call_hook

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking
    from kordless_booking.views.page import Page
    from kordless_booking.views.request import WidgetRequest


def fill_slots(
    visit: WidgetRequest,
    page: Page,
    *names: str,
    service: str = "",
    booking: Booking | None = None,
    here: Callable[..., str] | None = None,
    carried: Mapping[str, str] | None = None,
) -> dict[str, dict[str, SafeString]]:
    """Return the context of these template slots: `extensions`, or nothing where no hook fills one of them.

    A shared slot gets neither the request nor a booking, because the page is cached for all visitors, but the choices
    and the queries that are part of its key. `here` returns the URL of a shared page with other choices. `carried` is
    what its own URL has in its query besides them.
    """
    if not hooks.template_slots:
        return {}
    filled = {name: html for name in names if (html := _fill(visit, page, name, service, booking, here, carried))}
    return {"extensions": filled} if filled else {}


def _fill(
    visit: WidgetRequest,
    page: Page,
    name: str,
    service: str,
    booking: Booking | None,
    here: Callable[..., str] | None,
    carried: Mapping[str, str] | None,
) -> SafeString:
    is_private = name in hooks.PRIVATE_SLOTS
    slot = hooks.SlotContext(
        slot=name,
        account=visit.account.name,
        language=visit.language,
        page=page,
        url=visit.links.url,
        service=service,
        choices=visit.choices,
        here=here,
        query={} if is_private else page_queries(visit),
        carried=carried or {},
        booking=booking if is_private else None,
        request=visit.request if is_private else None,
    )
    parts = [
        call_hook(hooks.template_slots, name, lambda hook=hook: conditional_escape(hook(slot) or ""))[1] or ""
        for hook in hooks.template_slots.named(name)
    ]
    return mark_safe("".join(parts))  # noqa: S308 (each part is escaped, or the extension's own HTML)


def page_queries(visit: WidgetRequest) -> dict[str, str]:
    """Return the values in the query that extensions read, as far as they have the form that was registered for them.

    None of a template tag's: the query is then that of the site's own page.
    """
    # `request.GET` isn't free: most pages need nothing else of it.
    if visit.embedded or not hooks.page_queries:
        return {}
    query = visit.request.GET
    return {
        name: query[name]
        for name, pattern in hooks.page_queries.items()
        if name in query and pattern.fullmatch(query[name])
    }


def find_scripts() -> list[Any]:
    """Return the URLs of the extensions' scripts. One that the site hasn't collected is left out, and logged."""
    found = (call_hook(hooks.scripts, name, static, path)[1] for name, path in hooks.scripts.items())
    return [url for url in found if url]
