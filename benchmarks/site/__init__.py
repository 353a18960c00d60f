"""A site that answers "hello", and the widget twice: with and without a second of memory in the process."""
