"""SignedData: what is signed, the signature, the timestamp."""
