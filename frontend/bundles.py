"""Describe the scripts that are built from this folder, and what a build was made of. Needs no Node.

`manifest.json` records the SHA-256 of every source and of every built file, with the version and the options of
esbuild. As long as it equals `describe()`, the committed files are those that the sources give.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

SOURCES: Final = Path(__file__).resolve().parent
BUILT: Final = SOURCES.parent / "kordless_booking" / "static" / "kordless_booking"
MANIFEST: Final = SOURCES / "manifest.json"

ESBUILD: Final = "0.28.2"
"""Exact version: another one may minify in another way, and the built files are compared byte by byte."""
OPTIONS: Final = (
    "--bundle",
    "--minify",
    "--charset=utf8",
    "--target=es2022",  # no newer than the style sheets: browsers with :has() and nesting have all of it
    "--banner:js=// Readable source: frontend/ in the repository and the sdist.",
)


class Bundle(NamedTuple):
    """A built script: its source, and the kind of script that it is. `iife` shares no name with the page around it.

    `defined` are constants of the source, as esbuild's --define has them: what they rule out isn't in the script.
    """

    source: str
    format: str = "iife"
    defined: tuple[str, ...] = ()


DIALOG: Final = "embed-dialog.js"
LOADER: Final = "embed.js"
BUNDLES: Final = {
    DIALOG: Bundle("embed/dialog.js", format="esm"),
    LOADER: Bundle("embed/loader.js"),
    "booking.js": Bundle("booking/main.js", defined=("IS_FOR_HOSTS=false",)),
    "booking-in-page.js": Bundle("booking/main.js", defined=("IS_FOR_HOSTS=true",)),
    "snippet.js": Bundle("snippet.js"),
}
"""By the name of the built file, in the order of building: the loader holds the version of the dialog's file."""


def version_of(script: bytes) -> str:
    """Return the version that stands in a script's address; `kordless_booking.views.embed` computes the same."""
    return sha256(script).hexdigest()[:8]


def describe(built: Path = BUILT) -> dict[str, Any]:
    """Return what the manifest must say about the sources as they are, and about the built files in a folder."""
    return {
        "esbuild": ESBUILD,
        "options": list(OPTIONS),
        "bundles": {name: [each.source, each.format, list(each.defined)] for name, each in BUNDLES.items()},
        "sources": {path.relative_to(SOURCES).as_posix(): _digest(path) for path in sorted(SOURCES.rglob("*.js"))},
        "built": {name: _digest(built / name) for name in BUNDLES},
    }


def recorded() -> Any:
    """Return what the last build has written down."""
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
