"""Extension that lets visitors ask to be called back. docs/extending.md shows it as the example of all hooks."""
