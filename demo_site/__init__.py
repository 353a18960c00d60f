"""Demo host site: shows the widget inline in a page, framed on another site, and on pages of its own."""
