"""Customers: who comes again, from where, and who cancels late. An optional app; docs/customers.md describes it."""
