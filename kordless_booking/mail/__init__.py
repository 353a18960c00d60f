"""Email to customers: an outbox that is filled in the booking change's transaction and sent afterwards."""
