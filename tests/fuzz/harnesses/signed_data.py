"""SignedData: its structure, its content and its attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from signer.asn1 import oids
from signer.errors import SignatureFormatError, SignerError
from signer.formats.detect import opened
from signer.pkcs7 import indirect_data, opus, structure
from signer.pkcs7.counter_signature import parse_counter_signature
from signer.pkcs7.nested import with_unsigned
from signer.pkcs7.parse import ParsedSignerInfo, parse
from signer.pkcs7.timestamp_token import parse_token
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.signatures import signatures as seeds
from tests.support.files import corpus_files

INSTRUMENTED = ("signer.pkcs7",)
READERS: dict[str, Callable[[bytes], Any]] = {
    oids.RFC3161_TIMESTAMP: parse_token,
    oids.COUNTER_SIGNATURE: parse_counter_signature,
    oids.NESTED_SIGNATURE: parse,
}


def extra() -> Iterator[bytes]:
    for path in corpus_files("drivers/*")[:60]:
        try:
            found = opened(path.read_bytes())[1].signatures()
        except SignerError:
            continue
        yield from (one for one in found if len(one) <= HARNESS.max_size)


def run(data: bytes) -> bool:
    try:
        parsed = parse(data)
    except SignatureFormatError as error:
        assert error.message
        return False
    assert len(parsed.certificates) <= len(parsed.certificates_der)
    _refusable(indirect_data.parse, parsed.inner_content)
    for signer in parsed.signers:
        _refusable(parsed.certificate_of, signer)
        _read_attributes(signer)
    _refusable(lambda: with_unsigned(data, oids.NESTED_SIGNATURE, (data,)))
    return True


def _read_attributes(signer: ParsedSignerInfo) -> None:
    _refusable(opus.read_opus, signer)
    _refusable(opus.read_statement, signer)
    for oid, read in READERS.items():
        for value in signer.unsigned_attributes.get(oid, ())[:4]:
            _refusable(read, value)


def _refusable(read: Callable[..., Any], *arguments: Any) -> None:
    try:
        read(*arguments)
    except SignerError as error:
        assert error.message


HARNESS = Harness(
    "signed_data",
    run,
    seeds,
    (structure.check_structure, opus.read_opus, indirect_data.parse, parse_token, parse_counter_signature),
    mutate=mutated_der,
    extra=extra,
    max_size=4096,
)
