"""Home at /, the widget at /book/ (and the customer's page at /book/manage/), the admin at /admin/.

The snippet builder, elsewhere for staff alone, is open at /snippet/; on the sandbox /sandbox/ is behind the counter.
The ready-made themes are at /themes/.
"""

from django.contrib import admin
from django.urls import include, path

from demo_site import views
from demo_site.counter import counter

urlpatterns = [
    path("", views.home, name="home"),
    path("book/", include("kordless_booking.urls")),
    path("themes/", views.themes, name="themes"),
    path("snippet/", views.snippet, name="snippet"),
    path("sandbox/", counter, name="counter"),
    path("admin/", admin.site.urls),
]
