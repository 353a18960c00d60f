"""Pages of the extension, below the widget's own mount."""

from django.urls import path

from tests.projects.extended.callback.views import request_call

urlpatterns = [path("", request_call, name="callback-ask")]
