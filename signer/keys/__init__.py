"""Signing keys in files, tokens and key services, and their certificates."""
