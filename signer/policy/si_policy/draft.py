"""Write App Control policies in XML form, as ConfigCI's New-CIPolicy does. Source: Microsoft's schema, cipolicy.xsd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from uuid import UUID, uuid5
from xml.sax.saxutils import escape, quoteattr

from signer.asn1 import der
from signer.asn1.oids import EKU_ELAM, EKU_HAL_EXTENSION, EKU_WHQL, EKU_WINDOWS_SYSTEM
from signer.policy.si_policy.policy import KERNEL
from signer.records import dataclass

_NAMESPACE = UUID("b6f0e0b4-8f0a-5a36-9a0b-6b1c7d3f5a20")
"""The namespace of the policies' own GUIDs (RFC 9562, version 5)."""
TITLE = "Drivers to keep"
"""The beginning of the name of a policy that an audit writes."""
_PLATFORM = "{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}"
"""The PlatformID of every policy of Windows."""
_USER = 12
_OPTIONS = ("Enabled:Unsigned System Integrity Policy", "Enabled:Inherit Default Policy")
_BASE_OPTIONS = (
    "Enabled:Unsigned System Integrity Policy",
    "Enabled:Audit Mode",
    "Enabled:Advanced Boot Options Menu",
    "Enabled:Inherit Default Policy",
    "Enabled:Update Policy No Reboot",
    "Enabled:Allow Supplemental Policies",
)


@dataclass(frozen=True, slots=True)
class HashRule:
    """One digest of an allowed file: of the image (Authenticode), or of its first page."""

    label: str
    """The file's name and the kind of the digest, such as `hello.sys Hash Page Sha1`."""
    digest: bytes


@dataclass(frozen=True, slots=True, order=True)
class FileAttribute:
    """A name in the version resource and the lowest version of an allowed file."""

    attribute: str
    """`FileName` for OriginalFilename, or `InternalName`."""
    name: str
    lowest: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """A signer, by a certificate of its chain and the common name of its own."""

    name: str
    """The name of the certificate, which is only a label."""
    root: bytes
    """The to-be-signed hash of the certificate, or the number of a root that Windows knows."""
    publisher: str | None = None
    """The common name of the signer's certificate."""
    oem: str | None = None
    """The submitter of a signature of Microsoft's portal."""
    usages: tuple[str, ...] = ()
    """The EKUs that the signer's certificate must have."""

    @property
    def kind(self) -> str:
        """The type of its CertRoot."""
        return "Wellknown" if len(self.root) == 1 else "TBS"


_WINDOWS = (
    *((6, usage) for usage in (EKU_WINDOWS_SYSTEM, EKU_ELAM, EKU_HAL_EXTENSION, EKU_WHQL)),
    *((root, EKU_WHQL) for root in (5, 4)),
)
WINDOWS_SIGNERS = tuple(AllowedSigner(f"Well-known root {n:02X}", bytes((n,)), usages=(one,)) for n, one in _WINDOWS)
"""The signers of Windows and of WHQL drivers, as DefaultWindows_Audit.xml of Microsoft's WDAC-Toolkit allows them in
kernel mode. Without them a base policy would stop Windows' own drivers."""


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """The rules of a policy that is to be written. Adding a rule twice changes nothing."""

    signers: dict[AllowedSigner, dict[tuple[str, str], FileAttribute]] = field(default_factory=dict)
    """The attributes of each signer, by their kind and name in lower case."""
    hashes: dict[bytes, HashRule] = field(default_factory=dict)

    def allow_signer(self, signer: AllowedSigner, attribute: FileAttribute) -> None:
        """Allow a file of a signer. Of several versions of a file the lowest counts: it allows the others."""
        known = self.signers.setdefault(signer, {})
        key = attribute.attribute, attribute.name.lower()
        known[key] = min(known.get(key, attribute), attribute, key=lambda one: one.lowest)

    def allow_hashes(self, rules: Iterable[HashRule]) -> None:
        """Allow files by their digests."""
        for rule in rules:
            self.hashes.setdefault(rule.digest, rule)


@dataclass(frozen=True, slots=True)
class PolicyHead:
    """What a policy says about itself."""

    title: str
    version: str
    base: UUID | None = None
    """The GUID of the policy that it supplements; None for a base policy."""
    id: UUID | None = None
    """Its own GUID; None for one that depends only on `base`, so that a later version replaces this one."""

    @property
    def own_id(self) -> UUID:
        """The policy's own GUID."""
        return self.id or uuid5(_NAMESPACE, f"supplemental {self.base}" if self.base else "base")


def write_policy(draft: PolicyDraft, head: PolicyHead) -> Iterator[str]:
    """Yield the XML of a policy for kernel mode in pieces.

    A supplemental policy adds its rules to those of its base. A base policy also allows drivers of Windows and those
    with a WHQL signature, and is in audit mode.
    """
    signers: dict[AllowedSigner, list[FileAttribute]] = {} if head.base else {one: [] for one in WINDOWS_SIGNERS}
    signers |= {one: list(found.values()) for one, found in draft.signers.items()}
    usages = {oid: place for place, oid in enumerate(dict.fromkeys(oid for one in signers for oid in one.usages), 1)}
    yield from _head(head)
    yield from _block("EKUs", (_usage(place, oid) for oid, place in usages.items()))
    yield from _block("FileRules", (*_hashes(draft.hashes.values()), *_attributes(signers.values())))
    yield from _block("Signers", _signers(signers, usages))
    yield from _scenarios(len(signers), len(draft.hashes))
    yield from _tail(head)


