"""A host site that shows the widget: inside a page of its own, on pages of its own, and for the customer."""
