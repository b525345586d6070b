"""Catalog files (.cat): the trust list, its members, Windows release names, and signing."""
