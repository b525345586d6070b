"""A test public-key infrastructure for driver development."""
