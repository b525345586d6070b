"""App Control policies as XML (SiPolicy): which drivers a list allows or denies.

The Windows Driver Policy's allow list and Microsoft's recommended driver block list have this form. Matching follows
"Policy rules and file rules" and "Microsoft recommended driver block rules": a hash rule compares the Authenticode
digest or the hash of the first page; a signer rule any certificate of a chain by its to-be-signed hash, then the
publisher's name, usages, OEM and file attributes; denials come before permissions. Only kernel-mode rules are read
(signing scenario 131). Where a rule needs something that is not known, the answer is None, never no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from xml.etree.ElementTree import Element, ParseError

from signer.errors import ConfigError
from signer.policy.file_facts import Version

if TYPE_CHECKING:
    from signer.policy.case import Case, Signed

Rule = TypeVar("Rule")

_SPACE = "{urn:schemas-microsoft-com:sipolicy}"
_KERNEL = "131"
_ANY = "*"
_NAMES = {
    "FileName": "OriginalFilename",
    "InternalName": "InternalName",
    "FileDescription": "FileDescription",
    "ProductName": "ProductName",
}
_HINT = "Give the policy as XML; ConvertTo-CIPolicy and CIPolicyParser turn a binary policy into it."


@dataclass(frozen=True, slots=True)
class FileRule:
    """An Allow, Deny or FileAttrib element."""

    id: str
    denies: bool
    hash: bytes | None
    page: bool
    """Whether the hash is called one of the first page; the label is the only mark, and both are compared."""
    names: Mapping[str, str]
    """What the strings of the version resource must be, by their names there, in lower case."""
    lowest: Version | None
    highest: Version | None

    def matches(self, case: Case) -> bool | None:
        """Whether the rule is about this file; None where the file is not known well enough."""
        if self.hash is not None:
            return self._matches_hash(self.hash, case)
        strings = case.facts.strings if case.facts is not None else None
        if case.facts is None or strings is None:
            return None
        named = all(wanted == _ANY or strings.get(name, "").lower() == wanted for name, wanted in self.names.items())
        return named and self._matches_version(case.facts.version)

    def _matches_hash(self, wanted: bytes, case: Case) -> bool | None:
        if wanted in case.file_hashes:
            return True
        facts = case.facts
        pages = facts.first_page.values() if facts is not None else ()
        digests = (*case.evidence.digests.values(), *(facts.digests.values() if facts is not None else ()))
        return False if any(len(known) == len(wanted) for known in (pages if self.page else digests)) else None

    def _matches_version(self, version: Version | None) -> bool | None:
        """A lone minimum means "up to" in a denial and "from" in a permission."""
        if self.lowest is None and self.highest is None:
            return True
        if version is None:
            return None
        if self.highest is None and self.lowest is not None:
            return version <= self.lowest if self.denies else version >= self.lowest
        return (self.lowest or (0, 0, 0, 0)) <= version <= (self.highest or (65535,) * 4)


class FileRules:
    """Many file rules of one kind, found by hash: a block list has thousands."""

    def __init__(self, rules: Iterable[FileRule]) -> None:
        self._by_hash: dict[bytes, FileRule] = {}
        self._named: list[FileRule] = []
        for rule in rules:
            if rule.hash is None:
                self._named.append(rule)
            else:
                self._by_hash.setdefault(rule.hash, rule)
        # Of rules with hashes of one length, of pages or not, one tells whether the file's hash is known at all.
        self._of_each_kind = {(len(digest), rule.page): rule for digest, rule in self._by_hash.items()}

    def matches(self, case: Case) -> bool | None:
        """Whether any of them is about this file; None where that is not known."""
        if not self._by_hash.keys().isdisjoint(case.file_hashes):
            return True
        return _any(rule.matches(case) for rule in (*self._of_each_kind.values(), *self._named))


@dataclass(frozen=True, slots=True)
class SignerRule:
    """A Signer element, and the file attributes that it is limited to."""

    id: str
    name: str
    tbs: bytes | None
    """The to-be-signed hash of any certificate of the chain; None where `root_id` counts."""
    root_id: int | None
    publisher: str | None
    oem: str | None
    usages: frozenset[str]
    attributes: tuple[FileRule, ...]

    def matches(self, signed: Signed, case: Case) -> bool | None:
        """Whether the rule is about this signature of this file; None where that is not known."""
        if not self._matches_signer(signed):
            return False
        return _any(attribute.matches(case) for attribute in self.attributes) if self.attributes else True

    def _matches_signer(self, signed: Signed) -> bool:
        signer = signed.signature.signer
        if signer is None or not self._matches_chain(signed):
            return False
        from signer.certificates import common_name

        return (
            (self.publisher is None or common_name(signer).lower() == self.publisher)
            and (self.oem is None or (signed.signature.program_name or "").lower() == self.oem)
            and self.usages <= (signed.usages or frozenset())
        )

    def _matches_chain(self, signed: Signed) -> bool:
        if self.tbs is not None:
            return self.tbs in signed.tbs_hashes
        return any(path.anchor is not None and path.anchor.root_id == self.root_id for path in signed.paths.signer)


@dataclass(frozen=True)
class SiPolicy:
    """A policy's kernel-mode rules."""

    version: str
    file_rules: tuple[FileRule, ...] = field(repr=False)
    allowed: tuple[SignerRule, ...] = field(repr=False)
    denied: tuple[SignerRule, ...] = field(repr=False)

    def denies(self, case: Case) -> bool | None:
        """Whether the policy denies the file, by its hash, its names or any of its signatures."""
        files = self._denying.matches(case)
        signers = (rule.matches(signed, case) for rule in self.denied for signed in case.signatures)
        return True if files else _any((files, *signers))

    def allows(self, signed: Signed) -> bool | None:
        """Whether the policy allows the file of this signature, by its hash, its names or this signature."""
        case = signed.case
        denied = self.denies(case)
        if denied:
            return False
        allowed = _any((self._allowing.matches(case), *(rule.matches(signed, case) for rule in self.allowed)))
        return None if allowed and denied is None else allowed

    @cached_property
    def _denying(self) -> FileRules:
        return FileRules([rule for rule in self.file_rules if rule.denies])

    @cached_property
    def _allowing(self) -> FileRules:
        return FileRules([rule for rule in self.file_rules if not rule.denies])

    @classmethod
    def parse(cls, data: bytes) -> SiPolicy:
        """The policy in an XML file. Raises ConfigError for a binary policy and for anything else."""
        root = _root(data)
        rules = {rule.id: rule for rule in map(_file_rule, _children(root, "FileRules")) if rule is not None}
        usages = {element.get("ID", ""): _oid(element.get("Value", "")) for element in _children(root, "EKUs")}
        signers = {
            rule.id: rule
            for rule in (_signer(element, rules, usages) for element in _children(root, "Signers"))
            if rule is not None
        }
        scenarios = [one for one in _children(root, "SigningScenarios") if one.get("Value") == _KERNEL]
        return cls(
            version=root.findtext(f"{_SPACE}VersionEx") or "unknown",
            file_rules=_referred(scenarios, "FileRulesRef/FileRuleRef", "RuleID", rules),
            allowed=_referred(scenarios, "AllowedSigners/AllowedSigner", "SignerId", signers),
            denied=_referred(scenarios, "DeniedSigners/DeniedSigner", "SignerId", signers),
        )


