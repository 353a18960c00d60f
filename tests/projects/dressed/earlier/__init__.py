"""An app of a host's that stands before the widget in INSTALLED_APPS and brings a foot of its own."""
