"""Which keys are trusted: the release roots or the test roots, never both.

There is no default store. `TrustStore.release()` holds Microsoft's production roots, pinned by key, and the published
commercial roots; `TrustStore.test_signing(roots)` holds the roots that the user names and Microsoft's test roots. What
a Windows release makes of an anchor is for the policy: it goes by `Anchor.kind` and `Anchor.root_id`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from cryptography import x509

from signer.certificates import common_name
from signer.errors import UsageError
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import Anchor
from signer.trust.published import PublishedRoot, published_roots
from signer.trust.roots import KernelRoot, kernel_root, kernel_roots

Mode = Literal["release", "test-signing"]

_RELEASE_KINDS = ("microsoft", "code-verification", "commercial")
_CONSTRUCTORS = object()


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """An anchor with the key that its children are checked with."""

    anchor: Anchor
    spki: bytes


class TrustStore:
    """Trusted keys of one mode, and certificates that may help to reach them without being trusted themselves."""

    __slots__ = ("_by_key", "_by_subject", "_intermediates", "_mode")

    def __init__(self, caller: object, mode: Mode, named: Iterable[x509.Certificate] = ()) -> None:
        if caller is not _CONSTRUCTORS:
            raise TypeError("say TrustStore.release() or TrustStore.test_signing(roots)")
        self._mode = mode
        self._by_subject: dict[bytes, tuple[TrustedKey, ...]] = {}
        self._by_key: dict[str, TrustedKey] = {}
        self._intermediates: tuple[x509.Certificate, ...] = ()
        for certificate in named:
            self._add(certificate)

    @classmethod
    def release(cls) -> Self:
        """What released drivers are checked with: pinned Microsoft roots, and other published roots as "commercial".

        The root program's dates are ignored: Windows has distrusted the roots of 1997 and 2001 for other uses, but
        Code Integrity goes on using them (docs/trust.md).
        """
        return cls(_CONSTRUCTORS, "release")

    @classmethod
    def test_signing(cls, roots: Iterable[x509.Certificate]) -> Self:
        """What test-signed drivers are checked with: `roots` as "test", and Microsoft's test roots by key.

        Raises UsageError when one of `roots` has the key of a production root: it would be trusted as something that
        it is not.
        """
        return cls(_CONSTRUCTORS, "test-signing", roots)

    @property
    def mode(self) -> Mode:
        """Which of the two it is."""
        return self._mode

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """Certificates given to complete paths with; they are not trusted."""
        return self._intermediates

    def with_intermediates(self, certificates: Iterable[x509.Certificate]) -> Self:
        """The same trust, with more certificates to complete paths with."""
        more = type(self)(_CONSTRUCTORS, self._mode)
        more._by_subject, more._by_key = self._by_subject, self._by_key
        more._intermediates = (*self._intermediates, *certificates)
        return more

    def named(self, subject: bytes, common_name: str | None) -> tuple[TrustedKey, ...]:
        """The trusted keys that may have signed a certificate whose issuer is `subject` (DER).

        A root that no certificate is known of is found by its common name. That is safe: it only says which key to try,
        and the signature decides.
        """
        found = self._by_subject.get(subject, ())
        if self._mode == "release":
            published = published_roots().by_subject.get(subject, ())
            found += tuple(key for key in map(self._published, published) if key is not None)
        return found + tuple(
            TrustedKey(_anchor(root, None), root.spki)
            for root in kernel_roots()
            if root.common_name == common_name and root.spki is not None and self._trusts(root)
        )

    def with_key(self, spki: bytes) -> Anchor | None:
        """The anchor with this SubjectPublicKeyInfo (DER), or None."""
        digest = key_identity(spki)
        if digest in self._by_key:
            return self._by_key[digest].anchor
        published = published_roots().by_key.get(digest) if self._mode == "release" else None
        if published is not None:
            key = self._published(published)
            return key.anchor if key is not None else None
        pinned = kernel_root(digest)
        return _anchor(pinned, None) if pinned is not None and self._trusts(pinned) else None

    def helpers(self, subject: bytes) -> tuple[x509.Certificate, ...]:
        """Published certificates of `subject` (DER) that this store does not trust, to name where a path ends."""
        if self._mode == "release":
            return ()
        return tuple(root.load() for root in published_roots().by_subject.get(subject, ()))

    def _trusts(self, root: KernelRoot) -> bool:
        if self._mode == "release":
            return root.verified and root.kind in _RELEASE_KINDS
        return root.kind == "microsoft-test"

    def _published(self, root: PublishedRoot) -> TrustedKey | None:
        """A published root as an anchor: what its pin says, else commercial."""
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
                f"{pinned.name!r} is a production root and can't be a test root",
                hint="Leave it out: the release roots need no file.",
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
