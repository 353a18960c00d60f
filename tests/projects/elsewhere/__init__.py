"""A host in another language and zone: the widget deep under its root, the root under a server prefix."""
