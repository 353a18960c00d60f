"""The salon's own staff, who log into the admin as "salon" with the password "salon".

Settings name this backend only while the demo runs on the sandbox and answers its own machine alone. No password is
kept anywhere: without the backend nobody can log in as the salon, and who was logged in is so no more.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from demo_site.exposure import comes_from_this_machine

__all__ = ["NAME", "SalonBackend"]

NAME: Final = "salon"


class SalonBackend(ModelBackend):
    """Lets the salon in, and makes its user when it first comes."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_kwargs: Any
    ) -> User | None:
        if username != NAME or not constant_time_compare(password or "", NAME):
            return None
        if not getattr(settings, "LOCAL_ONLY", False) or (request is not None and not comes_from_this_machine(request)):
            return None
        staff = {"is_staff": True, "is_superuser": True, "password": "!"}
        return User.objects.update_or_create(username=NAME, defaults=staff)[0]
