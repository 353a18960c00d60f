"""Fixtures of the doctor's tests."""

from tests.doctor.conftest import well

__all__ = ["well"]
