"""The demo under gunicorn, with a Kordless in a process of its own, and crowds of visitors."""
