"""Match the rules of App Control policies.

Matching follows "Policy rules and file rules" and "Microsoft recommended driver block rules": a hash rule compares the
Authenticode digest or the hash of the first page; a signer rule compares the to-be-signed hash of any certificate of a
chain, the publisher's name, EKUs, OEM and file attributes, and has exceptions. A result is True, False, or None if the
rule depends on an unknown property of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Literal

from signer.errors import ConfigError
from signer.pe.file_facts import Version
from signer.records import dataclass
from signer.trust.roots import kernel_roots

if TYPE_CHECKING:
    from signer.policy.subjects import FileSubject, SignatureSubject

Kind = Literal["allow", "deny", "attribute"]

FILE_PATH = "FilePath"
"""The condition that "only appl[ies] to user mode binaries"."""
LOWEST_VERSION: Version = (0, 0, 0, 0)
HIGHEST_VERSION: Version = (65535, 65535, 65535, 65535)
MISTAKE_HINT = "Correct the policy, or give the .cip or .p7b file from a Windows machine."

_ANY = "*"
_SINGLE_KEY_ROOTS = frozenset((*range(3, 20), 21, 22))
"""The well-known roots with one key each; 0 to 2 mean "none", "unknown" and "self-signed", 20 is a whole program."""


@dataclass(frozen=True, slots=True)
class FileRule:
    """An Allow, Deny or FileAttrib element, with versions as in the binary form."""

    id: str
    kind: Kind
    hash: bytes | None = None
    page: bool | None = None
    """Whether the label calls it the hash of the first page. Only XML has labels; both hashes are compared."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The required strings of the version resource, by name, in lower case."""
    lowest: Version = LOWEST_VERSION
    highest: Version | None = None
    """None means no maximum: `lowest` alone is an upper limit in a Deny rule and a lower limit in an Allow rule."""
    disputed: bool = False
    """Whether sources disagree if `lowest` is an upper or a lower limit; see docs/policy.md."""
    conditions: frozenset[str] = frozenset()
    """The attributes with further conditions, which can't be determined from a driver file."""

    @property
    def denies(self) -> bool:
        """Whether it is a Deny rule."""
        return self.kind == "deny"

    @property
    def described(self) -> str:
        """The rule's id and criteria for messages."""
        if self.hash is not None:
            return f"{self.id!r} (hash {self.hash.hex().upper()})"
        names = [f"{name} {value!r}" for name, value in self.names.items()]
        return f"{self.id!r} ({', '.join(names) or 'version'})"

    @property
    def range(self) -> tuple[Version, Version]:
        """The first and the last version that the rule matches."""
        if self.highest is not None:
            return self.lowest, self.highest
        return (LOWEST_VERSION, self.lowest) if self.denies else (self.lowest, HIGHEST_VERSION)

    def checked(self, offset: int | None = None) -> FileRule:
        """Return the rule. Raises ConfigError if it would match any file, or its minimum is above its maximum."""
        if (
            self.hash is None
            and not (self.names or self.conditions)
            and self.range == (LOWEST_VERSION, HIGHEST_VERSION)
        ):
            message = f"{self.id!r} has no hash, name or version and would match every file"
            raise ConfigError(message, hint=MISTAKE_HINT, offset=offset)
        if self.highest is not None and self.highest < self.lowest:
            raise ConfigError(f"{self.id!r} has a minimum version above its maximum", hint=MISTAKE_HINT, offset=offset)
        return self

    def as_denial(self) -> FileRule:
        """Return a file attribute with the meaning that it has for a denied signer."""
        return replace(self, disputed=True) if self.highest is None and self.lowest != LOWEST_VERSION else self

    def matches(self, subject: FileSubject) -> bool | None:
        """Return whether the rule matches the file; None if it depends on an unknown property."""
        if FILE_PATH in self.conditions:
            return False
        if self.hash is not None:
            answer = self._matches_hash(self.hash, subject)
        else:
            answer = all_of((self._matches_names(subject), self._matches_version(subject)))
        return None if answer and self.conditions else answer

    def _matches_hash(self, wanted: bytes, subject: FileSubject) -> bool | None:
        if wanted in subject.file_hashes:
            return True
        facts = subject.facts
        pages = facts.first_page.values() if facts is not None else ()
        digests = (*subject.evidence.digests.values(), *(facts.digests.values() if facts is not None else ()))
        needed = {True: (pages,), False: (digests,), None: (pages, digests)}[self.page]
        known = all(any(len(one) == len(wanted) for one in hashes) for hashes in needed)
        return False if known else None

    def _matches_names(self, subject: FileSubject) -> bool | None:
        wanted = {name: value for name, value in self.names.items() if value != _ANY}
        strings = subject.facts.strings if subject.facts is not None else None
        if not wanted:
            return True
        return None if strings is None else all(strings.get(name, "").lower() == wanted[name] for name in wanted)

    def _matches_version(self, subject: FileSubject) -> bool | None:
        first, last = self.range
        if (first, last) == (LOWEST_VERSION, HIGHEST_VERSION):
            return True
        version = subject.facts.version if subject.facts is not None else None
        if version is None or (self.disputed and version != self.lowest):
            return None
        return first <= version <= last


