"""Check of the site's templates: which of the package's it replaces, and whether their originals have changed."""

from __future__ import annotations

from typing import Final

from kordless_booking.doctor.finding import Findings, note, ok
from kordless_booking.views.template_copies import CopyState, find_copies

_COMPARE: Final = "compare them with manage.py kordless_templates --diff NAME, then --reviewed NAME"


def examine() -> Findings:
    """Report what the site replaces. Finds nothing where every template is the package's own."""
    names: dict[CopyState, list[str]] = {state: [] for state in CopyState}
    for copy in find_copies():
        names[copy.state].append(copy.name)
    replaced = sorted(name for state, found in names.items() if state is not CopyState.UNUSED for name in found)
    if replaced:
        # Their price, which docs/theming.md explains.
        text = f"{len(replaced)} templates are the site's own, rendered for each visitor: {', '.join(replaced)}"
        yield ok("templates", text)
    if found := names[CopyState.OUTDATED]:
        text = f"Templates of yours are based on older originals ({', '.join(found)})"
        yield note("templates_outdated", text, _COMPARE)
    if found := names[CopyState.UNKNOWN]:
        text = f"Templates of yours don't say which originals they are based on ({', '.join(found)})"
        yield note("templates_unknown", text, _COMPARE)
    if found := names[CopyState.UNUSED]:
        text = f"Templates of yours have the name of none of the package's ({', '.join(found)})"
        yield note("templates_unused", text, "rename or remove them, unless other templates of yours include them")
