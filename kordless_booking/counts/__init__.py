"""What happens on the site, counted: in memory first, in the database every half minute, and nothing about anybody."""
