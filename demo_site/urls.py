"""Home at /, the widget at /book/ (and the customer's page at /book/manage/), the admin at /admin/.

The demo's tools are for whoever is at this machine, and for staff: the snippet builder at /snippet/, the ready-made
themes at /themes/, and on the sandbox /sandbox/ behind the counter and /mail/ with what the site writes to customers.
"""

from django.contrib import admin
from django.urls import include, path

from demo_site import postbox, views
from demo_site.counter import counter

urlpatterns = [
    path("", views.home, name="home"),
    path("book/", include("kordless_booking.urls")),
    path("themes/", views.themes, name="themes"),
    path("snippet/", views.snippet, name="snippet"),
    path("sandbox/", counter, name="counter"),
    path("mail/", postbox.postbox, name="postbox"),
    path("mail/<str:name>/", postbox.letter, name="letter"),
    path("mail/<str:name>/booking.ics", postbox.calendar, name="letter-calendar"),
    path("admin/", admin.site.urls),
]
