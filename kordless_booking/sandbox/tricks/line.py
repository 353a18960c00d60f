"""Mischief with the line itself: waiting, dripping, cutting. Some only means something over a real socket.

Called in the same process there is no socket to keep silent or to cut: `hang` raises TimeoutError and `reset`
ConnectionResetError at once, which is how a transport sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Line:
    """How this answer goes out: `over_socket` when a real server sends it."""

    sleep: Sleep
    over_socket: bool


def slow(line: Line, *, seconds: float = 30.0, carried_out: bool = False) -> None:
    """Answer after so many seconds; with `carried_out` the work is done first and the waiting comes after."""
    line.sleep(seconds)


def hang(line: Line, *, seconds: float = 120.0, carried_out: bool = False) -> None:
    """Say nothing for so long, then close without an answer."""
    if not line.over_socket:
        raise TimeoutError("the sandbox hangs")
    line.sleep(seconds)
    raise ConnectionResetError("the sandbox hung up")


def reset(line: Line, body: Iterator[bytes], *, after_bytes: int = 20) -> Iterator[bytes]:
    """Do the work, send so many bytes of the body and cut the connection; with 0 not even the headers."""
    left = after_bytes
    for chunk in body:
        if len(chunk) >= left:
            yield chunk[: max(0, left)]
            break
        left -= len(chunk)
        yield chunk
    raise ConnectionResetError("the sandbox cut the line")


def drip(line: Line, body: Iterator[bytes], *, seconds: float = 0.5, size: int = 1) -> Iterator[bytes]:
    """Send the body `size` bytes at a time, with so many seconds between."""
    for chunk in body:
        for index in range(0, len(chunk), size):
            yield chunk[index : index + size]
            line.sleep(seconds)


WAITS: dict[str, Callable[..., None]] = {"slow": slow, "hang": hang}
STREAMS: dict[str, Callable[..., Iterator[bytes]]] = {"reset": reset, "drip": drip}
