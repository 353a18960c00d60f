"""Creations whose responses are lost."""

from kordless_booking.sandbox import Sandbox


def lose_answers(sandbox: Sandbox, times: int | None = None) -> None:
    """Kordless carries a creation out, and its answer never arrives."""
    sandbox.faults.add("status", "create", times=times, status=502, html=True, carried_out=True)
