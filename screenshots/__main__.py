"""`python -m screenshots`: takes every picture of the docs anew; `python -m screenshots themes home` some."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from screenshots import everything

DOCS = Path(__file__).resolve().parents[1] / "docs"
CHROMIUM = os.environ.get("KORDLESS_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def take_all(wanted: list[str]) -> None:
    """The sheets of steps, of themes, of depths and of hosts, and the README's pictures."""
    folder = DOCS / "screenshots"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        kinds: dict[str, Callable[[Browser], object]] = {
            "steps": lambda browser: [everything.steps(browser, folder, *one) for one in everything.sets()],
            "themes": lambda browser: everything.themes(browser, folder),
            "depths": lambda browser: everything.depths(browser, folder),
            "customers": lambda browser: everything.customers(browser, folder),
            "hosts": lambda browser: everything.hosts(browser, folder),
            "home": lambda browser: everything.home(browser, DOCS),
        }
        for name, act in kinds.items():
            if not wanted or name in wanted:
                began = time.monotonic()
                act(browser)
                print(f"{name}: {time.monotonic() - began:.0f} s")
        browser.close()
    (DOCS / "screenshots.md").write_text(everything.gallery(folder.name), encoding="utf-8")
    taken = sum(file.stat().st_size for file in folder.glob("*.webp"))
    print(f"{folder}: {taken / 1024 / 1024:.1f} MB")


if __name__ == "__main__":
    if not CHROMIUM:
        sys.exit("Chromium is missing: install it, or set KORDLESS_CHROMIUM to its path.")
    take_all(sys.argv[1:])
