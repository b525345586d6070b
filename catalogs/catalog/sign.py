"""Sign a catalog. A catalog has only one signature: signing it again replaces it."""

from __future__ import annotations

from dataclasses import replace

from catalogs.catalog.file import Catalog
from signer.keys.identity import SigningIdentity
from signer.pkcs7.signed_data import SigningOptions, Timestamper, sign


def sign_catalog(
    catalog: Catalog, identity: SigningIdentity, options: SigningOptions, timestamper: Timestamper | None = None
) -> Catalog:
    """Return the signed catalog; its trust list is unchanged. Raises IdentityError, TimestampError."""
    signed = Catalog.parse(sign(catalog.content, identity, options, timestamper), catalog.name)
    return replace(catalog, head=signed.head, tail=signed.tail)
