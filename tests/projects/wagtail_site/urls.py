"""The widget before Wagtail's own pages, which catch every other address."""

from django.contrib import admin
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    path("django-admin/", admin.site.urls),
    path("admin/", include(wagtailadmin_urls)),
    path("book/", include("kordless_booking.urls")),
    path("", include(wagtail_urls)),
]
