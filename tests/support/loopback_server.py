"""Server on a real loopback socket that runs a test's script on each connection."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = Callable[["Line"], None]


@dataclass
class Line:
    """One accepted connection."""

    socket: socket.socket
    over: threading.Event
    """Set when the test is over."""

    def request(self) -> bytes:
        """Read the head of the next request, with as much body as came along. Empty if the client has closed."""
        read = b""
        while b"\r\n\r\n" not in read:
            more = self.socket.recv(65536)
            if not more:
                return b""
            read += more
        return read

    def send(self, content: bytes) -> None:
        """Send all of `content`."""
        self.socket.sendall(content)

    def drip(self, content: bytes, every: float = 0.05) -> None:
        """Send one byte every `every` seconds until the test is over."""
        for index in range(len(content)):
            if self.over.wait(every):
                return
            self.send(content[index : index + 1])

    def hold(self) -> None:
        """Send nothing until the test is over."""
        self.over.wait(30)  # seconds, in case a test never ends

    def reset(self) -> None:
        """Reset the connection (TCP RST)."""
        # SO_LINGER on, with 0 seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


@dataclass
class Server:
    """Address of the server, and the connections that it has accepted."""

    url: str
    port: int
    lines: list[Line] = field(default_factory=list)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run `script` for every connection, each in its own thread, until the `with` block ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = Server(url=f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1", port=port)

        def talk(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.settimeout(30)
                spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
                with spoken:
                    line = Line(spoken, over)
                    server.lines.append(line)
                    script(line)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    threads.append(threading.Thread(target=talk, args=(connection,)))
                    threads[-1].start()

        threads: list[threading.Thread] = []
        door = threading.Thread(target=accept)
        door.start()
        try:
            yield server
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            door.join()
            for line in list(server.lines):
                with suppress(OSError):
                    line.socket.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Return a complete HTTP response."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", *headers]
    if not any(line.lower().startswith((b"content-length", b"transfer")) for line in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Create a self-signed certificate; return a server's TLS context, and a client's that trusts it.

    A negative `days` makes an expired one.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    alternative: x509.GeneralName = x509.DNSName(host)
    with suppress(ValueError):
        alternative = x509.IPAddress(ip_address(host))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=9))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
