"""Type of the fixture that logs in members of staff."""

from collections.abc import Callable

from django.test import Client

#: Takes permissions of the app by their codenames, and returns the client of a member of staff who has them.
Hire = Callable[..., Client]
