"""Command `kordless-booking`: a booking site for a business without Django.

Exit code 0 when all went well, 1 when something failed, 2 when the configuration is incomplete: then nothing has begun.
"""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kordless_booking import __version__
from kordless_booking.serve.configuration import CONFIG, Configuration, read_configuration
from kordless_booking.serve.example import example_file
from kordless_booking.serve.state import keep_secret_key, prepare_folder

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SETTINGS: Final = "kordless_booking.serve.settings"
EXIT_INCOMPLETE: Final = 2
"""Exit code."""
INSTALL: Final = 'pip install "kordless-booking[serve]"'
_CANT_START: Final = "kordless-booking can't start yet."
_FLAGS: Final = {"host": "LISTEN_HOST", "port": "PORT", "workers": "WEB_CONCURRENCY", "threads": "THREADS"}


class CommandFailed(Exception):
    """Raised with the exit code and the lines that say why."""

    def __init__(self, code: int, *lines: str) -> None:
        super().__init__(*lines)
        self.code = code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    args = _parser().parse_args(arguments)
    try:
        return int(args.run(args) or 0)
    except CommandFailed as error:
        _print_errors(*map(str, error.args))
        return error.code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kordless-booking",
        description="A booking site of its own for a business in Kordless.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve = _command(commands, "serve", _serve, "serve the site; brings database and files up to date first")
    serve.add_argument("--host", help="address to listen on (LISTEN_HOST, default: 127.0.0.1)")
    serve.add_argument("--port", help="port to listen on (PORT, default: 8000)")
    serve.add_argument("--workers", help="number of processes (WEB_CONCURRENCY, default: 1)")
    serve.add_argument("--threads", help="threads of each process (THREADS, default: 32)")
    serve.add_argument("--check", action="store_true", help="serve nothing, but check everything that the site needs")
    serve.add_argument("--no-upgrade", action="store_true", help="leave database and files as they are")
    serve.add_argument(
        "--no-mail", action="store_true", help="send no reminders from here: another kordless-booking mail does"
    )
    admin = _command(commands, "admin", _admin, "make an account that may see all of /admin/")
    admin.add_argument("name", metavar="NAME", help="the name to log in with")
    admin.add_argument("--generate", action="store_true", help="print a new password, instead of asking for one")
    admin.add_argument("--new-password", action="store_true", help="give an account that exists another password")
    _command(commands, "mail", _mail, "send reminders and mail that is due, once; serve does it every five minutes")
    _command(commands, "upgrade", _upgrade, "bring database and files up to date, as serve does when it starts")
    manage = _command(commands, "manage", _manage, "run one of Django's commands, such as kordless_erase")
    manage.add_argument("command", metavar="COMMAND", help="its name, or help for a list")
    manage.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="its arguments")
    commands.add_parser("config", help="print an example of a configuration file").set_defaults(run=_config)
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--config", metavar="FILE", help=f"configuration file in TOML ({CONFIG})")
    parser.add_argument("--sandbox", action="store_true", help="an invented business, whose bookings reach nobody")
    parser.set_defaults(run=run)
    return parser


def _serve(args: argparse.Namespace) -> int | None:
    configuration = _configure(args)
    if args.check:
        from kordless_booking.serve.upgrade import is_up_to_date  # noqa: PLC0415 (settings are read by now)

        code = _run_django(["kordless_doctor"])
        if code and not is_up_to_date(configuration.state_folder):
            _print_lines(
                "Tables and files that are missing or old: the start makes them new, or kordless-booking upgrade now."
            )
        return code
    try:
        from kordless_booking.serve.server import Server  # noqa: PLC0415 (an extra)
    except ImportError:
        raise CommandFailed(EXIT_INCOMPLETE, f"gunicorn is missing: {INSTALL}") from None
    if not args.no_upgrade:
        _bring_up_to_date(configuration)
    _check_settings()
    from django.conf import settings  # noqa: PLC0415 (they are read by now)

    Server(configuration, settings.LOGGING, lambda: _announce(configuration), sends_mail=not args.no_mail).run()
    return None


def _announce(configuration: Configuration) -> None:
    _print_lines(f"Your booking page: {configuration.site_url}/", f"Its admin: {configuration.site_url}/admin/")
    if file := find_open_file(os.environ.get(CONFIG, "")):
        _print_lines(f"Note: all users of this machine can read {file}, which has secrets: chmod 600 {file}")
    if configuration["KORDLESS_SANDBOX"]:
        _print_lines("This is the sandbox: its business is invented, and its bookings reach nobody.")
    if configuration["WEB_CONCURRENCY"] > 1 and not configuration["REDIS_URL"]:
        _print_lines(
            "Note: without REDIS_URL the processes share no cache, so each has a part of your key's quota, and counts "
            "visitors for itself."
        )


def find_open_file(path: str) -> str:
    """Return the path of a file that all users of this machine can read; "" for any other."""
    with suppress(OSError):
        return path if path and Path(path).stat().st_mode & stat.S_IROTH else ""
    return ""


