"""SMTP server on this machine that accepts, rejects or drops mail."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import django
from pytest_django import Settings


@dataclass
class MailServer:
    """Running server.

    `answers` maps an SMTP command, or "MAIL DATA" for the mail itself, to the reply; an empty reply closes the
    connection. `accepted` holds the mails that were accepted, or read before the connection was closed.
    """

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    accepted: list[bytes] = field(default_factory=list)
    sessions: int = 0


@contextmanager
def mail_server(**answers: str) -> Iterator[MailServer]:
    """Listen on a free port in this context. Replies: `RCPT="550 no"`, `DATA=""`, `MAIL_DATA="451 later"`, …"""
    known = MailServer(answers={name.replace("_", " "): text for name, text in answers.items()})

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            known.sessions += 1
            self.answer("CONNECT", "220 ready")
            while line := self.rfile.readline():
                verb = line[:4].decode().upper().strip()
                if verb == "QUIT":
                    self.answer("QUIT", "221 bye")
                    return
                if not self.answer(verb, "354 go on" if verb == "DATA" else "250 fine"):
                    return
                if verb == "DATA" and known.answers.get("DATA", "354").startswith("354"):
                    known.accepted.append(self.read_mail())
                    if not self.answer("MAIL DATA", "250 taken"):
                        return

        def answer(self, about: str, otherwise: str) -> bool:
            answer = known.answers.get(about, otherwise)
            if answer:
                self.wfile.write(f"{answer}\r\n".encode())
            return bool(answer)

        def read_mail(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return b"".join(lines)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        known.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield known
        finally:
            server.shutdown()


def use(settings: Settings, port: int) -> None:
    """Let Django send through the mail server at this port, over a real connection."""
    backend = "django.core.mail.backends.smtp.EmailBackend"
    if django.VERSION >= (6, 1):
        options = {"host": "127.0.0.1", "port": port, "timeout": 30}
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
        return
    settings.EMAIL_BACKEND = backend
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 30
