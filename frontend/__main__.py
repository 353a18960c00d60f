"""`python -m frontend`: build the scripts that are served; with `--check` only compare them with what is committed.

Node and npm are needed for this alone. The built files are committed, so nobody else needs them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from frontend.bundles import BUILT, BUNDLES, DIALOG, ESBUILD, LOADER, MANIFEST, OPTIONS, SOURCES, describe, version_of

_TOOLS = SOURCES.parent / "build" / "frontend"


def build(folder: Path) -> None:
    """Build every script into a folder."""
    esbuild = _esbuild()
    for name, bundle in BUNDLES.items():
        defined = [f"--define:{constant}" for constant in bundle.defined]
        if name == LOADER:
            defined = [f'--define:DIALOG_VERSION="{version_of((folder / DIALOG).read_bytes())}"']
        command = [str(esbuild), *OPTIONS, *defined, "--log-level=warning", f"--format={bundle.format}", bundle.source]
        subprocess.run([*command, f"--outfile={folder / name}"], cwd=SOURCES, check=True)  # noqa: S603 (ours)


def check() -> bool:
    """Return whether a build from scratch gives the committed files, byte by byte; name those that differ."""
    with TemporaryDirectory() as folder:
        build(Path(folder))
        differing = [name for name in BUNDLES if (Path(folder) / name).read_bytes() != (BUILT / name).read_bytes()]
    for name in differing:
        print(f"{name} is not what its sources give: run make scripts", file=sys.stderr)
    return not differing


def _esbuild() -> Path:
    """Install the pinned version of esbuild, unless it is there."""
    package = _TOOLS / "node_modules" / "esbuild" / "package.json"
    if not package.is_file() or json.loads(package.read_text(encoding="utf-8"))["version"] != ESBUILD:
        options = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"]
        command = ["npm", "install", "--prefix", str(_TOOLS), *options, f"esbuild@{ESBUILD}"]
        subprocess.run(command, check=True)  # noqa: S603 (ours)
    return _TOOLS / "node_modules" / ".bin" / "esbuild"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(not check())
    build(BUILT)
    MANIFEST.write_text(json.dumps(describe(), indent=2) + "\n", encoding="utf-8")
    for script in BUNDLES:
        print(f"{script}: {(BUILT / script).stat().st_size:,} bytes")
