"""Readers of logs, each for one form, and the table that tells them apart by content."""
