"""The base URL: https, or http on a loopback host."""

import pytest

from kordless_booking.api.base_url import validated_base_url
from tests.support.api_clients import answering, client


@pytest.mark.parametrize(
    "url",
    [
        "https://api.kordless.ai/api/calendar/v1/public",
        "https://api.kordless.ai",
        "http://localhost:8765/x",
        "http://127.0.0.1:8765",
        "http://127.9.9.9",
        "http://[::1]:8765",
    ],
)
def test_safe_base_urls_pass(url: str) -> None:
    """https anywhere, http on loopback; a trailing slash is dropped."""
    assert validated_base_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.kordless.ai",
        "http://api.kordless.ai",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user:hunter2@api.kordless.ai",
        "https://@api.kordless.ai",
        "https://api.kordless.ai/?x=1",
        "https://api.kordless.ai/?",
        "https://api.kordless.ai/#x",
        "https://api.kordless.ai:99999",
        "https://api.kordless.ai:0",
        "https://api.kordless.ai /x",
        "https://[::1",
        "https://api.kordless.ai\r\n",
    ],
)
def test_other_base_urls_are_rejected(url: str) -> None:
    """Clear text to elsewhere, credentials, queries and nonsense are a ValueError that repeats no password."""
    with pytest.raises(ValueError, match="base URL") as caught:
        client(answering({}), base_url=url)
    assert "hunter2" not in str(caught.value)
