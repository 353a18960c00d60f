"""Email and text messages to customers: an outbox, filled in the booking change's transaction and sent afterwards."""
