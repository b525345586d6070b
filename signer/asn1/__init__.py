"""ASN.1: a DER reader and writer, the object identifiers of code signing, and Microsoft's and PKCS #7 types."""
