"""A locked-down host: login wall, strict CSP, cookie CSRF and a transaction around every request."""
