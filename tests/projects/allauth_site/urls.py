"""The widget, and allauth's pages with the same base."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("book/", include("kordless_booking.urls")),
    path("admin/", admin.site.urls),
]
