"""What `manage.py kordless_doctor` looks at. Everything here is for operators, and in English like the settings."""
