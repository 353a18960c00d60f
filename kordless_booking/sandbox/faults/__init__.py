"""Kinds of faults, one module for each layer of a response: document, status and bytes, connection."""
