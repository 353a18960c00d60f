"""Pictures of the real thing for the docs: `make screenshots` takes them all anew."""
