"""Presentation of values to visitors: formatting, texts, locales, time zones, calendar events, colors, style sheets."""
