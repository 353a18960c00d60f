"""URLs below `waitlist/` of each mount of the widget."""

from django.urls import path, re_path

from kordless_booking.contrib.waitlist.views import ask, entry

urlpatterns = [
    # Without a slash at the end: each character of a text message counts.
    re_path(r"^(?P<code>[0-9A-Za-z]{16}(?:[0-9A-Za-z]{6})?)$", entry, name="waitlist-entry"),
    path("<str:service>/", ask, name="waitlist-ask"),
]
