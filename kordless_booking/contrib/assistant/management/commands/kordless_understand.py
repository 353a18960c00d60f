"""`manage.py kordless_understand PHRASE`: show what the assistant understands, as JSON.

With `--file FILE` one phrase a line, and one JSON object a line. Nothing is stored, and Kordless isn't asked: names of
services and people are given as options.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from kordless_booking.contrib.assistant.grammar import Named, Offer, TimeQuery, is_supported, parse

NOT_DONE: Final = 2
"""Exit code."""


class Command(BaseCommand):
    help = "Shows what the assistant understands of a phrase such as “next Tuesday after 3”, as JSON."
    # For tests: `call_command` accepts only options that the parser knows, or that are named here.
    stealth_options = ("stdin",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("phrase", nargs="?", help="what somebody says")
        parser.add_argument("--file", metavar="FILE", help="a file with one phrase a line instead; - is standard input")
        parser.add_argument("--lang", default="en", help="language of the phrase, such as pt-br (default: %(default)s)")
        parser.add_argument(
            "--now", type=_moment, metavar="TIME", help="when it is said, such as 2026-12-02T10:00 (default: now)"
        )
        parser.add_argument("--tz", type=_zone, default="UTC", help="time zone, such as Europe/Berlin (default: UTC)")
        parser.add_argument(
            "--opening",
            type=_opening,
            default="09:00-19:00",
            help="first and last time of a day, by which “at 3” is 3 PM (default: %(default)s)",
        )
        for kind in ("service", "host", "team"):
            parser.add_argument(
                f"--{kind}",
                type=_named,
                action="append",
                default=[],
                metavar="NAME=KEY",
                help=f"a {kind} that may be named",
            )

    def handle(self, *_args: Any, **options: Any) -> None:
        if (options["phrase"] is None) == (options["file"] is None):
            raise CommandError("Give a phrase, or a file of phrases with --file.", returncode=NOT_DONE)
        if not is_supported(options["lang"]):
            raise CommandError(f"No words for this language: {options['lang']}.", returncode=NOT_DONE)
        zone = options["tz"]
        now = options["now"] or datetime.now(UTC)
        now = now.replace(tzinfo=zone) if now.tzinfo is None else now.astimezone(zone)
        offer = Offer(
            services=tuple(options["service"]),
            hosts=tuple(options["host"]),
            teams=tuple(options["team"]),
            opening=options["opening"],
        )
        for phrase in _phrases(options["phrase"], options["file"], options.get("stdin") or sys.stdin):
            query = parse(phrase, offer, language=options["lang"], now=now)
            self.stdout.write(json.dumps(as_json(query), ensure_ascii=False))


def as_json(query: TimeQuery) -> dict[str, Any]:
    """Return what was understood as JSON has it. Of several readings it is the nearest."""
    return {
        "understood": query.understood,
        "first": query.first.isoformat() if query.first else None,
        "last": query.last.isoformat() if query.last else None,
        "after": f"{query.after:%H:%M}" if query.after else None,
        "before": f"{query.before:%H:%M}" if query.before else None,
        "service": query.service,
        "host": query.host,
        "party": query.party,
        "unparsed": list(query.unparsed),
    }


def _phrases(phrase: str | None, path: str | None, stdin: Any) -> Iterator[str]:
    if path is None:
        yield phrase or ""
        return
    try:
        lines = stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} can't be read: {type(error).__name__}.", returncode=NOT_DONE) from None
    # Not splitlines(), which also ends a line where visitors may paste one of Unicode's other line ends.
    for line in lines.split("\n"):
        if line.strip():
            yield line.strip()


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a time such as 2026-12-02T10:00") from None


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (OSError, ValueError, LookupError):
        raise ArgumentTypeError("a time zone such as Europe/Berlin") from None


def _opening(text: str) -> tuple[time, time]:
    try:
        first, last = map(time.fromisoformat, text.split("-"))
    except ValueError:
        raise ArgumentTypeError("two times such as 09:00-19:00") from None
    return first, last


def _named(text: str) -> Named:
    name, sign, key = text.partition("=")
    if not (name.strip() and sign and key.strip()):
        raise ArgumentTypeError("a name and its key, such as Haircut=haircut")
    return Named(key.strip(), (name.strip(),))
