"""Sign one file, whatever it is, and put the result where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.results import FileResult
from signer.errors import FileError, SigningError
from signer.formats.detect import kind_of
from signer.storage.files import mapped, read, write_atomically
from signer.storage.patching import begin_change

if TYPE_CHECKING:
    from signer.algorithms import DigestAlgorithm
    from signer.keys.identity import SigningIdentity
    from signer.operations.sign import Signed
    from signer.pkcs7.signed_data import Content, SigningOptions, Timestamper

SIGNABLE = ("image", "catalog", "cabinet")
"""What can be signed, as `kind_of` names it."""


def expect_images(files: Iterable[Path]) -> None:
    """Have what only images need made ready in the background, if there is one among these files."""
    if any(_is_image(path) for path in files):
        from signer.pe.layout_check import prepare

        prepare()


def _is_image(path: Path) -> bool:
    try:
        return kind_of(path) == "image"
    except FileError:  # said when the file's turn comes
        return False


@dataclass(frozen=True)
class Job:
    """How each file of one call is signed."""

    identity: SigningIdentity
    options: SigningOptions
    timestamper: Timestamper | None = None
    second: SigningOptions | None = None
    """A second signature, nested in the first, for releases that understand a better digest."""
    second_timestamper: Timestamper | None = None
    page_hashes: bool = False
    append: bool = False
    skip_signed: bool = False

    def can_be_shared(self) -> bool:
        """Whether several processes may sign as this says, which are made ready for it: the key is in this one's
        memory, and nobody is asked for timestamps."""
        from signer.keys.local import LocalKey
        from signer.pe.layout_check import share

        if not isinstance(self.identity.key, LocalKey) or self.timestamper or self.second_timestamper:
            return False
        share()
        return True

    def begin(self, source: Path, target: Path, detached: Path | None = None) -> Callable[[], FileResult]:
        """Begin to sign `source` into `target`, or only its signature into `detached`; what is returned ends it.

        Raises SignerError, and so does the end.
        """
        kind = kind_of(source)
        if kind == "image":
            return self._sign_file(source, target, detached, self.signed)
        if kind == "cabinet":
            return self._sign_file(source, target, detached, self._signed_cabinet)
        if kind == "catalog":
            done = self._sign_catalog(source, target, detached)
            return lambda: done
        raise not_signable(source)

    def _sign_file(
        self, source: Path, target: Path, detached: Path | None, sign: Callable[[memoryview], Signed]
    ) -> Callable[[], FileResult]:
        if self.skip_signed:
            with mapped(source) as data:
                if _is_signed(data):
                    return lambda: FileResult(source, "skipped", note="is signed")
        if detached is None:
            finish = begin_change(source, target, sign)
            return lambda: self._result(source, target, finish().digest, None)
        with mapped(source) as data:
            signed = sign(data)
        signed.changes.require()
        write_atomically(detached, signed.signature)
        return lambda: self._result(source, target, signed.digest, detached)

    def signed(self, data: memoryview) -> Signed:
        """An image signed as the job says. Raises SignerError."""
        from signer.operations.sign import sign_image

        return sign_image(
            data,
            self.identity,
            self.options,
            page_hashes=self.page_hashes,
            append=self.append,
            timestamper=self.timestamper,
            second=(self.second, self.second_timestamper) if self.second else None,
        )

    def _signed_cabinet(self, data: memoryview) -> Signed:
        from signer.operations.sign import sign_cabinet

        if self.second or self.page_hashes:
            raise SigningError("only images have page hashes and signatures with --dual", hint="Sign cabinets without.")
        return sign_cabinet(data, self.identity, self.options, append=self.append, timestamper=self.timestamper)

    def _sign_catalog(self, source: Path, target: Path, detached: Path | None) -> FileResult:
        from catalogs.catalog.file import Catalog
        from catalogs.catalog.sign import sign_catalog

        self._require_fit_for_catalog(source)
        catalog = Catalog.parse(read(source), source.name)
        if self.skip_signed and catalog.is_signed:
            return FileResult(source, "skipped", note="is signed")
        signed = sign_catalog(catalog, self.identity, self.options, self.timestamper)
        write_atomically(detached or target, signed.to_bytes())
        return self._result(source, target, content_digest(catalog.content, self.options.digest), detached)

    def _require_fit_for_catalog(self, source: Path) -> None:
        """Raise SigningError for what only images can have."""
        wanted = "--append" if self.append else "--dual" if self.second else None
        if wanted:
            raise SigningError(
                f"a catalog has one signature, so it can't be signed with {wanted}",
                path=source,
                hint="Sign it again without: the new signature takes the place of the old one.",
            )

    def _result(self, source: Path, target: Path, digest: bytes, detached: Path | None) -> FileResult:
        written = detached or target
        note = f"from {source}" if written != source else ""
        return FileResult(written, "signed", self.options.digest, digest, self.identity.name, note)


def _is_signed(data: memoryview) -> bool:
    from signer.cab.cabinet import Cabinet
    from signer.formats.detect import detect
    from signer.formats.table import CABINET
    from signer.pe.image import Image

    return Cabinet.parse(data).is_signed if detect(data) is CABINET else Image.parse(data).is_signed


def write_request(source: Path, options: SigningOptions, page_hashes: bool, target: Path) -> FileResult:
    """Write what is to be signed of a file that is signed elsewhere. Raises SignerError."""
    from signer.operations.external_signing import request

    kind = kind_of(source)
    if kind == "catalog":
        from catalogs.catalog.file import Catalog

        content = Catalog.parse(read(source)).content
        digest = content_digest(content, options.digest)
    elif kind == "image":
        from signer.operations.sign import image_content
        from signer.pe.image import Image

        with mapped(source) as data:
            digest, content = image_content(Image.parse(data), options.digest, page_hashes=page_hashes)
    elif kind == "cabinet":
        from signer.cab.cabinet import Cabinet
        from signer.cab.embed import prepare
        from signer.operations.sign import cabinet_content

        digest, content = cabinet_content(prepare(Cabinet.parse(read(source))), options.digest)
    else:
        raise not_signable(source)
    write_atomically(target, request(content, options))
    return FileResult(target, "requested", options.digest, digest, note=f"for {source}")


def content_digest(content: Content, algorithm: DigestAlgorithm) -> bytes:
    """What a signature holds as the digest of its content: without the content's own tag and length (RFC 2315, 9.3)."""
    from signer.asn1 import der

    return algorithm.hash(der.read(content.der).contents(content.der))


def not_signable(path: Path) -> SigningError:
    """What to say about a file that carries no signature."""
    return SigningError(
        "not a PE image, a catalog or a cabinet, so it carries no signature of its own",
        path=path,
        hint="Other files of a driver package are covered by its catalog: drvsign package DIR",
    )
