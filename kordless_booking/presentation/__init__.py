"""How things are said and shown: formatting, texts, locales, time zones, calendar events, colors, style sheets."""
