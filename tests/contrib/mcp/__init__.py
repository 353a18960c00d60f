"""Tests of contrib.mcp."""
