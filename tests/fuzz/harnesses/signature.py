"""Signatures as a whole: parsed, checked and reported, with timestamps and nested signatures."""

from __future__ import annotations

import json
import random
from pathlib import Path

from signer.errors import SignatureFormatError
from signer.pkcs7 import counter_signature, opus, parse, signer_checks, structure, timestamp_token
from signer.reports.escape import printable
from signer.reports.inspection import Inspection, inspection_document, write_inspection
from signer.reports.sink import PlainSink
from signer.verify import hidden_data, signatures
from signer.verify.evidence import Evidence
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.harnesses.signed_data import extra
from tests.fuzz.identities import NOON
from tests.fuzz.resigning import resigned
from tests.fuzz.signatures import signatures as seeds

INSTRUMENTED = ("signer.pkcs7", "signer.verify", "signer.reports.inspection")
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
    evidence = Evidence("a.sys", "image", {}, signatures=tuple(one.signature for one in found))
    _report(Inspection(Path("a.sys"), len(data), evidence))
    return not found[0].signature.problems


def _report(inspection: Inspection) -> None:
    """Report the signatures as JSON and as text, in which no name forges a line."""
    assert json.dumps(inspection_document([inspection], NOON)).encode()
    written: list[str] = []
    write_inspection(inspection, PlainSink(written.append), NOON, verbose=True)
    assert all(text == f"{printable(text[:-1])}\n" for text in written)


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
    fresh=0.7,
)
