"""Mails to customers, if the site wants them: written down with the news, sent after, each at most once."""
