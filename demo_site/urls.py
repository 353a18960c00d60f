"""Home at /, the widget at /book/ (and the customer's page at /book/manage/), the admin at /admin/."""

from django.contrib import admin
from django.urls import include, path

from demo_site import views

urlpatterns = [
    path("", views.home, name="home"),
    path("book/", include("kordless_booking.urls")),
    path("admin/", admin.site.urls),
]
