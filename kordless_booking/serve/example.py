"""Example of a configuration file, and the tables in docs/serve.md, both made from the table of options."""

from __future__ import annotations

import textwrap

from kordless_booking.serve.options import SECTIONS, Option

_HEAD = """\
# Configuration of kordless-booking: remove the # in front of what you set.
# Environment variables of the same names, in capitals, win over this file.
"""
_TAIL = """
# Any other key of KORDLESS_BOOKING, as the documentation of the settings has it.
# [booking]
# BOOK_AGAIN_WEEKS = 6
"""


def example_file() -> str:
    """Return a TOML file that sets nothing, and says what could be set."""
    sections = (
        "\n".join([f"\n# --- {heading} ---", *map(_example, options), ""]) for heading, options in SECTIONS.items()
    )
    return _HEAD + "".join(sections) + _TAIL


def options_table() -> str:
    """Return the options as Markdown, a table under each heading. A test compares docs/serve.md with it."""
    return "\n".join(
        f"### {heading}\n\n| Option | Default | Purpose |\n| --- | --- | --- |\n{''.join(map(_row, options))}"
        for heading, options in SECTIONS.items()
    )


def _row(option: Option) -> str:
    default = "" if option.default in {None, ()} else f"`{_value(option.default)}`"
    return f"| `{option.name}` | {default} | {option.purpose} |\n"


def _example(option: Option) -> str:
    lines = textwrap.wrap(option.purpose.replace("`", ""), 100, initial_indent="# ", subsequent_indent="# ")
    return "\n".join([*lines, f"# {option.name.lower()} = {_value(option.default)}"])


def _value(default: object) -> str:
    match default:
        case bool():
            return "true" if default else "false"
        case int():
            return str(default)
        case tuple():
            return "[]"
        case _:
            return f'"{default or ""}"'
