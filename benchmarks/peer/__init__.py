"""django-appointment with one service and one staff member."""
