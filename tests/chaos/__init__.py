"""A sender that is killed at any instant loses nobody: counted where the mail arrives."""
