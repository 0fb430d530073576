"""What may not be frozen, and what had better be looked at. Every module here is pure."""
