"""Control of a sandbox in another process: a JSON API under /_sandbox/.

It has no authentication: anyone who can reach the port can change everything. The server binds to 127.0.0.1 by default.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from kordless_booking.sandbox.webhook_sender import Endpoint

from .limits import Limits
from .request import PREFIX, Request
from .response import ApiError, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .clock import Clock
    from .faults.injector import FaultInjector
    from .model import Business
    from .request_log import Recorded
    from .webhook_sender import WebhookSender


class Controllable(Protocol):
    """Interface that the control API needs of a sandbox. `app.Sandbox` documents each part."""

    businesses: tuple[Business, ...]
    clock: Clock
    faults: FaultInjector
    courier: WebhookSender

    @property
    def limits(self) -> Limits: ...
    @limits.setter
    def limits(self, limits: Limits) -> None: ...
    @property
    def requests(self) -> Sequence[Recorded]: ...
    def forget_requests(self) -> None: ...
    def bookings(self) -> list[dict[str, Any]]: ...
    def book_by_phone(self, service_slug: str, start: datetime) -> str: ...
    def set_status(self, number: str, status: str) -> None: ...
    def move(self, number: str, start: datetime) -> None: ...
    def reset(self) -> None: ...


class Control:
    """Router for /_sandbox/<what>: calls the method `_<HTTP method>_<what>`, such as `_post_clock`."""

    def __init__(self, sandbox: Controllable) -> None:
        self._sandbox = sandbox

    def answer(self, asking: Request) -> Response:
        """Process a control request. Invalid input is a 400 with the reason; an unknown path or method is a 404."""
        what = asking.path.removeprefix("/_sandbox").strip("/") or "about"
        # isalpha(): the path must not reach any other attribute.
        work = getattr(self, f"_{asking.method.lower()}_{what}", None) if what.isalpha() else None
        if work is None:
            return ApiError(404, "no such control; see GET /_sandbox/").to_response()
        try:
            given = asking.document() if asking.method == "POST" else {}
            return Response(document=work(given))
        except ApiError as refusal:
            return refusal.to_response()
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            return ApiError(400, f"{type(error).__name__}: {error}").to_response()

    def _get_about(self, _: dict[str, Any]) -> Any:
        keys = {each.slug: each.key for each in self._sandbox.businesses}
        paths = (
            "clock",
            "faults",
            "limits",
            "requests",
            "bookings",
            "take",
            "decide",
            "move",
            "webhooks",
            "reset",
        )
        return {"api": PREFIX, "keys": keys, "control": [f"/_sandbox/{path}" for path in paths]}

    def _get_clock(self, _: dict[str, Any]) -> Any:
        return {"now": self._sandbox.clock.now().isoformat()}

    def _post_clock(self, given: dict[str, Any]) -> Any:
        """Set the clock: {"now": ISO, "frozen": true} | {"advance": seconds} | {} for real time."""
        clock = self._sandbox.clock
        if "now" in given:
            clock.set(datetime.fromisoformat(given["now"]), frozen=bool(given.get("frozen", True)))
        elif "advance" in given:
            clock.advance(timedelta(seconds=given["advance"]))
        else:
            clock.use_real_time()
        return self._get_clock({})

    def _get_faults(self, _: dict[str, Any]) -> Any:
        return {"faults": self._sandbox.faults.rules()}

    def _post_faults(self, given: dict[str, Any]) -> Any:
        """Add a fault: {"kind": …, "operation": "*", "times": null, …options of the kind}."""
        self._sandbox.faults.add(**given)
        return self._get_faults({})

    def _delete_faults(self, _: dict[str, Any]) -> Any:
        self._sandbox.faults.clear()
        return self._get_faults({})

    def _get_limits(self, _: dict[str, Any]) -> Any:
        return asdict(self._sandbox.limits)

    def _post_limits(self, given: dict[str, Any]) -> Any:
        """Set any of {"general", "creations", "contact", "window", "retry_after"}; the others get their defaults."""
        self._sandbox.limits = Limits(**given)
        return self._get_limits({})

    def _get_requests(self, _: dict[str, Any]) -> Any:
        return {"requests": [asdict(each) for each in self._sandbox.requests]}

    def _delete_requests(self, _: dict[str, Any]) -> Any:
        self._sandbox.forget_requests()
        return {"requests": []}

    def _get_bookings(self, _: dict[str, Any]) -> Any:
        return {"bookings": self._sandbox.bookings()}

    def _post_take(self, given: dict[str, Any]) -> Any:
        """Book by phone: {"service_slug", "start": ISO, "host_id"?, "party_size"?, "org_slug"?}."""
        start = datetime.fromisoformat(given.pop("start"))
        return {"confirmation_number": self._sandbox.book_by_phone(start=start, **given)}

    def _post_decide(self, given: dict[str, Any]) -> Any:
        """Set a booking's status: {"number", "status": "confirmed" | "pending" | "canceled"}."""
        self._sandbox.set_status(**given)
        return {"bookings": self._sandbox.bookings()}

    def _post_move(self, given: dict[str, Any]) -> Any:
        """Move a booking: {"number", "start": ISO}."""
        self._sandbox.move(given["number"], datetime.fromisoformat(given["start"]))
        return {"bookings": self._sandbox.bookings()}

    def _get_webhooks(self, _: dict[str, Any]) -> Any:
        courier = self._sandbox.courier
        # Without the secret: responses end up in terminals and test output.
        said = [{name: value for name, value in vars(each).items() if name != "secret"} for each in courier.endpoints]
        return {"endpoints": said, "faults": courier.rules(), "deliveries": courier.deliveries()}

    def _post_webhooks(self, given: dict[str, Any]) -> Any:
        """Set receivers and faults of webhooks.

        {"endpoints"?: [{"url", "secret", "org_slug"?, "events"?, "signed"?, "written"?}], "faults"?: {…}}
        """
        courier = self._sandbox.courier
        if "endpoints" in given:
            courier.endpoints = tuple(Endpoint.from_json(each) for each in given["endpoints"])
        if "faults" in given:
            courier.set_faults(**given["faults"])
        return self._get_webhooks({})

    def _post_reset(self, _: dict[str, Any]) -> Any:
        self._sandbox.reset()
        return {}
