"""A booking widget for Django sites, on top of the Kordless Booking API."""

__version__ = "0.1.0"
