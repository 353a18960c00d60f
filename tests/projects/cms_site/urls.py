"""Each language under its own prefix; django CMS's pages catch every other address."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = i18n_patterns(
    path("admin/", admin.site.urls),
    path("book/", include("kordless_booking.urls")),
    path("", include("cms.urls")),
)
