"""Tables of docs/commands.md: the options of each command, as `--help` has them.

`python -m tests.support.command_reference` writes them anew, below the headings that the page has.
"""

from __future__ import annotations

import argparse
import os
import re
from importlib import import_module
from pathlib import Path

from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "commands.md"
SECTION = re.compile(r"^## `(?P<name>kordless_[a-z_]+)`\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^\| Option \| Meaning \|\n(?:\|.*\n)+", re.MULTILINE)
HEADER = ["| Option | Meaning |", "| --- | --- |"]


def find_commands() -> dict[str, BaseCommand]:
    """Return each management command of the package and of its optional apps, by name, the package's own first."""
    package = ROOT / "kordless_booking"
    paths = [*package.glob("management/commands/k*.py"), *package.glob("contrib/*/management/commands/k*.py")]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(paths)]
    modules.sort(key=lambda name: ".contrib." in name)
    return {name.rpartition(".")[2]: import_module(name).Command() for name in modules}


def options_of(command: BaseCommand, name: str) -> list[tuple[str, str]]:
    """Return (option with its value, help text) of each option that is the command's own."""
    parser = command.create_parser("manage.py", name)
    own = argparse.ArgumentParser(add_help=False)
    command.add_arguments(own)
    known = {tuple(action.option_strings) or action.dest for action in own._actions}
    formatter = parser.formatter_class(prog="manage.py")
    rows = []
    for action in parser._actions:
        if (tuple(action.option_strings) or action.dest) not in known:
            continue
        usage = formatter._format_action_invocation(action)
        rows.append((usage, " ".join(formatter._expand_help(action).split())))
    return rows


def build_table(command: BaseCommand, name: str) -> str:
    """Return the table of a command's options; "" for a command without any."""
    rows = [f"| `{option}` | {text} |" for option, text in options_of(command, name)]
    return "\n".join([*HEADER, *rows, ""]) if rows else ""


def main() -> None:
    """Write the table of each command of the page anew."""
    commands = find_commands()

    def renew(section: re.Match[str]) -> str:
        table = build_table(commands[section["name"]], section["name"])
        return TABLE.sub(lambda _: table, section[0]) if table else section[0]

    PAGE.write_text(SECTION.sub(renew, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.plain.settings")
    django.setup()
    main()
