"""Tests of webhooks: what Kordless delivers, and what is accepted of it."""
