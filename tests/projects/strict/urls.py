"""As the plain host; only /page/ is let through the login wall by the host itself."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("book/", include("kordless_booking.urls")),
    path("page/", login_not_required(TemplateView.as_view(template_name="page.html")), name="page"),
    path("staff/", TemplateView.as_view(template_name="page.html"), name="staff"),
    path("admin/", admin.site.urls),
]
