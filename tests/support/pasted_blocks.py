"""Code blocks of a page of the docs, pasted in their order: commands into a shell, samples into files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^(?:# |\{# |<!-- )(?P<name>[\w./-]+\.\w+)(?:: (?P<place>.+?))?(?: #\}| -->)?\n")
"""First line of a sample: the file that it belongs to, and the place in it."""


@dataclass(frozen=True)
class Block:
    """Code block of a page."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """Name of the file that the block belongs to; "" for none."""
        found = FILE.match(self.text)
        return found["name"] if found else ""

    @property
    def place(self) -> str:
        """Place in the file, in words; "" for a file of its own."""
        found = FILE.match(self.text)
        return (found["place"] or "") if found else ""


def read_blocks(path: Path) -> list[Block]:
    """Return all code blocks of a page."""
    return [Block(language, text) for language, text in BLOCK.findall(path.read_text(encoding="utf-8"))]


def commands_of(block: Block) -> Iterator[str]:
    """Yield the commands of a block, of one line each."""
    yield from (line for line in block.text.splitlines() if line and not line.startswith("#"))


def paste_file(block: Block, folder: Path) -> None:
    """Write the sample into its file, at the end of what is there."""
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{block.text}" if before else block.text, encoding="utf-8")


def run_pasted(command: str, folder: Path, **environment: str) -> str:
    """Run a command as a reader's shell does, with our Python first; return both streams, and fail with them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    done = subprocess.run(  # noqa: S603 (the page's)
        ["/bin/sh", "-eu", "-c", command],
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONPATH": str(ROOT), **environment},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
