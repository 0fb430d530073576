"""The doors readers and operators come through; with main, the only rooms that know FastAPI."""
