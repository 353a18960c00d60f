"""Benchmarks of the widget's speed and of its requests to Kordless, with the target of each: `make bench`."""
