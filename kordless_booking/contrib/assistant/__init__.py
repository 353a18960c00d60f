"""Understands when somebody wants an appointment, in their own words: an optional app of its own."""
