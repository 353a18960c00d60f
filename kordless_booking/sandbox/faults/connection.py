"""Faults of the connection: delay, hang, drip, reset.

In-process there is no socket to keep silent or to cut. There `hang` raises TimeoutError and `reset`
ConnectionResetError at once, which is how a transport would report them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Connection:
    """Connection that a response is sent over."""

    sleep: Sleep
    """Function that waits, given seconds."""
    over_socket: bool
    """True if a real server sends the response; False in-process."""


def slow(line: Connection, *, seconds: float = 30.0, carried_out: bool = False) -> None:
    """Delay the response by `seconds`: before the operation, or after it with `carried_out`."""
    # `carried_out`, here and in `hang`, is read by RequestFaults.wait, which calls this at the right moment.
    line.sleep(seconds)


def hang(line: Connection, *, seconds: float = 120.0, carried_out: bool = False) -> None:
    """Send nothing for `seconds`, then close without a response. With `carried_out` the operation is done first."""
    if not line.over_socket:
        raise TimeoutError("the sandbox hangs")
    line.sleep(seconds)
    raise ConnectionResetError("the sandbox closed the connection")


def reset(line: Connection, body: Iterator[bytes], *, after_bytes: int = 20) -> Iterator[bytes]:
    """Send `after_bytes` bytes of the body, then reset the connection. With 0, not even the headers are sent."""
    left = after_bytes
    for chunk in body:
        if len(chunk) >= left:
            yield chunk[: max(0, left)]
            break
        left -= len(chunk)
        yield chunk
    raise ConnectionResetError("the sandbox cut the connection")


def drip(line: Connection, body: Iterator[bytes], *, seconds: float = 0.5, size: int = 1) -> Iterator[bytes]:
    """Send the body `size` bytes at a time, with a pause of `seconds` after each part.

    A read timeout never fires against this; only a deadline for the whole call does.
    """
    for chunk in body:
        for index in range(0, len(chunk), size):
            yield chunk[index : index + size]
            line.sleep(seconds)


WAITS: dict[str, Callable[..., None]] = {"slow": slow, "hang": hang}
STREAMS: dict[str, Callable[..., Iterator[bytes]]] = {"reset": reset, "drip": drip}
