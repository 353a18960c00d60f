"""Which pictures there are: every step in four languages, the themes, the three depths of restyling, the home page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from kordless_booking.presentation.themes import THEMES
from screenshots.pictures import DESKTOP, PHONE, Device, Shot, sheet, take, visitor
from screenshots.site import standing
from screenshots.steps import book, walked

LANGUAGES: Final = {
    "en": ("English", "America/New_York"),
    "de": ("German", "Europe/Berlin"),
    "ja": ("Japanese", "Asia/Tokyo"),
    "ar": ("Arabic", "Asia/Dubai"),
}
"""By their codes: their names, and where their visitor is."""
SCHEMES: Final = ("light", "dark")
DEVICES: Final = (PHONE, DESKTOP)
BOOKERS: Final = (
    ("Grace Hopper", "grace@example.com", "2026-12-03"),
    ("Ada Lovelace", "ada@example.com", "2026-12-04"),
    ("Jane Doe", "jane@example.com", "2026-12-04"),
    ("Ada Lovelace", "ada@example.com", "2026-12-11"),
)
"""Who books for the picture of customers, and when: name, email address and day."""
DEPTHS: Final = ("properties", "parts", "pages")


@contextmanager
def _fresh(settings: str = "demo_site.settings", **more: str) -> Iterator[tuple[str, Path]]:
    """(the site's address, the file of its sandbox), anew each time: the same times are free on all pictures."""
    with tempfile.TemporaryDirectory() as folder, standing(Path(folder), settings, **more) as site:
        yield site, Path(folder) / "sandbox.sqlite3"


def steps(browser: Browser, folder: Path, language: str, scheme: str, device: Device) -> Path:
    """One sheet with every step of both ways."""
    zone = LANGUAGES[language][1]
    with _fresh() as (site, sandbox):
        page = visitor(browser, device, scheme, language, zone)
        dress = f"lang={language}&tz={zone}"
        shots = [take(page, name) for name in walked(page, site, sandbox, dress)]
        page.context.close()
    file = folder / f"{language}-{scheme}-{device.name}.webp"
    sheet(browser, shots, device, scheme, file)
    return file


def themes(browser: Browser, folder: Path) -> list[Path]:
    """A sheet for each ready-made theme: a few steps, in light and dark."""
    files = []
    with _fresh() as (site, _sandbox):
        for theme in THEMES:
            shots = []
            for scheme in SCHEMES:
                page = visitor(browser, DESKTOP, scheme, "en", "America/New_York")
                dress = f"theme={theme}&scheme={scheme}&tz=America/New_York"
                page.goto(f"{site}/book/?{dress}")
                shots.append(take(page, f"{theme}, {scheme}"))
                page.goto(f"{site}/book/haircut/?{dress}&day=2026-12-04")
                shots.append(take(page, f"{theme}, {scheme}"))
                page.context.close()
            files.append(folder / f"theme-{theme}.webp")
            sheet(browser, shots, DESKTOP, "light", files[-1], row=2)
    return files


def depths(browser: Browser, folder: Path) -> list[Path]:
    """Take the pictures of the examples in docs/theming.md, one after the other."""
    files = []
    for depth in DEPTHS:
        with _fresh("tests.projects.dressed.settings", DRESSED=depth) as (site, _sandbox):
            shots: list[Shot] = []
            page = visitor(browser, DESKTOP, "light", "en", "America/New_York")
            for path in ("", "haircut/?day=2026-12-04"):
                page.goto(f"{site}/book/{path}")
                shots.append(take(page, depth))
            page.context.close()
        files.append(folder / f"restyled-by-{depth}.webp")
        sheet(browser, shots[:1] if depth != "properties" else shots, DESKTOP, "light", files[-1])
    return files


def home(browser: Browser, folder: Path) -> list[Path]:
    """Take the README's pictures: the times of a haircut in the salon's home page, and on a phone."""
    desktop, phone = folder / "screenshot.png", folder / "screenshot-phone.png"
    with _fresh() as (site, _sandbox):
        page = visitor(browser, DESKTOP, "light", "en", "America/New_York")
        page.set_viewport_size({"width": 1280, "height": 1120})
        page.goto(site)
        page.locator('.kb-service a[href*="/haircut/"]').click()
        # Not yet on the page: the first press has only asked for the times.
        page.locator('[data-kb-step="slot"]').wait_for()
        day = page.locator(".kb-day[href]").nth(3)
        chosen = day.get_attribute("id")
        day.click()
        page.locator(f'.kb-day[aria-current][id="{chosen}"]').wait_for()
        page.mouse.move(0, 0)
        page.locator("#book-title").evaluate("title => scrollTo(0, title.getBoundingClientRect().top + scrollY - 48)")
        page.screenshot(path=desktop, animations="disabled", caret="hide")
        page.context.close()
        page = visitor(browser, PHONE, "light", "en", "America/New_York")
        page.goto(f"{site}/book/haircut/?day=2026-12-04&tz=America/New_York")
        page.screenshot(path=phone, animations="disabled", caret="hide")
        page.context.close()
    return [desktop, phone]


def customers(browser: Browser, folder: Path) -> list[Path]:
    """A sheet of the admin's customers, who have booked here: the list, one of them masked, and in full."""
    shots: list[Shot] = []
    with _fresh() as (site, _sandbox):
        for name, email, day in BOOKERS:
            page = visitor(browser, DESKTOP, "light", "en", "America/New_York")
            book(page, f"{site}/book/haircut/?day={day}", name, email)
            page.context.close()
        page = visitor(browser, DESKTOP, "light", "en", "America/New_York")
        page.goto(f"{site}/admin/kordless_customers/customer/")
        page.locator("[name=username]").fill("salon")
        page.locator("[name=password]").fill("salon")
        page.locator("[type=submit]").click()
        page.locator("#result_list").wait_for()
        shots.append(take(page, "Customers, masked"))
        page.locator("#result_list tbody a").first.click()
        page.locator("#kb-person").wait_for()
        shots.append(take(page, "One of them"))
        page.locator(".kb-card form button").click()
        page.get_by_text("Mask it again").wait_for()
        shots.append(take(page, "In full, which the history notes"))
        page.context.close()
    file = folder / "customers.webp"
    sheet(browser, shots, DESKTOP, "light", file, row=3)
    return [file]


HOSTS: Final = {"wagtail": ("wagtail", "book/"), "cms": ("cms", "en/book/"), "allauth": ("allauth", "book/")}
"""Host projects with their package, and where the widget is mounted."""


def hosts(browser: Browser, folder: Path) -> list[Path]:
    """Take the widget inside Wagtail, django CMS and a site with allauth, each on a desktop and on a phone.

    Only those whose packages are installed, as in the environment of `nox -s hosts`.
    """
    files = []
    for name, (package, mount) in HOSTS.items():
        if find_spec(package) is None:
            print(f"host-{name}.webp stays as it is: {package} isn't installed")
            continue
        with _fresh(f"tests.projects.{name}_site.settings") as (site, _sandbox):
            shots: list[Shot] = []
            for device in DEVICES:
                page = visitor(browser, device, "light", "en", "America/New_York")
                # The site with allauth answers on HTTPS alone, and believes its proxy.
                page.set_extra_http_headers({"X-Forwarded-Proto": "https"})
                page.set_default_navigation_timeout(600_000)  # the first answer waits for the site's migrations
                page.goto(f"{site}/{mount}haircut/?day=2026-12-04")
                page.locator("[data-kb-step=slot] .kb-time").first.wait_for()
                shots.append(take(page, device.name.capitalize()))
                page.context.close()
        shots.sort(key=lambda shot: shot.caption)
        files.append(folder / f"host-{name}.webp")
        sheet(browser, shots, DESKTOP, "light", files[-1], widths=(800, 290))
    return files


def gallery(folder: str) -> str:
    """The text of docs/screenshots.md."""
    lines = [
        "# Every step, in four languages",
        "",
        "Taken by `make screenshots`, on the sandbox, at ten in the morning of the first of December 2026 in New York.",
        "Click a picture to see it larger.",
    ]
    for language, (name, zone) in LANGUAGES.items():
        lines += ["", f"## {name}", "", f"A visitor in {zone}.", "", "| | Light | Dark |", "| --- | --- | --- |"]
        for device in DEVICES:
            cells = [
                f"[![{name}, {scheme}, {device.name}]({folder}/{language}-{scheme}-{device.name}.webp)]"
                f"({folder}/{language}-{scheme}-{device.name}.webp)"
                for scheme in SCHEMES
            ]
            lines.append(f"| {device.name.capitalize()} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def sets() -> Iterator[tuple[str, str, Device]]:
    """Language, scheme and device of each sheet of steps."""
    yield from product(LANGUAGES, SCHEMES, DEVICES)
