"""Two hundred slow visitors, and what they cost those who aren't slow.

Each setup of servers gets the same five loads of a few seconds on the loopback interface. Meanwhile twenty others a
second ask for a page that is cached, each on a connection of their own, as long as a browser would wait at most
`PATIENCE_SECONDS`. What counts is how many of those others have their page within a second.

The slow ones are bounded in number (`SLOW_VISITORS`) and time (`SECONDS`), and their connections are closed after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.crowds import address_of
from benchmarks.load import BROWSER

SLOW_VISITORS = 200
SECONDS = 5.0
"""Seconds for which the others come, and in which a slow sender sends one request."""
OTHERS_PER_SECOND = 20
PROMPT_SECONDS = 1.0
PATIENCE_SECONDS = 8.0
DRIP_SECONDS = 0.5
"""Seconds between two pieces of what a slow visitor sends or reads."""
READ_BYTES = 512
RECEIVE_BUFFER_BYTES = 2048
"""The kernel's buffer of a slow reader: with the default it would take the whole page at once."""
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
KORDLESS_SECONDS = 3.0
"""Seconds that Kordless takes: less than the four after which a page gives up."""
COLD_SERVICES = 20
"""Services among which the visitors who wait for Kordless are divided: their requests are within the quota."""
SERVICES = 100
WARM_PATH = f"/memory/wide-{SERVICES - 1}/"
"""Page that the others request, and the slow readers and senders too."""
ABOUT = f"""Twenty visitors a second ask for a cached page, for {SECONDS:g} seconds, at two processes; meanwhile
{SLOW_VISITORS} others are slow. Each cell says which share of the twenty has the page within a second, and how long
half of them and 95 of 100 wait at most (never: {PATIENCE_SECONDS:g} seconds and more). Slow senders take
{SECONDS:g} seconds for the lines of one request; slow readers read 1 KB a second of an uncompressed page through a
small buffer; idle connections have had one page and are kept; those who wait for Kordless ask for {COLD_SERVICES}
services that aren't cached, while it takes {KORDLESS_SECONDS:g} seconds to answer.
[running.md](running.md#slow-visitors) says which settings follow from it."""


@dataclass(frozen=True)
class Setup:
    """A server, and whether nginx is in front of it."""

    title: str
    server: str
    app: str = "benchmarks.site.wsgi:application"
    proxied: bool = False


SETUPS = (
    Setup("gunicorn, synchronous", "gunicorn"),
    Setup("gunicorn, 8 threads", "gunicorn 8 threads"),
    Setup("gunicorn, 32 threads", "gunicorn threads"),
    Setup("granian, 32 threads", "granian threads"),
    Setup("uvicorn", "uvicorn", "benchmarks.site.asgi:application"),
    Setup("nginx, gunicorn 8 threads", "gunicorn 8 threads", proxied=True),
    Setup("nginx, gunicorn 32 threads", "gunicorn threads", proxied=True),
    Setup("nginx, gunicorn 128 threads", "gunicorn 128 threads", proxied=True),
)


@dataclass(frozen=True)
class Others:
    """Responses to the visitors who were not slow."""

    prompt: float
    """Share with a page within a second."""
    median: float
    p95: float
    """Seconds until 95 of 100 had their page; `PATIENCE_SECONDS` where they had none."""

    def __str__(self) -> str:
        """Return the cell of the table."""
        return f"{self.prompt:.0%}, p50 {_duration(self.median)}, p95 {_duration(self.p95)}"


def _duration(seconds: float) -> str:
    if seconds >= PATIENCE_SECONDS:
        return "never"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


SlowVisitor = Callable[[str, int], Awaitable[None]]


async def send_slowly(site: str, number: int) -> None:
    """Send the lines of one request a few bytes at a time, for as long as the others come."""
    reader, writer = await _connect(site)
    with contextlib.closing(writer):
        request = _request(WARM_PATH, number)
        size = max(1, round(len(request) * DRIP_SECONDS / SECONDS))
        for start in range(0, len(request), size):
            writer.write(request[start : start + size])
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS)
        await _read_response(reader)


