"""A file format made of one adapter and one row of the table, to show that nothing else is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.errors import MalformedInput
from signer.formats.format import Comparison, Embedded, FileHashes
from signer.formats.indirect import signed_digest
from signer.formats.table import Features, FormatRow, MemberType, Traits
from signer.pe.file_facts import FileFacts
from signer.pkcs7 import indirect_data
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.signed_data import Content
from signer.storage.patching import PatchSet

MAGIC = b"TOY!"
PLAIN = MAGIC + bytes(4) + b"the bytes of a toy"
FACTS = FileFacts({"OriginalFilename": "a.toy"})


class Toy:
    """Magic, the size of the signature, the content, the signature. Fits `Format` and `Subject`."""

    architecture = None
    subsystem = None
    protection = ()
    has_page_hashes = False

    def __init__(self, data: memoryview | bytes) -> None:
        whole = bytes(data)
        size = int.from_bytes(whole[4:8], "little")
        if size > len(whole) - 8:
            raise MalformedInput("the toy's signature is longer than the toy", offset=4)
        self.content_bytes, self.signature = whole[8 : len(whole) - size], whole[len(whole) - size :]

    @property
    def is_signed(self) -> bool:
        return bool(self.signature)

    def signatures(self) -> list[bytes]:
        return [self.signature] if self.signature else []

    def embedded(self) -> Embedded:
        return Embedded(tuple(self.signatures()))

    def hash(
        self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), to_change: bool = False
    ) -> FileHashes:
        return FileHashes({algorithm: algorithm.hash(self.content_bytes) for algorithm in algorithms})

    def content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> Content:
        return Content(oids.SPC_INDIRECT_DATA, self.member_content(hashes, algorithm))

    def member_content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> bytes:
        return indirect_data.for_link(algorithm, hashes.digests[algorithm])

    def signed_digest(self, signature: bytes) -> tuple[DigestAlgorithm, bytes]:
        return signed_digest(signature)

    def compare(self, claim: IndirectData) -> Comparison:
        return Comparison()

    def facts(self, known: Mapping[DigestAlgorithm, bytes] | None = None) -> FileFacts:
        return FACTS

    def with_signatures(self, new: Sequence[bytes]) -> PatchSet:
        der = new[0] if new else b""
        result = MAGIC + len(der).to_bytes(4, "little") + self.content_bytes + der
        return PatchSet(((0, result),), len(result))


ROW = FormatRow(
    "toy",
    "a toy",
    lambda read: read(0, 4) == MAGIC,
    (".toy",),
    lambda: Toy,
    Features(append=True),
    Traits(),
    lambda: Toy,
    (oids.SPC_CAB_DATA,),
    MemberType("{00000000-0000-0000-0000-000000000001}", b"\x83\x00"),
)
