"""What operators need beside the paper."""
