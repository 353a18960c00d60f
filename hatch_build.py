"""Long description of the package, for its page on a package index: README.md, with absolute addresses.

README.md itself keeps relative ones, which lead to the same commit on a code host and in a checkout.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<before>\]\(|\bsrc=\")(?P<path>(?!#|[a-z]+:)[^)\s\"]+)")
"""Relative address of a Markdown link or picture, or of a picture in HTML."""


def absolutize(text: str, repository: str, version: str) -> str:
    """Return Markdown whose relative links and pictures lead to the files of this version in a public repository."""

    def replace(match: re.Match[str]) -> str:
        path = match["path"]
        kind = "raw" if path.endswith((".png", ".webp", ".svg")) else "blob"
        return f"{match['before']}{repository}/{kind}/v{version}/{path}"

    return _LINK.sub(replace, text)


class LongDescription(MetadataHookInterface):
    """Hook that hatchling calls for each build: it fills `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description. `urls.Source` of pyproject.toml is the public repository."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata["urls"]["Source"]
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolutize(text, source, metadata["version"]),
        }
