"""Trust stores: the release roots or the test roots, never both.

Callers choose a store explicitly. `TrustStore.release()` holds Microsoft's production roots, pinned by key, and the
published commercial roots; `TrustStore.test_signing(roots)` holds the roots that the user gives and Microsoft's test
roots. Policies decide by `Anchor.kind` and `Anchor.root_id` whether a Windows release accepts an anchor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from cryptography import x509

from signer.certificates import common_name
from signer.errors import UsageError
from signer.records import dataclass
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import Anchor
from signer.trust.published import PublishedRoot, root_with_key, roots_named
from signer.trust.roots import KernelRoot, kernel_root, kernel_roots

Mode = Literal["release", "test-signing"]

_RELEASE_KINDS = ("microsoft", "code-verification", "commercial")
_CONSTRUCTORS = object()


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """An anchor and the key that verifies the certificates it issued."""

    anchor: Anchor
    spki: bytes


class TrustStore:
    """The trusted keys of one mode, and untrusted intermediate certificates for path building."""

    __slots__ = ("_by_key", "_by_subject", "_intermediates", "_mode")

    def __init__(self, caller: object, mode: Mode, named: Iterable[x509.Certificate] = ()) -> None:
        if caller is not _CONSTRUCTORS:
            raise TypeError("create a store with TrustStore.release() or TrustStore.test_signing(roots)")
        self._mode = mode
        self._by_subject: dict[bytes, tuple[TrustedKey, ...]] = {}
        self._by_key: dict[str, TrustedKey] = {}
        self._intermediates: tuple[x509.Certificate, ...] = ()
        for certificate in named:
            self._add(certificate)

    @classmethod
    def release(cls) -> Self:
        """Create the store for released drivers: pinned Microsoft roots, other published roots as "commercial".

        It ignores the root program's dates: Windows distrusts the roots of 1997 and 2001 for other uses, but Code
        Integrity still accepts them (docs/trust.md).
        """
        return cls(_CONSTRUCTORS, "release")

    @classmethod
    def test_signing(cls, roots: Iterable[x509.Certificate]) -> Self:
        """Create the store for test-signed drivers: `roots` as "test", and Microsoft's test roots by key.

        Raises UsageError if one of `roots` has the key of a production root.
        """
        return cls(_CONSTRUCTORS, "test-signing", roots)

    @property
    def mode(self) -> Mode:
        """The mode of the store: release or test-signing."""
        return self._mode

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """Untrusted certificates that complete paths."""
        return self._intermediates

    def with_intermediates(self, certificates: Iterable[x509.Certificate]) -> Self:
        """Return a store with the same trusted keys and more intermediate certificates."""
        more = type(self)(_CONSTRUCTORS, self._mode)
        more._by_subject, more._by_key = self._by_subject, self._by_key
        more._intermediates = (*self._intermediates, *certificates)
        return more

    def named(self, subject: bytes, common_name: str | None) -> tuple[TrustedKey, ...]:
        """Return the trusted keys that may have signed a certificate whose issuer is `subject` (DER).

        A root without a published certificate is found by its common name. This is safe: the name only selects the key
        to try, and the signature must verify.
        """
        found = self._by_subject.get(subject, ())
        if self._mode == "release":
            found += tuple(key for key in map(self._published, roots_named(subject)) if key is not None)
        return found + tuple(
            TrustedKey(_anchor(root, None), root.spki)
            for root in kernel_roots()
            if root.common_name == common_name and root.spki is not None and self._trusts(root)
        )

    def with_key(self, spki: bytes) -> Anchor | None:
        """Return the anchor with this SubjectPublicKeyInfo (DER), or None."""
        digest = key_identity(spki)
        if digest in self._by_key:
            return self._by_key[digest].anchor
        published = root_with_key(spki) if self._mode == "release" else None
        if published is not None:
            key = self._published(published)
            return key.anchor if key is not None else None
        pinned = kernel_root(digest)
        return _anchor(pinned, None) if pinned is not None and self._trusts(pinned) else None

    def untrusted_issuers(self, subject: bytes) -> tuple[x509.Certificate, ...]:
        """Return the published roots of `subject` (DER) that this store does not trust; messages name them."""
        if self._mode == "release":
            return ()
        return tuple(root.load() for root in roots_named(subject))

    def _trusts(self, root: KernelRoot) -> bool:
        if self._mode == "release":
            return root.verified and root.kind in _RELEASE_KINDS
        return root.kind == "microsoft-test"

    def _published(self, root: PublishedRoot) -> TrustedKey | None:
        """Return a published root as an anchor of the kind that its pin gives, else "commercial"."""
        pinned = kernel_root(root.spki_sha256)
        if pinned is not None:
            return TrustedKey(_anchor(pinned, root), root.fields.spki) if self._trusts(pinned) else None
        certificate = root.load()
        anchor = Anchor(common_name(certificate), "commercial", root.spki_sha256, None, certificate)
        return TrustedKey(anchor, root.fields.spki)

    def _add(self, certificate: x509.Certificate) -> None:
        fields = fields_of(certificate)
        digest = key_identity(fields.spki)
        pinned = kernel_root(digest)
        if pinned is not None and pinned.kind != "microsoft-test":
            raise UsageError(
                f"{pinned.name!r} is a production root and can't be used as a test root",
                hint="Remove that root from the test roots. To check against production roots: --roots release.",
            )
        kind: Literal["microsoft-test", "test"] = "test" if pinned is None else "microsoft-test"
        root_id = pinned.root_id if pinned is not None else None
        anchor = Anchor(common_name(certificate), kind, digest, root_id, certificate)
        key = TrustedKey(anchor, fields.spki)
        self._by_key[digest] = key
        self._by_subject[fields.subject] = (*self._by_subject.get(fields.subject, ()), key)


def _anchor(root: KernelRoot, published: PublishedRoot | None) -> Anchor:
    certificate = published.load() if published is not None else None
    return Anchor(root.common_name, root.kind, root.spki_sha256, root.root_id, certificate)
