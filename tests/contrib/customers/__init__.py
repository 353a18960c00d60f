"""Tests of the optional app of customers."""
