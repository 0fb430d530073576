"""Who reads the paper: asking, agreeing, leaving."""
