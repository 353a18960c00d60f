"""The instance namespace of each mount names its account."""

from django.urls import include, path

urlpatterns = [
    path("north/", include("kordless_booking.urls", namespace="north")),
    path("south/", include("kordless_booking.urls", namespace="south")),
]
