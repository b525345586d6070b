"""Options that several commands share: one group per module."""
