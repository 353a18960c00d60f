"""Configuration of the extension: registers everything once, when Django has loaded the apps."""

from django.apps import AppConfig


class CallbackConfig(AppConfig):
    name = "tests.projects.extended.callback"
    label = "callback"

    def ready(self) -> None:
        from tests.projects.extended.callback.plugin import register  # noqa: PLC0415 (as the models of a real one: once apps are loaded)

        register()
