"""Webhook endpoint. Nothing of a delivery is trusted, or even parsed, before its signature is verified.

The order is: size, headers, timestamp, signature over the raw bytes, and only then JSON and the database. A rejected
delivery leaves one log line and raises one counter, nothing else. Without a secret in the settings, the webhook is not
set up, and the answer is 404.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from kordless_booking import conf
from kordless_booking.funnel.counters import count_rejection
from kordless_booking.logs import error_location, log_event
from kordless_booking.retention import delete_after_delivery
from kordless_booking.upstream.registry import services_for
from kordless_booking.urlconf import account_for
from kordless_booking.views.request import request_id_context, request_id_of
from kordless_booking.views.retry_after import set_retry_after
from kordless_booking.webhooks import inbox, signature
from kordless_booking.webhooks.events import UnreadableEvent, parse_event
from kordless_booking.webhooks.probe import is_probe_id

log = logging.getLogger("kordless_booking.webhooks")

MAX_BODY_BYTES: Final = 256 * 1024
"""Bytes of a body. A booking needs about 1 KiB."""
# The delivery id is stored and logged, so only visible ASCII is accepted.
_ID: Final = re.compile(r"[!-~]{1,200}")
_METHODS: Final = "POST, HEAD, OPTIONS"


class _Rejected(Exception):
    """Rejection of a delivery, answered with `status`. `event` is the log event, `more` its fields."""

    def __init__(self, status: int, event: str, level: int = logging.WARNING, **more: str) -> None:
        super().__init__(event)
        self.status = status
        self.event = event
        self.level = level
        self.more = more


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
@sensitive_variables()
def webhook(request: HttpRequest) -> HttpResponse:
    """Receive one delivery. 2xx means that Kordless need not send it again."""
    with request_id_context(request):
        response = _answer(request)
    response["Cache-Control"] = "no-store"
    response["X-Request-ID"] = request_id_of(request)
    # We have logged it; Django would log each 4xx and 5xx once more.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": _METHODS})
    # Answered, so that the URL can be tested without a delivery.
    if request.method == "HEAD":
        return HttpResponse(headers={"Allow": _METHODS})
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": _METHODS})
    try:
        account = account_for(request)
    except ImproperlyConfigured as error:
        log_event(log, logging.ERROR, "not_configured", reason=str(error))
        return set_retry_after(HttpResponse(status=503))
    try:
        status = _process(request, account)
    except _Rejected as rejection:
        # The doctor's, every few minutes perhaps, would look like a wrong secret in the overview.
        if not is_probe_id(request.headers.get("X-Kordless-Webhook-Id", ""), datetime.now(UTC).timestamp()):
            count_rejection(account.name, rejection.event)
        log_level = services_for(account).log_throttle.level_for(rejection.event, rejection.level)
        log_event(log, log_level, rejection.event, status=rejection.status, account=account.name, **rejection.more)
        response = HttpResponse(status=rejection.status)
        return set_retry_after(response) if rejection.status == 503 else response
    return JsonResponse({"received": status})


def _process(request: HttpRequest, account: conf.Account) -> str:
    """Process one delivery and return its outcome. Raises _Rejected."""
    if not account.webhook_secrets:
        raise _Rejected(404, "webhook_without_secret")
    body = _body(request)
    delivery_id = request.headers.get("X-Kordless-Webhook-Id", "")
    if not _ID.fullmatch(delivery_id):
        raise _Rejected(400, "webhook_malformed", reason="id")
    now = datetime.now(UTC)
    _verify(request, account, body, now.timestamp())
    try:
        event = parse_event(body)
    except UnreadableEvent as error:
        raise _Rejected(400, "webhook_malformed", delivery=delivery_id, reason=str(error)) from None
    try:
        outcome = inbox.receive(account, delivery_id=delivery_id, body=body, event=event, now=now)
    except inbox.ReceiverFailed as failed:
        more = {"delivery": delivery_id, "kind": event.kind, **error_location(failed.error)}
        # A 5xx asks Kordless to send the delivery again, when the site's receiver may work.
        raise _Rejected(500, "webhook_receiver_failed", logging.ERROR, **more) from None
    except DatabaseError as error:
        more = {"delivery": delivery_id, "error": type(error).__name__}
        raise _Rejected(503, "webhook_not_recorded", logging.ERROR, **more) from None
    except Exception as error:
        # Let the developer see the traceback; elsewhere it could show personal data.
        if settings.DEBUG:
            raise
        more = {"delivery": delivery_id, **error_location(error)}
        raise _Rejected(500, "webhook_failed", logging.ERROR, **more) from None
    fields = {"account": account.name, "kind": event.kind, "outcome": outcome.value, "delivery": delivery_id}
    log_event(log, logging.INFO, "webhook_received", **fields)
    # After the commit: it never changes the answer.
    delete_after_delivery(now)
    return outcome.value


def _body(request: HttpRequest) -> bytes:
    """Return the raw bytes of the body.

    Raises _Rejected: 413 when there are too many, without reading on; 400 when the body ends too early.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdecimal() and (len(declared) > 9 or int(declared) > MAX_BODY_BYTES):
        raise _Rejected(413, "webhook_too_large")
    stream = request
    if not declared and request.META.get("wsgi.input_terminated"):
        # Chunked: without a length Django's stream is empty, but the server's ends where the body does.
        stream = request.META["wsgi.input"]
    elif not declared and request.headers.get("Transfer-Encoding") and "wsgi.input" in request.META:
        # Chunked, but this server's stream doesn't end by itself: reading it could block without end.
        raise _Rejected(413, "webhook_too_large", reason="no_length")
    try:
        # One byte more than allowed tells a body that is too large from one that just fits.
        body = stream.read(MAX_BODY_BYTES + 1)
    except (UnreadablePostError, RawPostDataException, OSError):
        raise _Rejected(400, "webhook_malformed", reason="truncated") from None
    if len(body) > MAX_BODY_BYTES:
        raise _Rejected(413, "webhook_too_large")
    return body


def _verify(request: HttpRequest, account: conf.Account, body: bytes, now: float) -> None:
    """Verify the signature. Raises _Rejected (401)."""
    scheme = signature.SignatureScheme(account.webhook_signed_payload, account.webhook_signature_encoding)
    try:
        signature.verify(
            body,
            signatures=request.headers.get("X-Kordless-Signature", ""),
            timestamp=request.headers.get("X-Kordless-Timestamp", ""),
            secrets=account.webhook_secrets,
            scheme=scheme,
            now=now,
        )
    except signature.StaleDelivery:
        raise _Rejected(401, "webhook_stale") from None
    except signature.BadSignature as error:
        if error.would_pass is None:
            raise _Rejected(401, "webhook_signature_invalid") from None
        # How Kordless signs is not documented, so the signature scheme is a setting, and the log says which value would
        # fit.
        hint = f"Kordless uses another signature scheme; set {error.would_pass}"
        raise _Rejected(401, "webhook_scheme_mismatch", logging.ERROR, hint=hint) from None