def limits(minimum: Version | None, maximum: Version | None, kind: Kind) -> tuple[Version, Version | None]:
    """Convert optional versions to the binary form, where a denial of all versions is one up to the last version."""
    if minimum is None and maximum is None:
        return (HIGHEST_VERSION if kind == "deny" else LOWEST_VERSION), None
    return minimum or LOWEST_VERSION, None if maximum == LOWEST_VERSION else maximum


class FileRules:
    """File rules of one kind, indexed by hash: a block list has thousands."""

    def __init__(self, rules: Iterable[FileRule]) -> None:
        self._by_hash: dict[bytes, FileRule] = {}
        self._others: list[FileRule] = []
        for rule in rules:
            if rule.hash is None or rule.conditions:
                self._others.append(rule)
            else:
                self._by_hash.setdefault(rule.hash, rule)
        # For each hash length and kind, one rule suffices to determine whether the file's hash is known.
        self._of_each_kind = {(len(digest), rule.page): rule for digest, rule in self._by_hash.items()}

    def matches(self, subject: FileSubject) -> bool | None:
        """Return whether any rule matches the file; None if it depends on an unknown property."""
        if not self._by_hash.keys().isdisjoint(subject.file_hashes):
            return True
        return any_of(rule.matches(subject) for rule in (*self._of_each_kind.values(), *self._others))

    def matching(self, subject: FileSubject) -> FileRule | None:
        """Return the first rule that is known to match the file, or None."""
        by_hash = (self._by_hash[digest] for digest in sorted(subject.file_hashes & self._by_hash.keys()))
        return next(iter((*by_hash, *(rule for rule in self._others if rule.matches(subject)))), None)


@dataclass(frozen=True, slots=True)
class SignerRule:
    """A Signer element with its file attributes and a scenario's exceptions."""

    id: str
    name: str
    tbs: bytes | None
    """The to-be-signed hash of any certificate of the chain; None if `root_id` is set."""
    root_id: int | None
    publisher: str | None = None
    oem: str | None = None
    usages: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    """EKUs with the condition "Except"."""
    attributes: tuple[FileRule, ...] = ()
    exceptions: tuple[FileRule, ...] = ()
    """File rules that exclude a file: the result is then "treated as [the] signer rule did not match"."""
    conditions: frozenset[str] = frozenset()
    """The elements and attributes with further conditions whose meaning is not documented."""

    def described(self, subject: FileSubject) -> str:
        """Return the rule's id, signer and matching file attribute for messages."""
        root = f"well-known root {self.root_id:#04x}" if self.root_id is not None else None
        below = root or f"certificate {(self.tbs or b'').hex().upper()}"
        signer = f"{self.id!r} ({f'signer {self.publisher!r}, ' if self.publisher else ''}{below})"
        attribute = next((one.described for one in self.attributes if one.matches(subject)), None)
        return f"{signer} with {attribute}" if attribute else signer

    def denying(self) -> SignerRule:
        """Return the rule as a denied signer; sources disagree about the versions of its file attributes."""
        return replace(self, attributes=tuple(attribute.as_denial() for attribute in self.attributes))

    def matches(self, signed: SignatureSubject, subject: FileSubject) -> bool | None:
        """Return whether the rule matches the signature and its file; None if it depends on an unknown property."""
        answer = self._matches_signer(signed)
        if answer is False:
            return False
        if self.attributes:
            answer = all_of((answer, any_of(attribute.matches(subject) for attribute in self.attributes)))
        excepted = any_of(rule.matches(subject) for rule in self.exceptions)
        answer = all_of((answer, None if excepted is None else not excepted))
        return None if answer and self.conditions else answer

    def _matches_signer(self, signed: SignatureSubject) -> bool | None:
        signer = signed.signature.signer
        if signer is None:
            return False
        from signer.certificates import common_name

        usages = signed.usages or frozenset()
        named = (
            (self.publisher is None or common_name(signer).lower() == self.publisher)
            and (self.oem is None or (signed.signature.program_name or "").lower() == self.oem)
            and self.usages <= usages
        )
        return all_of(
            (named, self._matches_chain(signed) if named else False, None if self.excluded & usages else True)
        )

    def _matches_chain(self, signed: SignatureSubject) -> bool | None:
        if self.tbs is not None:
            return self.tbs in signed.tbs_hashes
        ids = [path.anchor.root_id if path.anchor is not None else None for path in signed.paths.classification_paths]
        if self.root_id in _SINGLE_KEY_ROOTS and (self.root_id in ids or self.root_id in _known_roots()):
            return self.root_id in ids
        if self.root_id in _SINGLE_KEY_ROOTS and ids and None not in ids:
            return False
        return None


def _known_roots() -> frozenset[int]:
    return frozenset(root.root_id for root in kernel_roots())


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Return True if any answer is True, else None if any is None, else False."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Return False if any answer is False, else None if any is None, else True."""
    opposite = any_of(None if answer is None else not answer for answer in answers)
    return None if opposite is None else not opposite
