"""Functions of the site that settings name by their dotted paths."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from django.utils.module_loading import import_string


def load_function(path: str, *arguments: str) -> Callable[..., object]:
    """Import and return the function with this dotted path.

    Raises ImportError when it can't be imported, TypeError when it isn't a function of these arguments, and whatever
    its module raises.
    """
    function: Callable[..., object] = import_string(path)
    if not callable(function):
        raise TypeError("it is not a function")
    if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
        # Its call returns at once, and what it should do would never be done.
        raise TypeError("it is an async function, which nobody would await")
    try:
        signature = inspect.signature(function)
    except ValueError:
        return function  # written in C, and without a signature
    try:
        signature.bind(*arguments)
    except TypeError:
        *most, last = arguments
        raise TypeError(f"it doesn't take {', '.join(most)} and {last}") from None
    return function


def find_function_problem(path: str, *arguments: str) -> str:
    """Return why the function with this dotted path can't be called with these arguments, two or more.

    "" where it can, or there is no path. Imports the function's module, and calls nothing.
    """
    if not path:
        return ""
    try:
        load_function(path, *arguments)
    except ImportError as error:
        # Python's own words name the module that is missing, which may be another one than the function's.
        return f"it can't be imported ({error})"
    except TypeError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 (a module of the site raises anything)
        return f"its import raises {type(error).__name__}"
    return ""
