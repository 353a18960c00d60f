"""Template filter for texts with dates and times."""

from __future__ import annotations

from django import template

from kordless_booking.presentation.texts import whole

register = template.Library()
register.filter("whole", whole)
