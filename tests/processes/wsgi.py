"""The demo, with all its code loaded before the processes part: they start quicker so."""

from django.urls import resolve

from demo_site.wsgi import application

__all__ = ["application"]

resolve("/book/")
