"""Change a signed file as an attacker can, who does not have the signer's key."""

from __future__ import annotations

import contextlib
import random
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.asn1 import der, oids
from signer.errors import SignerError
from signer.formats.detect import detect, opened
from signer.formats.table import IMAGE
from signer.pkcs7.content import Content
from signer.pkcs7.nested import append, with_unsigned
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import sign
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.identities import STRANGER, attackers
from tests.fuzz.mutation import mutated_bytes
from tests.fuzz.resigning import Keys, parts, reissued, resigned
from tests.fuzz.signatures import OPTIONS, signature_of

_STRANGERS = Keys(STRANGER, STRANGER, STRANGER)
_HEADERS_END = 0x400


def forged(data: bytes, chooser: random.Random) -> bytes:
    """Return a changed file; without a readable signature, with some bytes changed."""
    kind = chooser.random()
    with contextlib.suppress(SignerError, ValueError, IndexError):
        if detect(data) is not IMAGE:
            return _other_list(data, chooser) if kind < 0.3 else _changed(data, chooser)
        if kind < 0.3:
            return _other_code(data, chooser)
        _, image = opened(data)
        return image.with_signatures([_changed(image.signatures()[0], chooser)]).unchecked(data)
    return mutated_bytes(data, chooser)


@cache
def _attackers() -> tuple[bytes, ...]:
    """Return the public keys of attackers in DER."""
    keys = (one.key.public_key for one in attackers())
    return tuple(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in keys)


def _other_code(data: bytes, chooser: random.Random) -> bytes:
    """Return an image with other code, which an attacker signs; the first signature may stay beside the new one."""
    changed = data[:_HEADERS_END] + mutated_bytes(data[_HEADERS_END:], chooser)
    _, image = opened(data)
    old = image.signatures()
    new = signature_of(changed, identity=chooser.choice(attackers()))
    found = chooser.choice(([new], [append(old[0], new)], [append(new, old[0])], [new, *old]))
    return opened(changed)[1].with_signatures(found).unchecked(changed)


def _other_list(data: bytes, chooser: random.Random) -> bytes:
    """Return a catalog with another trust list, which an attacker signs."""
    content = mutated_der(parse(data).content, chooser)
    return sign(Content(oids.CTL, content), chooser.choice(attackers()), OPTIONS)


def _changed(signature: bytes, chooser: random.Random) -> bytes:
    """Return a changed signature."""
    change = chooser.choice((mutated_der, _signed_by_strangers, _other_timestamp, _other_certificate))
    return change(signature, chooser)


def _signed_by_strangers(signature: bytes, chooser: random.Random) -> bytes:
    return resigned(mutated_der(signature, chooser), _STRANGERS)


def _other_timestamp(signature: bytes, chooser: random.Random) -> bytes:
    """Change a timestamp, which the authority signs again: it may be about anything."""
    values = parse(signature).signers[0].unsigned_attributes.get(oids.RFC3161_TIMESTAMP, ())
    changed = [resigned(mutated_der(value, chooser)) for value in values]
    return (
        with_unsigned(signature, oids.RFC3161_TIMESTAMP, tuple(changed)) if values else mutated_der(signature, chooser)
    )


def _other_certificate(signature: bytes, chooser: random.Random) -> bytes:
    """Change one of the certificates, which the root issues again; not for the key of an attacker."""
    kind, wrapped = parts(signature)
    version, algorithms, content, certificates, *rest = parts(parts(wrapped)[0])
    carried = parts(certificates)
    place = chooser.choice([index for index, one in enumerate(carried) if not any(key in one for key in _attackers())])
    carried[place] = reissued(mutated_der(carried[place], chooser))
    signed = der.sequence(version, algorithms, content, der.tlv(certificates[0], *carried), *rest)
    return der.sequence(kind, der.explicit(0, signed))
