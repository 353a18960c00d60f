"""Authentication backend for the demo's staff: user "salon", password "salon".

The settings list this backend only while the demo runs on the sandbox and serves this machine only. The database holds
no password: without the backend nobody can log in as the salon, and Django accepts no session of an earlier login.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from demo_site.exposure import is_local_request

NAME: Final = "salon"


class SalonBackend(ModelBackend):
    """Accepts the public login, and creates or repairs its superuser."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_kwargs: Any
    ) -> User | None:
        if username != NAME or not constant_time_compare(password or "", NAME):
            return None
        # Checked again, in case a site lists this backend by mistake.
        if not getattr(settings, "LOCAL_ONLY", False) or (request is not None and not is_local_request(request)):
            return None
        # "!" is Django's mark for an unusable password: ModelBackend, which is listed too, must not accept this user.
        staff = {"is_staff": True, "is_superuser": True, "password": "!"}
        return User.objects.update_or_create(username=NAME, defaults=staff)[0]
