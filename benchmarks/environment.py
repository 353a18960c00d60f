"""An environment of its own for the benchmark: the package, the servers, and django-appointment beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv-bench"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
PROGRAMS = {"wrk": "wrk", "redis-server": "redis-server"}
"""Programs required from Debian, and the package of each."""


def enter() -> Path | None:
    """The environment's Python, installed first where need be; None when this already is it.

    Ends the program when a tool from Debian is missing.
    """
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        sys.exit(f"The benchmark needs: apt-get install {' '.join(missing)}")
    if Path(sys.prefix).resolve() == VENV.resolve():
        return None
    python, stamp = VENV / "bin" / "python", VENV / ".installed"
    wanted = max(REQUIREMENTS.stat().st_mtime, (ROOT / "pyproject.toml").stat().st_mtime)
    if not stamp.exists() or stamp.stat().st_mtime < wanted:
        print("Installing what is compared into .venv-bench (once; a minute or so)…", flush=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)  # noqa: S603 (ours)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--editable", ROOT, "--requirement", REQUIREMENTS], check=True)  # noqa: S603 (ours)
        stamp.touch()
    return python
