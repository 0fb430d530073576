"""Measurements against the budgets. `python -m bench` runs them all; it ends with 1 where one is over."""
