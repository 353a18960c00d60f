"""The widget at /de/termine/, as a site with language prefixes would have it."""

from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("de/termine/", include("kordless_booking.urls")),
    path("de/seite/", TemplateView.as_view(template_name="page.html"), name="page"),
]
