"""Signatures as a whole: attributes, certificates, timestamps and nested signatures, signed again and checked."""

from __future__ import annotations

import random

from signer.errors import SignatureFormatError
from signer.pkcs7 import counter_signature, opus, parse, signer_checks, structure, timestamp_token
from signer.verify import hidden_data, signatures
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.harnesses.signed_data import extra
from tests.fuzz.resigning import resigned
from tests.fuzz.signatures import signatures as seeds

INSTRUMENTED = ("signer.pkcs7", "signer.verify")
RESIGNED = 0.75
"""Share of the mutants that are signed again."""


def run(data: bytes) -> bool:
    found = list(signatures.read_signatures(data))
    assert found
    assert [one.signature.index for one in found] == list(range(len(found)))
    try:
        parsed = parse.parse(data)
    except SignatureFormatError:
        assert found[0].signature.problems
        return False
    assert parsed.inner_content is not None
    return not found[0].signature.problems


def mutate(data: bytes, chooser: random.Random) -> bytes:
    data = mutated_der(data, chooser)
    return resigned(data) if chooser.random() < RESIGNED else data


HARNESS = Harness(
    "signature",
    run,
    seeds,
    (
        *(structure.check_structure, signer_checks.check_signed_data, opus.read_opus, timestamp_token.check_token),
        *(timestamp_token._signing_certificate, counter_signature.check_counter_signature),
        *(hidden_data.certificate_notes, hidden_data.unsigned_attribute_notes, signatures._digest_problems),
    ),
    mutate=mutate,
    extra=extra,
    max_size=4096,
)
