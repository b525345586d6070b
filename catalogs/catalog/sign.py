"""Sign a catalog. A catalog has one signature: signing it again replaces the one that it has."""

from __future__ import annotations

from dataclasses import replace

from catalogs.catalog.file import Catalog
from signer.keys.identity import SigningIdentity
from signer.pkcs7.signed_data import SigningOptions, Timestamper, sign


def sign_catalog(
    catalog: Catalog, identity: SigningIdentity, options: SigningOptions, timestamper: Timestamper | None = None
) -> Catalog:
    """The catalog with a signature over it; its contents stay byte for byte. Raises IdentityError, TimestampError."""
    signed = Catalog.parse(sign(catalog.content, identity, options, timestamper), catalog.name)
    return replace(catalog, head=signed.head, tail=signed.tail)
