"""Pages about a booking: finding it, and what its summary says."""

from __future__ import annotations

from tests.support.visitor import JANE, Page, Visitor


def find(visitor: Visitor, number: str, contact: str = JANE["email"], url: str = "/book/manage/") -> Page:
    """Fill in the form that finds a booking, as a customer who has lost the mail does."""
    return visitor.send(visitor.open(url), "Find booking", number=number, contact=contact)


def rows(page: Page) -> dict[str, str]:
    """Return the rows of the booking's summary on a page, by label."""
    return dict(zip(page.texts(".kb-summary dt"), page.texts(".kb-summary dd"), strict=True))
