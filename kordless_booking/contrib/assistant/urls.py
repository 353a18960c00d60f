"""URL pattern of the page that asks when, below each mount of the widget at `say/`."""

from __future__ import annotations

from django.urls import path

from kordless_booking.contrib.assistant.views import say

urlpatterns = [path("", say, name="say")]
