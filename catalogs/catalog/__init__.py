"""Catalog files: the trust list, its members, the names of Windows releases in it, and the whole .cat file."""
