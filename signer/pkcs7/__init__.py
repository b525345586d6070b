"""PKCS #7 SignedData: create, parse and check signatures, nested signatures and timestamps."""
