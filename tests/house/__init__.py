"""Laws of the house, and what surrounds the code."""