def _root(data: bytes) -> Element:
    """The SiPolicy element. A document type is refused: its entities could grow without bound."""
    from xml.etree import ElementTree

    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConfigError("not an App Control policy as XML", hint=_HINT, offset=error.start) from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ConfigError("an App Control policy has no document type", hint=_HINT)
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - entities were refused above
    except ParseError as error:
        raise ConfigError(f"not an App Control policy as XML ({error})", hint=_HINT, line=error.position[0]) from error
    if root.tag != f"{_SPACE}SiPolicy":
        raise ConfigError(f"not an App Control policy: the document is a {root.tag!r}", hint=_HINT)
    return root


def _children(root: Element, name: str) -> list[Element]:
    found = root.find(f"{_SPACE}{name}")
    return list(found) if found is not None else []


def _referred(scenarios: Iterable[Element], path: str, key: str, known: Mapping[str, Rule]) -> tuple[Rule, ...]:
    """The rules that the product signers of the kernel scenario refer to, each once; others have no effect."""
    steps = "/".join(f"{_SPACE}{step}" for step in ("ProductSigners", *path.split("/")))
    names = dict.fromkeys(one.get(key, "") for scenario in scenarios for one in scenario.findall(steps))
    return tuple(known[name] for name in names if name in known)


def _file_rule(element: Element) -> FileRule | None:
    kind = element.tag.removeprefix(_SPACE)
    if kind not in ("Allow", "Deny", "FileAttrib"):
        return None
    given = {ours: element.get(theirs) for theirs, ours in _NAMES.items()}
    return FileRule(
        id=element.get("ID", ""),
        denies=kind == "Deny",
        hash=_hex(element.get("Hash"), element),
        page="page" in element.get("FriendlyName", "").lower(),
        names={name: value.lower() for name, value in given.items() if value is not None},
        lowest=_version(element.get("MinimumFileVersion"), element),
        highest=_version(element.get("MaximumFileVersion"), element),
    )


def _signer(element: Element, rules: Mapping[str, FileRule], usages: Mapping[str, str]) -> SignerRule | None:
    root = element.find(f"{_SPACE}CertRoot")
    if root is None:
        return None
    known = root.get("Type") == "Wellknown"
    value = root.get("Value", "")
    return SignerRule(
        id=element.get("ID", ""),
        name=element.get("Name", ""),
        tbs=None if known else _hex(value, element),
        root_id=int.from_bytes(_hex(value, element) or b"", "big") if known else None,
        publisher=_value(element, "CertPublisher"),
        oem=_value(element, "CertOemID"),
        usages=frozenset(usages.get(one.get("ID", ""), "") for one in element.findall(f"{_SPACE}CertEKU")),
        attributes=tuple(
            rules[one.get("RuleID", "")]
            for one in element.findall(f"{_SPACE}FileAttribRef")
            if one.get("RuleID", "") in rules
        ),
    )


def _value(element: Element, name: str) -> str | None:
    found = element.find(f"{_SPACE}{name}")
    return found.get("Value", "").lower() if found is not None else None


def _hex(text: str | None, element: Element) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ConfigError(f"{element.get('ID')!r} has a value that is not hexadecimal: {text[:40]!r}") from error


def _version(text: str | None, element: Element) -> Version | None:
    if text is None:
        return None
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isdecimal() and len(part) <= 5 for part in parts):
        raise ConfigError(f"{element.get('ID')!r} has a version that is none: {text[:40]!r}")
    return int(parts[0]), int(parts[1]), int(parts[2]), int(parts[3])


def _oid(value: str) -> str:
    """The dotted form of an EKU value: a DER object identifier whose tag byte is written as 01."""
    try:
        data = bytes.fromhex(value)
    except ValueError:
        return f"unreadable {value}"
    if len(data) < 3 or data[1] != len(data) - 2:
        return f"unreadable {value}"
    numbers, number = [], 0
    for byte in data[2:]:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2) if numbers else 0
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:]))) if numbers else f"unreadable {value}"


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True if any is, else None if any is not known."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False
