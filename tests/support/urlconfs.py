"""URLconfs of sites with the widget at several places, or at none."""

from django.urls import include, path, re_path
from django.views.generic import TemplateView

BEFORE_WIDGET = (re_path(r"^(?P<rest>.*)$", TemplateView.as_view(template_name="page.html"), name="site-page"),)
"""A catch-all, as a content management system has it: harmless below the widget, fatal above it."""
WITHOUT_WIDGET = (path("page/", TemplateView.as_view(template_name="page.html")),)


def mounted(*namespaces: str | None):
    """Return a URLconf with the widget once under each of these namespaces."""
    return tuple(
        path(f"{index}/", include("kordless_booking.urls", namespace=namespace))
        for index, namespace in enumerate(namespaces)
    )
