"""The widget at /book/, a page of the host's own with the widget inside at /page/, and the admin."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("book/", include("kordless_booking.urls")),
    path("page/", TemplateView.as_view(template_name="page.html"), name="page"),
    path("admin/", admin.site.urls),
]
