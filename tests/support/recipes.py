"""Files of the recipes, read from the pages' own code blocks, so that a page and its test can't differ."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "recipes"
PAGES = sorted(FOLDER.glob("*.md"))
SECONDS = 240
"""Longest that a site may take to migrate and to do its work on a busy machine."""
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"(?:#|//|\{#|<!--) (\S*\w\.\w+|Caddyfile)(?: #\}| -->)?\n")


def read_blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return [text for name, text in _BLOCK.findall((FOLDER / page).read_text(encoding="utf-8")) if name == language]


def read_files(page: str) -> dict[str, str]:
    """Return name to text of the blocks whose first line, a comment, is the name of a file."""
    files: dict[str, str] = {}
    for _, text in _BLOCK.findall((FOLDER / page).read_text(encoding="utf-8")):
        if named := _NAME.match(text):
            assert named[1] not in files, f"{page} has {named[1]} twice"
            files[named[1]] = text
    return files


def write_files(page: str, folder: Path) -> None:
    """Write the files of a page below a folder."""
    for name, text in read_files(page).items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run_recipe(name: str, folder: Path, **environment: str) -> dict[str, Any]:
    """Run a function of `tests.hosts.recipe_sites` in a process of its own, with a folder's modules; its result."""
    kept = os.environ.get("PYTHONPATH", "")
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-m", "tests.hosts.recipe_sites", name, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), str(ROOT), kept])), **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
