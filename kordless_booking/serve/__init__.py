"""Site of its own for a business without Django: `kordless-booking serve`. docs/serve.md describes it.

Nothing else of the package imports it.
"""
