"""Out: release at each reader's morning, hand over, keep the ledger."""
