"""Webhook deliveries from Kordless: verified, recorded once, and passed on to the site."""
