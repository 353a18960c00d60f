"""A host with two businesses, each with its own account and its own address."""
