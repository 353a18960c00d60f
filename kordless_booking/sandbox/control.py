"""Control of a sandbox in another process: a JSON API under /_sandbox/.

It has no authentication: anyone who can reach the port can change everything. The server binds to 127.0.0.1 by default.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from .limits import Limits
from .request import PREFIX, Request
from .response import ApiError, Response
from .webhook_sender import Endpoint, WebhookSender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .clock import Clock
    from .faults.injector import FaultInjector
    from .model import Business
    from .request_log import Recorded


class Controllable(Protocol):
    """Interface that the control API needs of a sandbox. `app.Sandbox` documents each part."""

    businesses: tuple[Business, ...]
    clock: Clock
    faults: FaultInjector
    webhook_sender: WebhookSender

    @property
    def limits(self) -> Limits: ...
    @limits.setter
    def limits(self, limits: Limits) -> None: ...
    @property
    def requests(self) -> Sequence[Recorded]: ...
    def clear_requests(self) -> None: ...
    def bookings(self) -> list[dict[str, Any]]: ...
    def book_by_phone(self, service_slug: str, start: datetime) -> str: ...
    def set_status(self, number: str, status: str) -> None: ...
    def move(self, number: str, start: datetime) -> None: ...
    def reset(self) -> None: ...


class Control:
    """Router for /_sandbox/<what>: calls the method `_<HTTP method>_<what>`, such as `_post_clock`."""

    def __init__(self, sandbox: Controllable) -> None:
        self._sandbox = sandbox

    def answer(self, request: Request) -> Response:
        """Process a control request. Invalid input is a 400 with the reason; an unknown path or method is a 404."""
        what = request.path.removeprefix("/_sandbox").strip("/") or "about"
        # isalpha(): the path must not reach any other attribute.
        handler = getattr(self, f"_{request.method.lower()}_{what}", None) if what.isalpha() else None
        if handler is None:
            return ApiError(404, "no such control; see GET /_sandbox/").to_response()
        try:
            data = request.document() if request.method == "POST" else {}
            return Response(document=handler(data))
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

    def _post_clock(self, data: dict[str, Any]) -> Any:
        """Set the clock: {"now": ISO, "frozen": true} | {"advance": seconds} | {} for real time."""
        clock = self._sandbox.clock
        if "now" in data:
            clock.set(datetime.fromisoformat(data["now"]), frozen=bool(data.get("frozen", True)))
        elif "advance" in data:
            clock.advance(timedelta(seconds=data["advance"]))
        else:
            clock.use_real_time()
        return self._get_clock({})

    def _get_faults(self, _: dict[str, Any]) -> Any:
        return {"faults": self._sandbox.faults.rules()}

    def _post_faults(self, data: dict[str, Any]) -> Any:
        """Add a fault: {"kind": …, "operation": "*", "times": null, …options of the kind}."""
        self._sandbox.faults.add(**data)
        return self._get_faults({})

    def _delete_faults(self, _: dict[str, Any]) -> Any:
        self._sandbox.faults.clear()
        return self._get_faults({})

    def _get_limits(self, _: dict[str, Any]) -> Any:
        return asdict(self._sandbox.limits)

    def _post_limits(self, data: dict[str, Any]) -> Any:
        """Set any of {"general", "creations", "contact", "window", "retry_after"}; the others get their defaults."""
        self._sandbox.limits = Limits(**data)
        return self._get_limits({})

    def _get_requests(self, _: dict[str, Any]) -> Any:
        return {"requests": [asdict(each) for each in self._sandbox.requests]}

    def _delete_requests(self, _: dict[str, Any]) -> Any:
        self._sandbox.clear_requests()
        return {"requests": []}

    def _get_bookings(self, _: dict[str, Any]) -> Any:
        return {"bookings": self._sandbox.bookings()}

    def _post_take(self, data: dict[str, Any]) -> Any:
        """Book by phone: {"service_slug", "start": ISO, "host_id"?, "party_size"?, "org_slug"?}."""
        start = datetime.fromisoformat(data.pop("start"))
        return {"confirmation_number": self._sandbox.book_by_phone(start=start, **data)}

    def _post_decide(self, data: dict[str, Any]) -> Any:
        """Set a booking's status: {"number", "status": "confirmed" | "pending" | "canceled"}."""
        self._sandbox.set_status(**data)
        return {"bookings": self._sandbox.bookings()}

    def _post_move(self, data: dict[str, Any]) -> Any:
        """Move a booking: {"number", "start": ISO}."""
        self._sandbox.move(data["number"], datetime.fromisoformat(data["start"]))
        return {"bookings": self._sandbox.bookings()}

    def _get_webhooks(self, _: dict[str, Any]) -> Any:
        webhook_sender = self._sandbox.webhook_sender
        # Without the secret: responses end up in terminals and test output.
        endpoints = [
            {name: value for name, value in vars(each).items() if name != "secret"} for each in webhook_sender.endpoints
        ]
        return {"endpoints": endpoints, "faults": webhook_sender.rules(), "deliveries": webhook_sender.deliveries()}

    def _post_webhooks(self, data: dict[str, Any]) -> Any:
        """Set receivers and faults of webhooks.

        {"endpoints"?: [{"url", "secret", "org_slug"?, "events"?, "signed_payload"?, "encoding"?}], "faults"?: {…}}
        """
        webhook_sender = self._sandbox.webhook_sender
        if "endpoints" in data:
            webhook_sender.endpoints = tuple(Endpoint.from_json(each) for each in data["endpoints"])
        if "faults" in data:
            webhook_sender.set_faults(**data["faults"])
        return self._get_webhooks({})

    def _post_reset(self, _: dict[str, Any]) -> Any:
        self._sandbox.reset()
        return {}
