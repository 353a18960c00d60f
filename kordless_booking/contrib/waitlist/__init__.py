"""Waitlist: visitors who find no time that suits them are told when one is free. docs/waitlist.md describes it."""
