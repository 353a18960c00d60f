"""The plain host, with whatever a recipe of docs/recipes adds: its files are read from the page."""
