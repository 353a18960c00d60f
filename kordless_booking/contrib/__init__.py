"""Optional features, each a Django app of its own. The core imports none of them: they use `kordless_booking.hooks`."""
