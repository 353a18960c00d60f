"""Signing and sending of one webhook delivery over real HTTP, with optional tampering."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0
"""Seconds that a receiver may take, as documented by Kordless."""
TAMPERINGS = ("body", "signature", "timestamp", "secret", "id")
"""Parts of a delivery that can be falsified."""


@dataclass(frozen=True)
class Endpoint:
    """Receiver of webhooks, with the secret and the signature scheme of its deliveries.

    Kordless doesn't document the scheme, so both parts of it can be chosen.
    """

    url: str
    secret: str
    org_slug: str | None = None
    """Business whose events are sent; None for all."""
    events: tuple[str, ...] = ()
    """Event types that are sent; empty for all."""
    signed_payload: str = "timestamp.body"
    """Signed payload: "timestamp.body" or "body"."""
    encoding: str = "hex"
    """Encoding of the signature: "hex" or "base64"."""

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Endpoint:
        """Build an endpoint from JSON. Raises ValueError or TypeError if it is invalid."""
        endpoint = cls(**given | {"events": tuple(given.get("events") or ())})
        if urlsplit(endpoint.url).scheme not in ("http", "https") or not endpoint.secret:
            raise ValueError("an endpoint needs an http(s) url and a secret")
        if endpoint.signed_payload not in ("timestamp.body", "body") or endpoint.encoding not in ("hex", "base64"):
            raise ValueError("signed is timestamp.body or body; written is hex or base64")
        return endpoint

    def wants(self, org_slug: str, event: str) -> bool:
        """Return True if this event of this business is sent here."""
        return self.org_slug in (None, org_slug) and (not self.events or event in self.events)

    def sign(self, body: bytes, timestamp: str) -> str:
        """Return the value of X-Kordless-Signature: HMAC-SHA256 with the secret's UTF-8 bytes as the key."""
        signed = body if self.signed_payload == "body" else timestamp.encode() + b"." + body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()


def signed_request(endpoint: Endpoint, number: str, body: bytes, tampering: str | None) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of one attempt, signed and perhaps tampered with."""
    # Real time, not the sandbox's clock, because receivers compare it with their own. New for each attempt, or a late
    # retry would be refused as too old.
    stamp = time.time() - (3600 if tampering == "timestamp" else 0)
    timestamp = str(int(stamp))
    signature = endpoint.sign(body, timestamp)
    if tampering == "secret":
        signature = Endpoint(endpoint.url, "not the secret").sign(body, timestamp)
    elif tampering == "signature":
        signature = signature[::-1]
    elif tampering == "body":
        # After signing, and with a byte more, so that it differs even if the status was not "confirmed".
        body = body.replace(b'"confirmed"', b'"canceled"', 1) + b" "
    elif tampering == "id":
        number = f"{number}_again"  # the id is not signed: a replay of a valid delivery under a new id
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "kordless-sandbox",
        "X-Kordless-Signature": signature,
        "X-Kordless-Timestamp": timestamp,
        "X-Kordless-Webhook-Id": number,
    }
    return body, headers


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = TIMEOUT_SECONDS) -> int:
    """Send one attempt and return the status, or 0 if no response came. Redirects are not followed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    line = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(parts.netloc, timeout=seconds)
    try:
        line.request("POST", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, headers)
        answer = line.getresponse()
        answer.read(65_536)  # bytes; the body doesn't matter
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    else:
        return answer.status
    finally:
        line.close()
