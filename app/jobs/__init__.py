"""The clockwork: what is owed when, and who does it. The only room that knows APScheduler and Procrastinate."""
