"""Microsoft's ASN.1 types, one class each."""
