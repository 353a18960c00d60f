"""Pages of the extension, below the widget's own mount."""

from django.urls import path

from tests.projects.extended.callback.views import ask

urlpatterns = [path("", ask, name="callback-ask")]