def _admin(args: argparse.Namespace) -> None:
    _bring_up_to_date(_configure(args))
    from django.contrib.auth.models import User  # noqa: PLC0415 (apps are ready by now)
    from django.core.exceptions import ValidationError  # noqa: PLC0415

    user = User.objects.filter(username=args.name).first()
    if user is not None and not args.new_password:
        raise CommandFailed(1, f"There is an account {args.name} already. --new-password gives it another password.")
    if user is None and args.new_password:
        raise CommandFailed(1, f"There is no account {args.name}. Without --new-password it is made.")
    user = user or User(username=args.name, is_staff=True, is_superuser=True)
    try:
        user.clean_fields(exclude=["password"])
        generated = secrets.token_urlsafe(15) if args.generate or not sys.stdin.isatty() else ""
        user.set_password(generated or _ask_password(user))
    except ValidationError as error:
        raise CommandFailed(1, *error.messages) from None
    user.save()
    _print_lines(f"{args.name} can log in at /admin/.")
    if generated:
        _print_lines(f"Password, shown only this once: {generated}")


def _ask_password(user: User) -> str:
    """Ask for a password twice. Raises ValidationError for one that is easy to guess."""
    from django.contrib.auth.password_validation import validate_password  # noqa: PLC0415 (settings are read by now)

    password = getpass.getpass("Password: ")
    validate_password(password, user)
    if getpass.getpass("The same again: ") != password:
        raise CommandFailed(1, "These are two different passwords.")
    return password


def _mail(args: argparse.Namespace) -> int:
    configuration = _configure(args)
    if not configuration.mail_server:
        # Rows that expire, and the jobs of optional apps, are due all the same.
        return _run_django(["kordless_mail", "--verbosity", "0"], quiet=True)
    return _run_django(["kordless_mail", "--verbosity", "0"])


def _upgrade(args: argparse.Namespace) -> None:
    _bring_up_to_date(_configure(args))
    _print_lines("Database and files are up to date.")


def _manage(args: argparse.Namespace) -> int:
    if any(each.partition("=")[0] == "--config" for each in args.arguments):
        raise CommandFailed(
            EXIT_INCOMPLETE,
            f"--config stands before the command: kordless-booking manage --config FILE {args.command} …",
        )
    _configure(args)
    return _run_django([args.command, *args.arguments])


def _config(_args: argparse.Namespace) -> None:
    sys.stdout.write(example_file())


def _configure(args: argparse.Namespace) -> Configuration:
    """Read the configuration, and let Django read it. Raises CommandFailed with everything that is missing."""
    if args.config:
        os.environ[CONFIG] = str(Path(args.config).absolute())
    if args.sandbox:
        os.environ["KORDLESS_SANDBOX"] = "1"
    for flag, name in _FLAGS.items():
        if getattr(args, flag, None) is not None:
            os.environ[name] = getattr(args, flag)
    configuration = read_configuration(os.environ)
    problems = list(configuration.problems)
    try:
        # Not the folder itself yet: a configuration that is incomplete leaves nothing behind.
        if not problems:
            prepare_folder(configuration.state_folder)
            if not configuration["SECRET_KEY"]:
                keep_secret_key(configuration.state_folder)
    except OSError as error:
        problems.append(f"STATE_FOLDER is {configuration.state_folder}, which can't be used: {error.strerror}.")
    try:
        import whitenoise  # noqa: F401, PLC0415 (an extra)
    except ImportError:
        problems.append(f"whitenoise is missing: {INSTALL}")
    if problems:
        raise CommandFailed(EXIT_INCOMPLETE, _CANT_START, *(f"- {problem}" for problem in problems))
    # The database has what visitors typed: no other user of this machine reads what is made from here on.
    os.umask(0o077)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django  # noqa: PLC0415 (settings are complete by now)

    django.setup()
    return configuration


def _bring_up_to_date(configuration: Configuration) -> None:
    """Migrate and collect. Raises CommandFailed when the database or the folder can't be used."""
    from django.db import Error, connections  # noqa: PLC0415 (settings are read by now)

    from kordless_booking.serve.upgrade import upgrade  # noqa: PLC0415

    try:
        upgrade(configuration.state_folder)
    except (Error, OSError) as error:
        raise CommandFailed(1, f"Database and files can't be brought up to date: {error}") from None
    finally:
        # Server processes that are forked must not share this connection.
        connections.close_all()


def _check_settings() -> None:
    """Raise CommandFailed for errors that Django's checks find, and print their warnings."""
    from django.core import checks  # noqa: PLC0415 (apps are ready by now)

    from kordless_booking.setting_names import name_settings  # noqa: PLC0415

    found = [each for each in checks.run_checks(include_deployment_checks=True) if not each.is_silenced()]
    lines = [name_settings(f"{each.msg} {each.hint or ''}".strip()) for each in found]
    errors = [line for each, line in zip(found, lines, strict=True) if each.is_serious()]
    if errors:
        raise CommandFailed(EXIT_INCOMPLETE, _CANT_START, *(f"- {line}" for line in errors))
    _print_lines(*(f"Note: {line}" for line in lines))


def _run_django(arguments: list[str], *, quiet: bool = False) -> int:
    """Run a management command, and return its exit code."""
    from django.core.management import CommandError, call_command, execute_from_command_line  # noqa: PLC0415
    from django.db import InterfaceError, OperationalError  # noqa: PLC0415 (settings are read by now)

    try:
        if quiet:
            with Path(os.devnull).open("w") as nowhere:
                call_command(*arguments, stdout=nowhere)
        else:
            execute_from_command_line(["kordless-booking manage", *arguments])
    except CommandError as error:
        raise CommandFailed(error.returncode, str(error)) from None
    except (OperationalError, InterfaceError) as error:
        # As while a database server restarts: every five minutes a traceback would hide what is wrong.
        raise CommandFailed(1, f"The database can't be used: {error}") from None
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _print_lines(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _print_errors(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
