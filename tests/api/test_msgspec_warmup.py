"""Every struct is analyzed by msgspec at import time, before a second thread can use it."""

import json
import subprocess
import sys

MADE_HERE_ONLY = {
    *("Alternate", "Business", "Metadata", "Page", "ProgressStep", "ServiceCard", "WidgetLinks"),
    *("AvailableTime", "CalendarPage", "CalendarPageRead", "CalendarPages", "Choices", "DayView", "Event"),
    *("FoldedText", "PlaceClock", "ShortPlace", "ShownClocks"),
    *("CacheItem", "Cached", "Resource"),
}
"""Structs that are never read from bytes. Some have fields of types that msgspec can't read."""

LISTING = """
import importlib, json, pkgutil, sys
import django, msgspec
django.setup()
import kordless_booking
for module in pkgutil.walk_packages(kordless_booking.__path__, "kordless_booking."):
    # Programs that run by themselves: one needs an environment of its own, the other an extra.
    if not module.name.endswith("__main__") and not module.name.startswith(
        ("kordless_booking.serve.", "kordless_booking.contrib.mcp.server")
    ):
        importlib.import_module(module.name)

def below(kind):
    return {kind, *(deeper for sub in kind.__subclasses__() for deeper in below(sub))}

worked_out_now = []
ours = [kind for kind in below(msgspec.Struct) if kind.__module__.startswith("kordless_booking.")]
for kind in ours:
    if kind.__name__ in sys.argv:  # made here only
        continue
    def seen(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "get_class_annotations":
            worked_out_now.append(kind.__name__)
    sys.setprofile(seen)
    msgspec.json.Decoder(kind)
    sys.setprofile(None)
print(json.dumps([len(ours), worked_out_now]))
"""


def test_every_struct_that_is_read_is_worked_out_on_import():
    """Two threads that do so at its first use crash the process, so nothing is left for a first use."""
    environment = {"DJANGO_SETTINGS_MODULE": "tests.projects.plain.settings", "PYTHONPATH": "."}
    command = [sys.executable, "-c", LISTING, *MADE_HERE_ONLY]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 (ours)
    known, late = json.loads(done.stdout)
    assert known > 20
    assert late == []
