"""Template filters for texts with dates and times."""

from __future__ import annotations

from django import template

from kordless_booking.presentation.texts import whole, whole_with_dot

register = template.Library()
register.filter("whole", whole)
register.filter("whole_with_dot", whole_with_dot)
