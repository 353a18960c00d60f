"""The doctor's site, which nothing is wrong with."""

from tests.doctor.conftest import well

__all__ = ["well"]
