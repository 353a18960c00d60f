"""The style of later steps, which comes with the form: the same check in Firefox and WebKit."""

from __future__ import annotations

from tests.journeys.firefox import Firefox
from tests.journeys.webkit import WebKit


def check_that_a_form_brings_its_style(visitor: Firefox | WebKit, book_url: str) -> None:
    """Choose a time where nothing has loaded the sheet of later steps, and check that its rules apply to the form."""
    with visitor.tab(f"{book_url}haircut/?tz=America/New_York"):
        visitor.see(".kb-js .kb-time")
        # A mouse that was somewhere in the window may have loaded it.
        visitor.evaluate("""(() => {
          addEventListener("pointermove", (event) => event.stopImmediatePropagation(), true);
          document.querySelector("link[data-kb-later]").disabled = true;
          document.querySelector(".kb-time").click();
        })()""")
        visitor.see('[data-kb-step="contact"]')
        assert visitor.evaluate("document.querySelector('link[data-kb-later]')") is None
        assert visitor.evaluate("getComputedStyle(document.querySelector('.kb-summary')).borderTopStyle") == "solid"
        assert visitor.complaints() == []
