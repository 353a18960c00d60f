"""JSON for programs: services, free times and, with a token of the site's, bookings."""
