"""Cabinets: layout, digest and signature, and reading and writing their files."""
