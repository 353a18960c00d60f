"""A database that can't write, whichever it is: full, read-only, or out of reach for writing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection


@contextmanager
def refused_writes(*verbs: str) -> Iterator[None]:
    """Statements that begin with one of these words fail while the context lasts."""

    def refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith(verbs):
            raise OperationalError("no space left on device")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@contextmanager
def refused_value(value: str, error: type[Exception]) -> Iterator[None]:
    """Statements that store this text in a new row raise `error` while the context lasts."""

    def refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith("INSERT") and value in params:
            raise error("this value can't be stored")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield
