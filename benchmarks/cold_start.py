"""Seconds and megabytes that the app adds to each process of a site: `python -m benchmarks.cold_start`.

Compares `django.setup()` of the plain host project without and with the app, everything optional off, and then with its
URLs loaded, as `manage.py check` does. Seconds are processor time, the best of five processes: another program on the
machine doesn't count. tests/test_cold_start.py holds which packages stay out.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
MEASURED = """
import os, resource, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.plain.settings"
import django
from django.conf import settings
if "without" in sys.argv:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "kordless_booking"]
began = time.process_time()
django.setup()
if "urls" in sys.argv:
    import kordless_booking.urls
kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(time.process_time() - began, kilobytes / 1024)
"""
ROWS = {"without the app": "without", "with the app": "with", "and its URLs": "urls"}


def measure(argument: str) -> tuple[float, float]:
    """Return the least processor seconds and megabytes of several processes."""
    command = [sys.executable, "-c", MEASURED, argument]
    runs = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True) for _ in range(RUNS)]  # noqa: S603
    found = [[float(word) for word in run.stdout.split()] for run in runs]
    return min(seconds for seconds, _ in found), min(megabytes for _, megabytes in found)


if __name__ == "__main__":
    print("| django.setup() | Seconds | MB |\n| --- | --- | --- |")
    for title, argument in ROWS.items():
        seconds, megabytes = measure(argument)
        print(f"| {title} | {seconds:.2f} | {megabytes:.0f} |")
