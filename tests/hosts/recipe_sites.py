"""Run a site with a recipe of docs/recipes in it: `python -m tests.hosts.recipe_sites NAME FOLDER`.

FOLDER has the page's files. Prints what was seen as JSON, and fails with a traceback.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

import httpx

from tests.support.browser_transport import BrowserTransport

TYPED = {
    "name": "Zzqx Canary",
    "email": "canary@secret.example",
    "phone": "+12125550147",
    "notes": "canary in the notes",
}
"""What the visitor types; nothing of it may leave the site."""


def sentry(folder: str) -> dict[str, Any]:
    """Walk through all pages with each request traced, then crash in the contact step; what the SDK would send."""
    import sentry_sdk  # noqa: PLC0415 (installed for this recipe alone)
    from django.conf import settings  # noqa: PLC0415 (Django is set up by then)
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415
    from django.test import override_settings  # noqa: PLC0415
    from sentry_sdk.transport import Transport  # noqa: PLC0415

    from tests.support.visitor import Visitor  # noqa: PLC0415

    sent: list[Any] = []

    class Captured(Transport):
        """Keeps what would be sent."""

        def capture_envelope(self, envelope: Any) -> None:
            bodies = [(item.headers["type"], item.get_bytes().decode(errors="replace")) for item in envelope.items]
            sent.extend({"type": kind, "body": body} for kind, body in bodies)

    if os.environ["RECIPE_DEFAULTS"] == "1":
        sentry_sdk.init(dsn="https://key@sentry.example/1", traces_sample_rate=1.0)
    else:
        importlib.import_module("error_tracker")
    client = sentry_sdk.get_client()
    client.transport = Captured()
    client.options["traces_sample_rate"] = 1.0
    # Django's test client goes around what Sentry watches.
    transport = httpx.WSGITransport(get_wsgi_application())
    browser = httpx.Client(transport=transport, base_url="http://testserver")
    visitor = Visitor(BrowserTransport(browser, "http://testserver"))
    done = visitor.send(visitor.choose_late(), "Book appointment", **TYPED)
    assert done.number, done.text
    own = visitor.open(next(iter(done.links(".kb-onward a").values())))
    found = visitor.send(visitor.open("/book/manage/"), "Find booking", number=done.number, contact=TYPED["phone"])
    assert found.number == done.number
    visitor.send(visitor.send(own, "Cancel booking"), "Cancel booking")
    visitor.open("/book/confirmation/zzqx-no-such-token/")
    crashing = {**settings.KORDLESS_BOOKING, "SPAM_CHECK": "tests.hosts.recipe_sites.crash"}
    with override_settings(KORDLESS_BOOKING=crashing):
        form = visitor.choose_late()
        crashed = visitor.send(form, "Book appointment", **{**TYPED, "email": "again@secret.example"})
    client.flush(2)
    tokens = {page.url.split("?")[0].split("/")[3] for page in (done, own, found)} - {""}
    secrets = {*TYPED.values(), "again@secret.example", done.number, *tokens}
    text = json.dumps(sent)
    kinds = [item["type"] for item in sent]
    errors = [json.loads(item["body"]) for item in sent if item["type"] == "event"]
    frames = [
        frame
        for error in errors
        for value in (error.get("exception") or {}).get("values", [])
        for frame in value["stacktrace"]["frames"]
    ]
    return {
        "leaked": sorted(secret for secret in secrets if secret in text or secret.lower() in text.lower()),
        "transactions": kinds.count("transaction"),
        "errors": [value["type"] for error in errors for value in (error.get("exception") or {}).get("values", [])],
        "modules": sorted({frame["module"] for frame in frames if frame.get("module")}),
        "names": sorted({json.loads(item["body"])["transaction"] for item in sent if item["type"] == "transaction"}),
        "status": crashed.status,
    }


def crash(request: Any, form: Any) -> bool:
    """Fail as a function of a site's own may, with what was typed in the message."""
    raise ValueError(f"no answer for {form.cleaned_data}")


