"""Visit the widget inside a host project, in a process of its own: `python -m tests.hosts.host_journey wagtail_site`.

Prints what the pages contained as JSON, and fails with a traceback.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.visitor import Visitor

COOKIES = {"cms_site": {"django_language"}}
"""Cookies that a host sets by itself, on each of its pages."""


def run_journey(host: str) -> dict[str, object]:
    """Book, move and look up in the host's frame, and check each page."""
    from django.test import Client  # noqa: PLC0415 (Django is set up by then)

    from tests.support.visitor import HTMX, JANE, Visitor  # noqa: PLC0415

    base = "/en/book/" if host == "cms_site" else "/book/"
    headers = {"X-Forwarded-Proto": "https"}
    visitor = Visitor(Client(), headers, base=base)
    visitor.open(base)
    visitor.open(f"{base}haircut/")
    visitor.open(f"{base}haircut/zone/?q=ind")
    form = visitor.choose_late()
    assert visitor.send(form, "Book appointment").alert
    done = visitor.send(form, "Book appointment", **JANE)
    assert done.number, done.text
    own = visitor.open(next(iter(done.links(".kb-onward a").values())))
    times = visitor.send(own, "Reschedule")
    move = visitor.open([*times.times.values()][-1])
    assert move.tree.css_first("form") is not None
    visitor.open(f"{base}manage/")
    limits = use_optional_apps(visitor, base)
    missing = visitor.open(f"{base}nowhere/at/all/")
    assert missing.status == 404
    titles = []
    for page in visitor.responses:
        if page.status in {301, 302, 303}:
            continue
        assert page.tree.css_first(".site-header") is not None, page.url
        assert page.tree.css_first("main .kb [data-kb-step]") is not None, page.url
        assert page.tree.css_first("head link[href*='/book/style']") is not None, page.url
        assert page.html.count("data-kb-htmx") == page.html.count("<title") == page.html.count("<html") == 1
        assert "Cookie" in page.response["Vary"]
        assert "private" in page.response["Cache-Control"]
        assert set(page.response.cookies) <= COOKIES.get(host, set())
        titles += page.texts("title")
    assert all("Acme Salon" in title for title in titles)
    fragment = Visitor(Client(), {**headers, **HTMX}, base=base).open(f"{base}haircut/")
    assert "site-header" not in fragment.html
    framed = Visitor(Client(), {**headers, "Sec-Fetch-Dest": "iframe"}, base=base).open(base)
    assert "site-header" not in framed.html
    assert "frame-ancestors 'self'" in framed.response["Content-Security-Policy"]
    last = visitor.responses[0]
    return {
        "number": done.number,
        "limits": limits,
        "titles": sorted(set(titles)),
        "policy": last.response.get("Content-Security-Policy", ""),
        "frame_options": last.response.get("X-Frame-Options", ""),
        "nonces": [tag.attributes.get("nonce") for tag in last.tree.css("head script, head link[data-kb-later]")],
        "sekizai": len(last.tree.css("head [name=from-sekizai], body [data-from-sekizai]")),
    }


def use_optional_apps(visitor: Visitor, base: str) -> list[str]:
    """Use the optional apps: words, the waitlist, what programs read; return what the times are limited to."""
    from django.contrib.staticfiles import finders  # noqa: PLC0415

    assert finders.find("kordless_booking/booking-in-page.js")
    field = visitor.open(visitor.open(f"{base}haircut/").link("Or say when"))
    assert field.heading == "Say when"
    times = visitor.send(field, "Show times", words="next Tuesday after 3")
    assert times.tree.css_first("[data-kb-step=slot]") is not None
    visitor.open(f"{base}waitlist/haircut/")
    for path, kind in (("api/services.json", "application/json"), ("llms.txt", "text/plain")):
        response = visitor.client.get(f"{base}{path}", headers=visitor.headers)
        assert (response.status_code, response["Content-Type"].split(";")[0]) == (200, kind), path
        assert "site-header" not in response.content.decode()
    return [" ".join(text.split()) for text in times.texts(".kb-limits a bdi")]


def main(host: str) -> None:
    """Set Django up on an empty database, run the journey, and print its result."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'host.sqlite3'}"
        os.environ["DJANGO_SETTINGS_MODULE"] = f"tests.projects.{host}.settings"
        import django  # noqa: PLC0415
        from django.conf import settings  # noqa: PLC0415
        from django.core.management import call_command  # noqa: PLC0415
        from django.test.utils import setup_test_environment  # noqa: PLC0415

        django.setup()
        setup_test_environment()
        settings.KORDLESS_BOOKING["MINIMUM_FILL_SECONDS"] = 0
        call_command("check", fail_level="ERROR", verbosity=0)
        call_command("migrate", verbosity=0)
        sys.stdout.write(f"{json.dumps(run_journey(host))}\n")


if __name__ == "__main__":
    main(sys.argv[1])
