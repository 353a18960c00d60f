"""Comparison of the Booking API with what this package assumes about it. docs/contract.md describes the report."""
