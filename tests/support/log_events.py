"""Names of the log events in the package's source, and the tables of the docs that list them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kordless_booking"
PAGE = (ROOT / "docs" / "upstream-failures.md").read_text()
LOGGED = re.compile(r'\blog_event\((?:[^"()]|\([^"()]*\))*"([a-z_]+)"')


def rows(heading: str) -> list[list[str]]:
    """The cells of all tables in a section, without their heads."""
    section = next(part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if part.startswith(heading))
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [
        row for before, row in zip(lines, cells, strict=True) if not before.startswith(("| ---", "| Event", "| Fault"))
    ]


def written() -> str:
    """All Python of the package but the sandbox's."""
    files = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]
    return "\n".join(path.read_text() for path in files)


RAISED = re.compile(
    r'\b(?:Problem\(|_Rejected\([0-9]{3},|unavailable\(|(?:log_problem|change_failed_page)\(\s*visit,)\s*"([a-z_]+)"'
)
