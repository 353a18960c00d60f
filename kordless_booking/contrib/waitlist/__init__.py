"""Waitlist: visitors who find no time that suits them are notified when one is free. docs/waitlist.md describes it."""
