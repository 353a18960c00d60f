"""The scripts that other sites put on their pages to show the widget: the loader, and the dialog that it may load."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from kordless_booking.views.compression import Compressed, compress, compressed_response
from kordless_booking.views.request import make_readable

_FOLDER: Final = Path(__file__).parent.parent / "static" / "kordless_booking"
_LOADER: Final = "embed.js"
_DIALOG: Final = "embed-dialog.js"
FRESH_SECONDS: Final = 3600
"""Its address stands in pages of other people, so a new release has to arrive under the old one."""
_YEAR_SECONDS: Final = 365 * 86400


def _loader_etag(_request: HttpRequest) -> str:
    return _etag(_LOADER)


def _dialog_etag(_request: HttpRequest) -> str:
    return _etag(_DIALOG)


@login_not_required
@require_safe
@condition(etag_func=_loader_etag)
def embed(request: HttpRequest) -> HttpResponse:
    """Serve the loader, for every page of the web, also for those that are cross-origin isolated."""
    response = _respond(request, _LOADER, f"public, max-age={FRESH_SECONDS}, stale-while-revalidate=86400")
    # For pages that have it with `crossorigin` or as a module, which optimizers of pages add.
    response["Access-Control-Allow-Origin"] = "*"
    return response


@login_not_required
@require_safe
@condition(etag_func=_dialog_etag)
def embed_dialog(request: HttpRequest) -> HttpResponse:
    """Serve the script of `popup` and `button` links, which the loader imports with the version that it was built with.

    A loader of another release gets this one's as well, but nobody stores it under that address.
    """
    make_readable(request)
    lasting = request.GET.get("v") == _digest(_DIALOG)[:8] and not settings.DEBUG
    response = _respond(request, _DIALOG, f"public, max-age={_YEAR_SECONDS}, immutable" if lasting else "no-cache")
    # Browsers fetch modules by CORS, unlike classic scripts. There is nothing in it but the script.
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _respond(request: HttpRequest, name: str, cache_control: str) -> HttpResponse:
    return compressed_response(request, _script(name), "text/javascript; charset=utf-8", cache_control=cache_control)


@cache
def _script(name: str) -> Compressed:
    """Read a built script."""
    return compress((_FOLDER / name).read_bytes())


@cache
def _digest(name: str) -> str:
    return sha256(_script(name).plain).hexdigest()


def _etag(name: str) -> str:
    """Weak, because it is the same packed and plain."""
    return f'W/"{_digest(name)[:16]}"'
