"""Trust: root stores, certificate paths and revocation."""
