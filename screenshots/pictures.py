"""Taking pictures of pages, and many of them put on one sheet; all as WebP, which the browser itself writes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

QUALITY: Final = 72
GROUND: Final = {"light": ("#d9dade", "#33353a"), "dark": ("#3a3c42", "#e4e5e9")}


@dataclass(frozen=True)
class Device:
    """`shown`: the width of one picture on a sheet, `tallest`: its greatest height there, `row`: how many in a row."""

    name: str
    width: int
    height: int
    shown: int
    tallest: int
    row: int


PHONE: Final = Device("phone", 390, 844, 260, 720, 7)
DESKTOP: Final = Device("desktop", 1120, 760, 560, 560, 5)


@dataclass(frozen=True)
class Shot:
    """A picture of a page, as PNG, and what is to stand under it."""

    caption: str
    png: bytes


def visitor(browser: Browser, device: Device, scheme: str, language: str, zone: str) -> Page:
    """A fresh page as that visitor's browser opens it; nothing on it moves."""
    context = browser.new_context(
        viewport={"width": device.width, "height": device.height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=language,
        timezone_id=zone,
        reduced_motion="reduce",
    )
    return context.new_page()


def take(page: Page, caption: str) -> Shot:
    """The whole page as it stands, without a pointer or a caret on it."""
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    return Shot(caption, page.screenshot(full_page=True, animations="disabled", caret="hide"))


def sheet(
    browser: Browser,
    shots: list[Shot],
    device: Device,
    scheme: str,
    file: Path,
    *,
    row: int = 0,
    widths: Sequence[int] = (),
) -> None:
    """Write all shots onto one sheet, in rows, each with its words under it.

    `widths`, in pixels, are those of the pictures in a row; by default all are as wide as the device's.
    """
    ground, ink = GROUND[scheme]
    columns = " ".join(f"{width}px" for width in widths or [device.shown] * min(row or device.row, len(shots)))
    style = f"""
      body {{ margin: 0; padding: 24px; width: max-content; }}
      body {{ background: {ground}; color: {ink}; font: 15px/1.4 sans-serif; }}
      main {{ display: grid; grid-template-columns: {columns}; gap: 24px 20px; }}
      figure {{ margin: 0; }}
      figcaption {{ padding-top: 6px; text-align: center; }}
      img {{ display: block; width: 100%; max-height: {device.tallest}px; border-radius: 6px; object-fit: cover;
        object-position: top; box-shadow: 0 2px 10px #0003; }}
    """
    figures = "".join(
        f'<figure><img src="data:image/png;base64,{base64.b64encode(shot.png).decode()}">'
        f"<figcaption>{escape(shot.caption)}</figcaption></figure>"
        for shot in shots
    )
    page = browser.new_page(viewport={"width": 800, "height": 600})
    page.set_content(f"<!doctype html><style>{style}</style><main>{figures}</main>", wait_until="load")
    page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    _webp(page, file)
    page.close()


def _webp(page: Page, file: Path) -> None:
    size = page.evaluate("[document.body.offsetWidth, document.body.offsetHeight]")
    session = page.context.new_cdp_session(page)
    taken = session.send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": QUALITY,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1},
        },
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(base64.b64decode(taken["data"]))
