"""Presentation: formatting, texts, locales, time zones, calendar events, colors and style sheets."""
