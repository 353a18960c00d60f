"""Checks of `manage.py kordless_doctor`. For operators, and so in English like the settings."""
