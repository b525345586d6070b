"""Signing keys and the certificates that speak for them."""
