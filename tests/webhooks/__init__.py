"""What Kordless sends, and what is believed of it."""
