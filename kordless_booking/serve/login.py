"""Login form of the admin, with a limit on wrong passwords by client address."""

from __future__ import annotations

import time
from typing import Any, Final

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from kordless_booking import conf
from kordless_booking.upstream.registry import services_for
from kordless_booking.views.address_limits import build_rejection
from kordless_booking.views.client_address import client_buckets
from kordless_booking.views.throttle import PermitKeys, take_use

ATTEMPTS: Final = 10
"""Wrong passwords of one address in ten minutes: more than anybody types, and 1,440 a day for who guesses."""
SECONDS: Final = 600


class LoginForm(AdminAuthenticationForm):
    """Login form that looks at no password of an address with too many wrong ones."""

    def clean(self) -> dict[str, Any]:
        if self.request is None:
            return super().clean()
        account = conf.get_account(None)
        buckets = client_buckets(self.request, account.trusted_proxies)
        # Taken before the password is looked at, so that attempts at once can't pass together.
        use = take_use(
            services_for(account).cache.throttle_view(),
            [PermitKeys.build("login", bucket, ATTEMPTS) for bucket in buckets],
            seconds=SECONDS,
            now=time.time(),
        )
        if use.seconds:
            raise ValidationError(build_rejection("login", use.seconds), code="throttled")
        cleaned = super().clean()
        use.release()
        return cleaned
