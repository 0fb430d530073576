"""The clockwork: what is owed when, and the process that does it. The only room that knows APScheduler."""
