"""Reaching addresses that strangers chose, and only on the public Internet."""
