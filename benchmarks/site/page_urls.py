"""The benchmark's URLs, and a list of a thousand services below /wide/."""

from django.urls import include, path

from benchmarks.site.urls import urlpatterns as usual

urlpatterns = [*usual, path("wide/", include("kordless_booking.urls", namespace="wide"))]