def read_times(path: str) -> dict[str, Any]:
    """Open a page of the site's own with the widget in it, and the form of one of its times."""
    from django.test import Client  # noqa: PLC0415

    from tests.support.visitor import Visitor  # noqa: PLC0415

    visitor = Visitor(Client())
    visitor.open(path)  # `next_free` shows what is cached
    page = visitor.open(path)
    assert page.status == 200, page.text
    assert page.tree.css_first("[data-kb-step=slot]") is not None, page.html
    form = visitor.open(next(iter(visitor.show_last_day().times.values())))
    return {
        "times": len(page.times),
        "next_free": len(page.tree.css(".kb-next-free a")),
        "widgets": len(page.tree.css("[data-kb-step]")),
        "escaped": "&lt;div" in page.html,
        "form": form.tree.css_first("[data-kb-step=contact]") is not None,
    }


def jinja2(folder: str) -> dict[str, Any]:
    """Render the page of the recipe by its environment."""
    from django.test import override_settings  # noqa: PLC0415
    from django.urls import include, path  # noqa: PLC0415
    from django.views.generic import TemplateView  # noqa: PLC0415

    urls = (
        path("book/", include("kordless_booking.urls")),
        path("cut/", TemplateView.as_view(template_name="haircut.html")),
    )
    with override_settings(ROOT_URLCONF=urls):
        return read_times("/cut/")


def wagtail(folder: str) -> dict[str, Any]:
    """Publish a page with the block."""
    from booking_block.models import BookingPage  # type: ignore[import-not-found]  # noqa: PLC0415 (the page's)
    from wagtail.models import Page  # noqa: PLC0415

    home = Page.objects.get(depth=2)
    home.add_child(instance=BookingPage(title="Come in", slug="come-in", body=[("booking", {"service": "haircut"})]))
    return read_times("/come-in/")


def django_cms(folder: str) -> dict[str, Any]:
    """Publish a page with the plugin."""
    from cms.api import add_plugin, create_page  # noqa: PLC0415

    page = create_page("Come in", "with_booking.html", "en", slug="come-in")
    add_plugin(page.get_placeholders("en").get(slot="content"), "BookingPlugin", "en", service="haircut")
    return read_times("/en/come-in/")


def celery(folder: str) -> dict[str, Any]:
    """Book and cancel, and watch the tasks run in this process."""
    from celery.signals import task_prerun  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    started: list[dict[str, Any]] = []

    def note(task: Any, args: Any, **kwargs: Any) -> None:
        started.append({"task": task.name, "args": list(args), "in_transaction": connection.in_atomic_block})

    task_prerun.connect(note, weak=False)
    return {"number": book_and_cancel(), "started": started}


def django_tasks(folder: str) -> dict[str, Any]:
    """Book and cancel, and read the queue."""
    import django  # noqa: PLC0415

    module = importlib.import_module("django.tasks" if django.VERSION >= (6,) else "django_tasks")
    number = book_and_cancel()
    queue = module.task_backends["default"].results
    return {
        "number": number,
        "started": [{"task": each.task.name, "args": [*each.args, *each.kwargs.values()]} for each in queue],
    }


def book_and_cancel() -> str:
    """Walk through a booking and its cancellation; its number."""
    from django.test import Client  # noqa: PLC0415

    from tests.support.visitor import Visitor  # noqa: PLC0415

    visitor = Visitor(Client())
    done = visitor.send(visitor.choose_late(), "Book appointment", **TYPED)
    assert done.number, done.text
    own = visitor.open(next(iter(done.links(".kb-onward a").values())))
    canceled = visitor.send(visitor.send(own, "Cancel booking"), "Cancel booking")
    assert canceled.status == 200, canceled.text
    return done.number


def prepare(folder: str) -> dict[str, Any]:
    """Migrate the database, which `main` has done, for a server that serves the site."""
    return {}


def prometheus(folder: str) -> dict[str, Any]:
    """Book, and read the counters."""
    from django.test import Client  # noqa: PLC0415

    book_and_cancel()
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    text = answer.content.decode()
    return {"text": text, "leaked": [value for value in TYPED.values() if value in text]}


def main(name: str, folder: str) -> None:
    """Set Django up on an empty database, run a recipe's site, and print the result."""
    os.environ["RECIPE_FOLDER"] = folder
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/recipe.sqlite3"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.recipes.settings"
    import django  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    django.setup()
    setup_test_environment()
    call_command("check", fail_level="ERROR", verbosity=0)
    for app in os.environ.get("RECIPE_APPS", "").split():
        call_command("makemigrations", app, verbosity=0)
    call_command("migrate", verbosity=0)
    sys.stdout.write(f"{json.dumps(globals()[name](folder))}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
