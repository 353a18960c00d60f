"""The proxy of the journeys: what breaks behind it breaks in front of it, too."""

import socket
import struct

from tests.journeys.tcp_proxy import relayed


def test_a_connection_that_the_server_resets_ends_for_the_browser():
    """It is the end of an unanswered request, on which a browser asks again; a silent one keeps it waiting."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        relayed(f"http://127.0.0.1:{server.getsockname()[1]}") as relay,
        socket.create_connection(("127.0.0.1", int(relay.url.rpartition(":")[2])), timeout=25) as browser,
    ):
        browser.sendall(b"GET / HTTP/1.1\r\n\r\n")
        behind, _ = server.accept()
        behind.recv(1)
        behind.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        behind.close()
        assert browser.recv(1) == b""
