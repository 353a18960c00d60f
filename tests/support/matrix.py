"""Parameters of which `make test` tries some and `.ci/run` all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet


def thinned(
    values: Iterable[Any] | Mapping[str, Any],
    keep: Callable[[Any], bool] | None = None,
    *,
    unpack: bool = False,
    ids: Callable[[Any], str] | None = None,
) -> list[ParameterSet]:
    """Return parameters for `parametrize`; those that `keep` isn't true of are marked `matrix`.

    Without `keep` the first one is kept. A mapping gives ids to its values. `unpack`: each value is a tuple of
    arguments.
    """
    named = list(values.items()) if isinstance(values, Mapping) else [(None, value) for value in values]
    parameters = []
    for number, (name, value) in enumerate(named):
        kept = keep(value) if keep else number == 0
        arguments = value if unpack else (value,)
        known_as = ids(value) if ids else name
        parameters.append(pytest.param(*arguments, id=known_as, marks=() if kept else pytest.mark.matrix))
    return parameters
