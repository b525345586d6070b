"""One SignedData as a Signature: checked, but not yet compared with any file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.errors import NotDerError, SignatureFormatError, SignerError
from signer.pkcs7 import indirect_data, opus
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo, parse
from signer.pkcs7.signer_checks import check_signed_data, find_certificate
from signer.verify.evidence import PageHashKind, Problem, Signature, Source
from signer.verify.hidden_data import about_certificates, about_unsigned_attributes
from signer.verify.timestamps import read_timestamps

_DEEPEST = 8
"""How deep nested signatures may nest; SignTool makes one level."""
_MOST = 64
"""How many signatures are read; real files have up to three."""


@dataclass(frozen=True, slots=True)
class Read:
    """A signature as far as it can be judged without its file, and what it says about the file."""

    signature: Signature
    indirect: IndirectData | None = field(default=None)
    """What was signed about a file, in its own signature or in a catalog's list; None where it can't be read."""


def read_signatures(data: bytes, index: int = 0, source: Source = "embedded", depth: int = 0) -> Iterator[Read]:
    """The signature over a file's indirect data in DER, then those nested in it at any depth, numbered from `index`."""
    try:
        parsed = parse(data)
    except SignatureFormatError as error:
        yield Read(_unreadable(index, source, error))
        return
    yield _over_a_file(parsed, index, source)
    for nested in _nested(parsed):
        too_much = (
            "are nested too deeply" if depth >= _DEEPEST else f"are more than {_MOST}" if index >= _MOST else None
        )
        if too_much:
            yield Read(_unreadable(index + 1, "nested", SignatureFormatError(f"the signatures {too_much}")))
            return
        for found in read_signatures(nested, index + 1, "nested", depth + 1):
            index = found.signature.index
            yield found


def read_catalog_signature(parsed: ParsedSignedData) -> Signature:
    """The signature over a catalog's trust list; its digest is that of the list."""
    problems = []
    if parsed.content_type != oids.CTL:
        problems.append(_wrong_content(parsed, "a certificate trust list"))
    signature = _checked(parsed, 0, "embedded", problems)
    algorithm = signature.signer_digest_algorithm
    digest = algorithm.hash(parsed.content_octets) if algorithm is not None else b""
    notes = [*signature.notes]
    if _nested(parsed):
        notes.append(Problem("nested-in-catalog", "it carries another signature, and a catalog has one"))
    return replace(signature, digest_algorithm=algorithm, digest=digest, notes=tuple(notes))


def _over_a_file(parsed: ParsedSignedData, index: int, source: Source) -> Read:
    problems, indirect = [], None
    if parsed.content_type != oids.SPC_INDIRECT_DATA:
        problems.append(_wrong_content(parsed, "the digest of a file"))
    else:
        try:
            indirect = indirect_data.parse(parsed.inner_content)
        except SignatureFormatError as error:
            problems.append(Problem("indirect-data", error.message))
    signature = _checked(parsed, index, source, problems)
    if indirect is None:
        return Read(signature)
    about = replace(
        signature,
        digest_algorithm=indirect.algorithm,
        digest=indirect.digest,
        page_hashes=page_hash_kind(indirect),
        problems=(*signature.problems, *_same_digest(parsed, indirect)),
        notes=(*signature.notes, *_wrapped(parsed)),
    )
    return Read(about, indirect)


def _checked(parsed: ParsedSignedData, index: int, source: Source, problems: list[Problem]) -> Signature:
    """What the SignedData says of itself, with all that is wrong inside it."""
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
    )
    if signer is None:
        return signature
    signature = _with_timestamp(_with_attributes(signature, signer), parsed, signer)
    return replace(signature, notes=(*signature.notes, *about_certificates(parsed, signature)))


def _with_attributes(signature: Signature, signer: ParsedSignerInfo) -> Signature:
    try:
        said, statement = opus.read_opus(signer), opus.read_statement(signer)
    except SignatureFormatError as error:
        problem = Problem("authenticode-attributes", error.message)
        return replace(signature, problems=(*signature.problems, problem))
    return replace(
        signature,
        program_name=said.program_name,
        url=said.url,
        statement=statement,
        notes=(*signature.notes, *about_unsigned_attributes(signer)),
    )


def _with_timestamp(signature: Signature, parsed: ParsedSignedData, signer: ParsedSignerInfo) -> Signature:
    timestamps = read_timestamps(parsed, signer)
    if len(timestamps) < 2:
        return replace(signature, timestamp=timestamps[0] if timestamps else None)
    note = Problem("several-timestamps", f"it has {len(timestamps)} timestamps, of which the first intact one counts")
    return replace(signature, timestamp=timestamps[0], notes=(*signature.notes, note))


def _certificate(parsed: ParsedSignedData, signer: ParsedSignerInfo | None) -> x509.Certificate | None:
    """The signer's certificate where it can be read; `check_signed_data` says why not."""
    try:
        return find_certificate(parsed, signer) if signer is not None else None
    except SignerError:
        return None


def _same_digest(parsed: ParsedSignedData, indirect: IndirectData) -> Iterator[Problem]:
    """A file's digest must be as strong as the signature's own, or the weaker could be forged under the stronger."""
    if indirect.algorithm is None:
        message = f"the file was hashed with a digest that is not known ({indirect.digest_oid})"
        yield Problem("digest-algorithm-unknown", message)
    elif len(indirect.digest) != indirect.algorithm.size:
        yield Problem(
            "digest-size", f"the digest has {len(indirect.digest)} bytes, which {indirect.algorithm} never has"
        )
    if parsed.signers and parsed.signers[0].digest_oid != indirect.digest_oid:
        yield Problem(
            "digest-algorithm-mismatch", "the file was hashed with another digest algorithm than the signed attributes"
        )


def _wrapped(parsed: ParsedSignedData) -> Iterator[Problem]:
    if parsed.inner_content is not parsed.content:
        yield Problem(
            "cms-content", "what was signed stands in an OCTET STRING, as .NET writes it and SignTool does not"
        )


def page_hash_kind(indirect: IndirectData) -> PageHashKind:
    """What the page hashes that were signed with a file were made with."""
    if indirect.page_hashes is None:
        return "none"
    return "sha1" if indirect.page_hashes.algorithm is DigestAlgorithm.SHA1 else "sha256"


def _nested(parsed: ParsedSignedData) -> tuple[bytes, ...]:
    return parsed.signers[0].unsigned_attributes.get(oids.NESTED_SIGNATURE, ()) if parsed.signers else ()


def _wrong_content(parsed: ParsedSignedData, wanted: str) -> Problem:
    found = oids.name_of(parsed.content_type)
    return Problem("content-type", f"what was signed is not {wanted} but {found}")


def why_unreadable(what: str, error: SignatureFormatError) -> Problem:
    """The problem of a signature that can't be read; `what` begins its sentence."""
    if isinstance(error, NotDerError):
        return Problem("signature-ber", f"{what} is in BER, and only DER is read here: {error.message}")
    return Problem("signature-format", f"{what} can't be read: {error.message}")


def _unreadable(index: int, source: Source, error: SignatureFormatError) -> Signature:
    problem = why_unreadable("the signature", error)
    return Signature(index, source, None, None, b"", None, (), None, problems=(problem,))
