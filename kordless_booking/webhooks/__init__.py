"""Kordless calling back: verified, recorded once, and passed on to the site."""
