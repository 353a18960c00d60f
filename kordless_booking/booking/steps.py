"""The four steps of a booking, in order. What differs between them is on the member."""

from __future__ import annotations

from enum import Enum
from typing import Any

from django.utils.translation import pgettext_lazy


class Step(Enum):
    """Step of a booking, with the name of its URL and its label in the progress line."""

    SERVICE = ("services", pgettext_lazy("booking step", "Service"))
    SLOT = ("slots", pgettext_lazy("booking step", "Time"))
    CONTACT = ("contact", pgettext_lazy("booking step", "Details"))
    CONFIRMATION = ("confirmation", pgettext_lazy("booking step", "Done"))

    def __init__(self, url_name: str, label: Any) -> None:
        self.url_name = url_name
        self.label = label

    @property
    def template(self) -> str:
        """Name of the template that shows the step."""
        return f"kordless_booking/steps/{self.name.lower()}.html"

    def before(self, other: Step) -> bool:
        """Return True when this step comes before the other."""
        steps = list(Step)
        return steps.index(self) < steps.index(other)
