"""Cabinets: made, read, what of them is hashed, and where their signature is."""
