"""As the demo, but for its home page: the host's own."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="site/home.html"), name="home"),
    path("book/", include("kordless_booking.urls")),
    path("admin/", admin.site.urls),
]
