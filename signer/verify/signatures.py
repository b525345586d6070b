"""Read SignedData as signatures and check them, before the digest is compared with a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import NotDerError, SignatureFormatError, SignerError
from signer.numbers import counted
from signer.pkcs7 import indirect_data, opus
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo, parse
from signer.pkcs7.signer_checks import check_signed_data, find_certificate
from signer.records import dataclass
from signer.verify.evidence import PageHashKind, Signature, SignatureProblem, Source
from signer.verify.hidden_data import certificate_notes, unsigned_attribute_notes
from signer.verify.timestamps import read_timestamps

MAX_DEPTH = 8
"""Maximum nesting depth of signatures; SignTool creates one level."""
MAX_SIGNATURES = 64
"""Maximum number of signatures that are read; real files have up to three."""


@dataclass(frozen=True, slots=True)
class ReadSignature:
    """A signature that was checked without its file, and its signed statement about the file."""

    signature: Signature
    indirect: IndirectData | None = field(default=None)
    """The digest that the signature or the catalog states for the file; None if it can't be read."""


def read_signatures(
    data: bytes, index: int = 0, source: Source = "embedded", depth: int = 0
) -> Iterator[ReadSignature]:
    """Read the signature over a file's indirect data (DER) and all nested in it, numbered from `index`."""
    try:
        parsed = parse(data)
    except SignatureFormatError as error:
        yield ReadSignature(_unreadable(index, source, error))
        return
    yield _file_signature(parsed, index, source)
    for nested in _nested(parsed):
        excess = _excess(depth, index)
        if excess is not None:
            yield ReadSignature(_unreadable(index + 1, "nested", SignatureFormatError(excess)))
            return
        for found in read_signatures(nested, index + 1, "nested", depth + 1):
            index = found.signature.index
            yield found


def read_catalog_signature(parsed: ParsedSignedData) -> Signature:
    """Read the signature over a catalog's trust list. Its digest is the digest of the list."""
    problems = []
    if parsed.content_type != oids.CTL:
        problems.append(_wrong_content(parsed, "a certificate trust list"))
    elif parsed.inner_content and parsed.inner_content[0] != der.SEQUENCE:  # the digest doesn't cover the tag
        message = f"the signed certificate trust list has the tag {parsed.inner_content[0]:#04x} instead of SEQUENCE"
        problems.append(SignatureProblem("content-type", message))
    signature = _check(parsed, 0, "embedded", problems)
    algorithm = signature.signer_digest_algorithm
    digest = algorithm.hash(parsed.content_octets) if algorithm is not None else b""
    notes = [*signature.notes]
    if _nested(parsed):
        notes.append(
            SignatureProblem("nested-in-catalog", "the catalog's signature contains a nested one, which is not read")
        )
    return replace(signature, digest_algorithm=algorithm, digest=digest, notes=tuple(notes))


def _excess(depth: int, index: int) -> str | None:
    """Return the limit that one more nested signature exceeds, as a sentence, or None."""
    if depth >= MAX_DEPTH:
        return f"the signatures are nested more than {MAX_DEPTH} deep"
    if index >= MAX_SIGNATURES:
        return f"the file has more than {MAX_SIGNATURES} signatures"
    return None


def _file_signature(parsed: ParsedSignedData, index: int, source: Source) -> ReadSignature:
    problems, indirect = [], None
    if parsed.content_type != oids.SPC_INDIRECT_DATA:
        problems.append(_wrong_content(parsed, "a file digest"))
    else:
        try:
            indirect = indirect_data.parse(parsed.inner_content)
        except SignatureFormatError as error:
            problems.append(SignatureProblem("indirect-data", error.message))
    signature = _check(parsed, index, source, problems)
    if indirect is None:
        return ReadSignature(signature)
    described = replace(
        signature,
        digest_algorithm=indirect.algorithm,
        digest=indirect.digest,
        page_hashes=page_hash_kind(indirect),
        problems=(*signature.problems, *_digest_problems(parsed, indirect)),
        notes=(*signature.notes, *_content_notes(parsed)),
    )
    return ReadSignature(described, indirect)


