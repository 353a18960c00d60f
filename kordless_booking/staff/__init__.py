"""What the operator sees in Django's admin, where a site has it."""
