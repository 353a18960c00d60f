"""Tests of contrib.json_api."""