async def read_slowly(site: str, number: int) -> None:
    """Ask for the page, and read 1 KB a second of it."""
    reader, writer = await _connect(site, receive_buffer=RECEIVE_BUFFER_BYTES)
    with contextlib.closing(writer):
        writer.write(_request(WARM_PATH, number))
        await _read_response(reader, pause=DRIP_SECONDS)


async def keep_open(site: str, number: int) -> None:
    """Read one page, and keep the connection open until the server closes it, as a browser does."""
    reader, writer = await _connect(site)
    with contextlib.closing(writer):
        writer.write(_request(WARM_PATH, number))
        await reader.read()


async def wait_for_kordless(site: str, number: int) -> None:
    """Ask once for a page that isn't cached."""
    await _ask(site, f"/memory/wide-{number % COLD_SERVICES}/", number)


LOADS: dict[str, SlowVisitor | None] = {
    "nobody else": None,
    "200 send slowly": send_slowly,
    "200 read slowly": read_slowly,
    "200 idle connections": keep_open,
    "200 wait for Kordless": wait_for_kordless,
}


def measure_others(site: str, slow: SlowVisitor | None, *, visitors: int = SLOW_VISITORS) -> Others:
    """Let the slow ones come, then for some seconds the others; return what the others saw."""
    return asyncio.run(_measure_others(site, slow, visitors))


async def _measure_others(site: str, slow: SlowVisitor | None, visitors: int) -> Others:
    crowd = [asyncio.ensure_future(slow(site, number)) for number in range(visitors)] if slow else []
    # Their connections and first bytes are there before the first of the others.
    await asyncio.sleep(DRIP_SECONDS)
    begin = time.monotonic()

    async def come(number: int) -> float:
        await asyncio.sleep(max(0.0, begin + number / OTHERS_PER_SECOND - time.monotonic()))
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                page = await _ask(site, WARM_PATH, SLOW_VISITORS + number)
        except (OSError, EOFError):  # A TimeoutError is an OSError.
            return PATIENCE_SECONDS
        served = page.startswith(b"HTTP/1.1 200") and b'data-kb-step="slot"' in page
        return time.monotonic() - started if served else PATIENCE_SECONDS

    count = round(SECONDS * OTHERS_PER_SECOND)
    times = sorted(await asyncio.gather(*(come(number) for number in range(count))))
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    prompt = sum(each <= PROMPT_SECONDS for each in times) / count
    return Others(prompt, times[count // 2], times[count * 95 // 100])


async def _ask(site: str, path: str, number: int) -> bytes:
    reader, writer = await _connect(site)
    with contextlib.closing(writer):
        writer.write(_request(path, number))
        return await _read_response(reader)


async def _read_response(reader: asyncio.StreamReader, *, pause: float = 0.0) -> bytes:
    """Return head and body, with a pause after each piece. Raise EOFError if the server closes before their end."""
    received, end = b"", 0
    while not end or len(received) < end:
        piece = await reader.read(READ_BYTES if pause else 2**16)
        if not piece:
            raise EOFError
        received += piece
        head, _, _ = received.partition(b"\r\n\r\n")
        if not end and len(head) < len(received):
            length = _LENGTH.search(head)
            if length is None:
                raise RuntimeError("a response without Content-Length")
            end = len(head) + 4 + int(length[1])
        await asyncio.sleep(pause)
    return received


async def _connect(site: str, *, receive_buffer: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(site)
    line = socket.socket()
    line.setblocking(False)
    if receive_buffer:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await asyncio.get_running_loop().sock_connect(line, (parts.hostname or "", parts.port or 80))
    except BaseException:
        line.close()
        raise
    return await asyncio.open_connection(sock=line, limit=READ_BYTES if receive_buffer else 2**16)


def _request(path: str, number: int) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"User-Agent: {BROWSER}",
        "Accept: text/html",
        "Accept-Language: en-US,en;q=0.9",
        f"X-Forwarded-For: {address_of(number)}",
        # A browser keeps its connections. A server that closes them may wait until the client has read everything.
        "Connection: keep-alive",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
