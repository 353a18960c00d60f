"""Counts of visitors and of rejected deliveries: kept in memory, written every half minute, nothing personal."""
