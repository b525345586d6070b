"""ASN.1: DER by hand, the object identifiers of code signing, and the types of Microsoft and PKCS #7."""
