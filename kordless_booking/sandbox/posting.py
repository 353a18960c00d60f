"""One webhook on its way: signed, perhaps tampered with, and posted over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30.0
"""How long a receiver may take."""
TAMPERINGS = ("body", "signature", "timestamp", "secret", "id")


@dataclass(frozen=True)
class Endpoint:
    """Where webhooks go, the secret they are signed with, and how: what is signed and how it is written."""

    url: str
    secret: str
    org_slug: str | None = None
    events: tuple[str, ...] = ()
    signed: str = "timestamp.body"
    written: str = "hex"

    @classmethod
    def read(cls, given: dict[str, Any]) -> Endpoint:
        """Raises ValueError or TypeError for what is none."""
        endpoint = cls(**given | {"events": tuple(given.get("events") or ())})
        if urlsplit(endpoint.url).scheme not in ("http", "https") or not endpoint.secret:
            raise ValueError("an endpoint needs an http(s) url and a secret")
        if endpoint.signed not in ("timestamp.body", "body") or endpoint.written not in ("hex", "base64"):
            raise ValueError("signed is timestamp.body or body; written is hex or base64")
        return endpoint

    def wants(self, org_slug: str, event: str) -> bool:
        """Whether this business's event goes there."""
        return self.org_slug in (None, org_slug) and (not self.events or event in self.events)

    def sign(self, body: bytes, timestamp: str) -> str:
        """What X-Kordless-Signature says."""
        signed = body if self.signed == "body" else timestamp.encode() + b"." + body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        return digest.hex() if self.written == "hex" else base64.b64encode(digest).decode()


def letter(endpoint: Endpoint, number: str, body: bytes, tampering: str | None) -> tuple[bytes, dict[str, str]]:
    """Body and headers of one try. The timestamp is the real time's: receivers compare it with their own clocks."""
    stamp = time.time() - (3600 if tampering == "timestamp" else 0)
    timestamp = str(int(stamp))
    signature = endpoint.sign(body, timestamp)
    if tampering == "secret":
        signature = Endpoint(endpoint.url, "not the secret").sign(body, timestamp)
    elif tampering == "signature":
        signature = signature[::-1]
    elif tampering == "body":
        body = body.replace(b'"confirmed"', b'"canceled"', 1) + b" "
    elif tampering == "id":
        number = f"{number}_again"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "kordless-sandbox",
        "X-Kordless-Signature": signature,
        "X-Kordless-Timestamp": timestamp,
        "X-Kordless-Webhook-Id": number,
    }
    return body, headers


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = SECONDS) -> int:
    """The status of the answer, or 0 when there was none. Redirects are not followed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    line = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(parts.netloc, timeout=seconds)
    try:
        line.request("POST", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, headers)
        answer = line.getresponse()
        answer.read(65_536)
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    else:
        return answer.status
    finally:
        line.close()