def _check(parsed: ParsedSignedData, index: int, source: Source, problems: list[SignatureProblem]) -> Signature:
    """Check a SignedData by itself; the signature's problems begin with `problems`."""
    signer = parsed.signers[0] if parsed.signers else None
    problems = [*problems, *check_signed_data(parsed)]
    signature = Signature(
        index=index,
        source=source,
        catalog=None,
        digest_algorithm=None,
        digest=b"",
        signer=_certificate(parsed, signer),
        certificates=parsed.certificates,
        signer_digest_algorithm=signer.digest_algorithm if signer else None,
        problems=tuple(problems),
        notes=parsed.structure.notes,
    )
    if signer is None:
        return signature
    signature = _with_timestamp(_with_attributes(signature, signer), parsed, signer)
    return replace(signature, notes=(*signature.notes, *certificate_notes(parsed, signature)))


def _with_attributes(signature: Signature, signer: ParsedSignerInfo) -> Signature:
    try:
        opus_info, statement = opus.read_opus(signer), opus.read_statement(signer)
    except SignatureFormatError as error:
        problem = SignatureProblem("authenticode-attributes", error.message)
        return replace(signature, problems=(*signature.problems, problem))
    return replace(
        signature,
        program_name=opus_info.program_name,
        url=opus_info.url,
        statement=statement,
        notes=(*signature.notes, *unsigned_attribute_notes(signer)),
    )


def _with_timestamp(signature: Signature, parsed: ParsedSignedData, signer: ParsedSignerInfo) -> Signature:
    timestamps = read_timestamps(parsed, signer)
    if len(timestamps) < 2:
        return replace(signature, timestamp=timestamps[0] if timestamps else None)
    message = f"the signature has {len(timestamps)} timestamps; the first intact one counts"
    note = SignatureProblem("several-timestamps", message)
    return replace(signature, timestamp=timestamps[0], notes=(*signature.notes, note))


def _certificate(parsed: ParsedSignedData, signer: ParsedSignerInfo | None) -> x509.Certificate | None:
    """Return the signer's certificate, or None; then `check_signed_data` reports the reason."""
    try:
        return find_certificate(parsed, signer) if signer is not None else None
    except SignerError:
        return None


def _digest_problems(parsed: ParsedSignedData, indirect: IndirectData) -> Iterator[SignatureProblem]:
    """Check the file digest's algorithm and length.

    The algorithm must be the signer's, or a file that collides under the weaker one could be substituted.
    """
    if indirect.algorithm is None:
        message = f"the file's digest algorithm is unknown ({indirect.digest_oid})"
        yield SignatureProblem("digest-algorithm-unknown", message)
    elif len(indirect.digest) != indirect.algorithm.size:
        message = (
            f"the {indirect.algorithm} digest of the file has {counted(len(indirect.digest), 'byte')} "
            f"instead of {indirect.algorithm.size}"
        )
        yield SignatureProblem("digest-size", message)
    if parsed.signers and parsed.signers[0].digest_oid != indirect.digest_oid:
        yield SignatureProblem(
            "digest-algorithm-mismatch", "the digest algorithms of the file and of the signed attributes differ"
        )


def _content_notes(parsed: ParsedSignedData) -> Iterator[SignatureProblem]:
    if parsed.inner_content is not parsed.content:
        yield SignatureProblem(
            "cms-content", "the signed content is wrapped in an OCTET STRING, as .NET writes it and SignTool does not"
        )


def page_hash_kind(indirect: IndirectData) -> PageHashKind:
    """Return the digest algorithm of the signed page hashes."""
    if indirect.page_hashes is None:
        return "none"
    return "sha1" if indirect.page_hashes.algorithm is DigestAlgorithm.SHA1 else "sha256"


def _nested(parsed: ParsedSignedData) -> tuple[bytes, ...]:
    return parsed.signers[0].unsigned_attributes.get(oids.NESTED_SIGNATURE, ()) if parsed.signers else ()


def _wrong_content(parsed: ParsedSignedData, wanted: str) -> SignatureProblem:
    found = oids.name_of(parsed.content_type)
    return SignatureProblem("content-type", f"the signed content is {found} instead of {wanted}")


def unreadable_problem(subject: str, error: SignatureFormatError) -> SignatureProblem:
    """Return the problem of a signature that can't be read. `subject` begins the message."""
    if isinstance(error, NotDerError):
        return SignatureProblem("signature-ber", f"{subject} is BER-encoded and can't be checked: {error.message}")
    return SignatureProblem("signature-format", f"{subject} can't be read: {error.message}")


def _unreadable(index: int, source: Source, error: SignatureFormatError) -> Signature:
    problem = unreadable_problem("the signature", error)
    return Signature(index, source, None, None, b"", None, (), None, problems=(problem,))
