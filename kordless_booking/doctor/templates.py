"""Check of the site's templates: which of the package's it replaces, and whether their originals have changed."""

from __future__ import annotations

from kordless_booking.doctor.finding import Findings, note, ok
from kordless_booking.views.template_copies import CopyState, find_copies

_CODES = {
    CopyState.OUTDATED: ("templates_outdated", "Templates of yours are based on older originals"),
    CopyState.UNKNOWN: ("templates_unknown", "Templates of yours don't say which original they are based on"),
    CopyState.UNUSED: ("templates_unused", "Templates of yours have the name of none of the package's"),
}
_ADVICE = {
    CopyState.OUTDATED: "compare them with manage.py kordless_templates --diff NAME, then --reviewed NAME",
    CopyState.UNKNOWN: "compare them with manage.py kordless_templates --diff NAME, then --reviewed NAME",
    CopyState.UNUSED: "rename or remove them, unless other templates of yours include them",
}


def examine() -> Findings:
    """Report what the site replaces. Finds nothing where every template is the package's own."""
    copies = find_copies()
    replaced = [copy.name for copy in copies if copy.state is not CopyState.UNUSED]
    if replaced:
        # Their price, which docs/theming.md explains.
        text = f"{len(replaced)} templates are the site's own, rendered for each visitor: {', '.join(replaced)}"
        yield ok("templates", text)
    for state, (code, text) in _CODES.items():
        names = [copy.name for copy in copies if copy.state is state]
        if names:
            yield note(code, f"{text} ({', '.join(names)})", _ADVICE[state])
