"""Nonce of the site's own Content-Security-Policy, for the widget's scripts and style sheets inside its pages."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from django.http import HttpRequest

_LOADING: Final = re.compile(r'<(?:script|link rel="(?:stylesheet|preload)")(?= )')


def find_nonce(request: HttpRequest) -> str:
    """Return the nonce that the site's middleware has for this response; "" where it has none.

    Asking for it puts it into the policy: both django-csp and Django 6 leave out a nonce that nobody has used.
    """
    # `csp_nonce` is django-csp's, `_csp_nonce` that of Django's own middleware. Both are lazy, and false until used.
    for name in ("csp_nonce", "_csp_nonce"):
        nonce = getattr(request, name, None)
        if nonce is not None:
            return str(nonce)
    return ""


def add_nonce(html: str, nonce: str) -> str:
    """Return HTML of ours in which each script and style sheet has the nonce."""
    return _LOADING.sub(lambda tag: f'{tag[0]} nonce="{escape(nonce)}"', html) if nonce else html
