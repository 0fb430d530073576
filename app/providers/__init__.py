"""Ways out for the mail. Each provider knows mail (core.mail) and its own server, and nothing of our tables."""
