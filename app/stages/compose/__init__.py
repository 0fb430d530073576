"""Which of what happened goes into the paper."""
