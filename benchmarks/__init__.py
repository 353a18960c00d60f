"""How fast the widget is, how little it asks of Kordless, and whether it keeps both promises: `make bench`."""
