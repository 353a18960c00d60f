"""Wording of messages for the owner of the server: options in the place of keys of KORDLESS_BOOKING."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kordless_booking import conf, hooks
from kordless_booking.serve.configuration import BOOKING, CONFIG, OPTION_OF_KEY
from kordless_booking.setting_names import SettingLine

_OPTION_THAT_TURNS_ON: Final = {"MAIL": "EMAIL_URL"}
"""Options in the place of keys whose own option can only turn off."""
_COMMANDS: Final = {
    "manage.py kordless_mail": "kordless-booking mail",
    "manage.py collectstatic": "kordless-booking upgrade",
    "manage.py ": "kordless-booking manage ",
}
"""The first that fits counts."""


class OptionWording:
    """Names of settings in the environment and in the configuration file."""

    def write_line(self, key: str, values: Sequence[str]) -> SettingLine:
        """Return the line of the file; of the environment, which wins, where the option is set there or no file is."""
        name, path = OPTION_OF_KEY[key], os.environ.get(CONFIG, "").strip()
        if path and not os.environ.get(name, "").strip():
            return SettingLine(Path(path).name, f"{name.lower()} = {json.dumps(list(values))}")
        return SettingLine("environment", f"{name}={','.join(values)}")

    def reword(self, text: str) -> str:
        """Return a text with options in the place of keys, and the server's commands in the place of manage.py."""
        keys = "|".join(sorted({*conf.SETTINGS, *dict(hooks.setting_rules.items())}))
        found = re.compile(rf'("?)\b(?P<key>{keys})\b\1(?:(?<="): (?P<value>True|False|\d+))?(?: in KORDLESS_BOOKING)?')
        text = re.sub(r'KORDLESS_BOOKING\["(\w+)"\]', r'"\1"', text)
        text = found.sub(lambda match: _name_option(match["key"], match["value"]), text)
        for command, ours in _COMMANDS.items():
            text = re.sub(rf"(?<![\w/])(?:python )?{re.escape(command)}", ours, text)
        text = text.removeprefix("KORDLESS_BOOKING: ").replace("KORDLESS_BOOKING is", "The configuration is")
        return text.replace("KORDLESS_BOOKING", f"[{BOOKING}]")


def _name_option(key: str, value: str | None) -> str:
    if value == "True" and key in _OPTION_THAT_TURNS_ON:
        return _OPTION_THAT_TURNS_ON[key]
    # TOML has true and false.
    written = f" = {value.lower()}" if value else ""
    return f"{OPTION_OF_KEY[key]}{written}" if key in OPTION_OF_KEY else f"{key}{written} in [{BOOKING}]"
