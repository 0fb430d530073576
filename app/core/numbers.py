"""Numbers of rows: both engines keep 64 bits, and answer more with an error of their own."""

LARGEST_ID = 2**63 - 1
