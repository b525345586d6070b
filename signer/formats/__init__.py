"""File formats that carry signatures: one table to detect them, one adapter for each."""
