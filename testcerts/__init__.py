"""Test certificates for driver development: issue, store, list and install them."""
