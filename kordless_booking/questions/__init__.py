"""Questions that a business asks before a booking: the setting QUESTIONS, the form's fields, and the answers."""
