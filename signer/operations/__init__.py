"""What is done with signatures: make, list, remove, attach, timestamp, or make with a key held elsewhere."""