def _head(head: PolicyHead) -> Iterator[str]:
    kind, options = ("Supplemental Policy", _OPTIONS) if head.base else ("Base Policy", _BASE_OPTIONS)
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" PolicyType="{kind}">\n'
    yield f"  <VersionEx>{head.version}</VersionEx>\n  <PlatformID>{_PLATFORM}</PlatformID>\n"
    yield from _block("Rules", (f"<Rule><Option>{one}</Option></Rule>" for one in options))


def _tail(head: PolicyHead) -> Iterator[str]:
    yield "  <UpdatePolicySigners />\n  <CiSigners />\n  <HvciOptions>0</HvciOptions>\n"
    yield f"  <BasePolicyID>{_braced(head.base or head.own_id)}</BasePolicyID>\n"
    yield f"  <PolicyID>{_braced(head.own_id)}</PolicyID>\n"
    values = (("Name", head.title), ("Id", head.version))
    yield from _block("Settings", (_setting(name, value) for name, value in values))
    yield "</SiPolicy>\n"


def _block(name: str, elements: Iterable[str]) -> Iterator[str]:
    """Yield an element with one child a line; the schema wants the empty element too."""
    is_empty = True
    for one in elements:
        if is_empty:
            yield f"  <{name}>\n"
        is_empty = False
        yield f"    {one}\n"
    yield f"  <{name} />\n" if is_empty else f"  </{name}>\n"


def _usage(place: int, oid: str) -> str:
    # The value is the DER of the OID with 01 in the place of its tag.
    value = b"\x01" + der.oid(oid)[1:]
    return f'<EKU ID="{_id("EKU", place)}" Value="{_hex(value)}" FriendlyName="{oid}" />'


def _hashes(rules: Iterable[HashRule]) -> Iterator[str]:
    for place, rule in enumerate(rules, 1):
        yield f'<Allow ID="{_id("ALLOW", place)}" FriendlyName={_quoted(rule.label)} Hash="{_hex(rule.digest)}" />'


def _attributes(signers: Iterable[list[FileAttribute]]) -> Iterator[str]:
    for place, one in enumerate((one for found in signers for one in found), 1):
        version = ".".join(map(str, one.lowest))
        yield (
            f'<FileAttrib ID="{_id("FILEATTRIB", place)}" FriendlyName={_quoted(one.name)} '
            f'{one.attribute}={_quoted(one.name)} MinimumFileVersion="{version}" />'
        )


def _signers(signers: dict[AllowedSigner, list[FileAttribute]], usages: dict[str, int]) -> Iterator[str]:
    number = 0
    for place, (one, attributes) in enumerate(signers.items(), 1):
        children = [f'<CertRoot Type="{one.kind}" Value="{_hex(one.root)}" />']
        children += [f'<CertEKU ID="{_id("EKU", usages[oid])}" />' for oid in one.usages]
        children += [f"<CertPublisher Value={_quoted(one.publisher)} />"] if one.publisher else []
        children += [f"<CertOemID Value={_quoted(one.oem)} />"] if one.oem else []
        for _ in attributes:
            number += 1
            children.append(f'<FileAttribRef RuleID="{_id("FILEATTRIB", number)}" />')
        yield f'<Signer ID="{_id("SIGNER", place)}" Name={_quoted(one.name)}>{"".join(children)}</Signer>'


def _scenarios(signers: int, hashes: int) -> Iterator[str]:
    """Yield the scenarios of kernel and of user mode, where the policy decides nothing."""
    yield "  <SigningScenarios>\n"
    yield f'    <SigningScenario Value="{KERNEL}" ID="ID_SIGNINGSCENARIO_DRIVERS_1" FriendlyName="Kernel mode">\n'
    yield "      <ProductSigners>\n"
    if signers:
        yield "        <AllowedSigners>\n"
        yield from (f'          <AllowedSigner SignerId="{_id("SIGNER", n)}" />\n' for n in range(1, signers + 1))
        yield "        </AllowedSigners>\n"
    if hashes:
        yield "        <FileRulesRef>\n"
        yield from (f'          <FileRuleRef RuleID="{_id("ALLOW", n)}" />\n' for n in range(1, hashes + 1))
        yield "        </FileRulesRef>\n"
    yield "      </ProductSigners>\n    </SigningScenario>\n"
    yield f'    <SigningScenario Value="{_USER}" ID="ID_SIGNINGSCENARIO_WINDOWS" FriendlyName="User mode">\n'
    yield "      <ProductSigners />\n    </SigningScenario>\n  </SigningScenarios>\n"


def _setting(name: str, value: str) -> str:
    place = f'Provider="PolicyInfo" Key="Information" ValueName="{name}"'
    return f"<Setting {place}><Value><String>{escape(value)}</String></Value></Setting>"


def _id(kind: str, place: int) -> str:
    return f"ID_{kind}_A_{place:X}"


def _braced(one: UUID) -> str:
    return f"{{{str(one).upper()}}}"


def _hex(value: bytes) -> str:
    return value.hex().upper()


def _quoted(value: str) -> str:
    return quoteattr(value)
