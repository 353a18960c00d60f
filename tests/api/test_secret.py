"""The API key can be sent, but not printed, pickled or logged."""

from typing import Any

import pytest

from tests.support.api_clients import answering, client


@pytest.mark.parametrize("key", ["", "a b", "key\r\nX-Evil: 1", "ключ", "x" * 513, None, 7])
def test_a_key_that_fits_no_header_is_rejected(key: Any) -> None:
    """ValueError, without repeating the key."""
    with pytest.raises(ValueError, match="API key") as caught:
        client(answering({}), api_key=key)
    assert str(key or "###") not in str(caught.value)
