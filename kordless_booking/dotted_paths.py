"""Import of the site's functions that settings name by their dotted paths."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

from django.utils.module_loading import import_string


def load_function(path: str, takes: Sequence[str]) -> Callable[..., object]:
    """Import and return the function with this dotted path. `takes` names the arguments that it is called with.

    Raises ImportError when it can't be imported, TypeError when it isn't a function of these arguments, and whatever
    its module raises.
    """
    function: Callable[..., object] = import_string(path)
    if not callable(function):
        raise TypeError("it is not a function")
    if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
        # Its call returns at once, and nothing would ever be done.
        raise TypeError("it is an async function, which nobody would await")
    try:
        signature = inspect.signature(function)
    except ValueError:
        return function  # written in C, and without a signature
    try:
        signature.bind(*takes)
    except TypeError:
        *first, last = takes
        names = f"{', '.join(first)} and {last}" if first else last
        raise TypeError(f"it doesn't take {names}") from None
    return function


def find_function_problem(path: str, takes: Sequence[str]) -> str:
    """Return why the function with this dotted path can't be used; "" where it can, or there is none."""
    if not path:
        return ""
    try:
        load_function(path, takes)
    except ImportError:
        return "it can't be imported"
    except TypeError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 (a module of the site raises anything)
        return f"its import raises {type(error).__name__}"
    return ""
