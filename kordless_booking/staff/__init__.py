"""Pages for the operator in Django's admin, on sites that have it installed."""
