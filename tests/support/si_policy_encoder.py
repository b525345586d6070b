"""Convert App Control policies from XML to binary form, like ConvertFrom-CIPolicy, for tests.

Derived from the format and from files of Microsoft's compiler, independently of the parsers under test. Numbers are
little-endian; strings and bytes are prefixed by their length and padded with zeros to a multiple of four; strings are
followed by four more zeros.
"""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from signer.asn1 import der, oids

NEWEST = 11
SPACE = "{urn:schemas-microsoft-com:sipolicy}"
TYPE_ID = "{A244370E-44C9-4C06-B551-F6016E563076}"
FOREVER = "65535.65535.65535.65535"
KINDS = {"Deny": 0, "Allow": 1, "FileAttrib": 2}


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def octets(data: bytes) -> bytes:
    return u32(len(data)) + data + bytes(-len(data) % 4)


def text(value: str | None) -> bytes:
    return octets((value or "").encode("utf-16-le")) + u32(0)


def version(value: str | None) -> bytes:
    return struct.pack("<4H", *map(int, reversed((value or "0.0.0.0").split("."))))


def guid(value: str | None) -> bytes:
    return uuid.UUID(value or TYPE_ID).bytes_le


def many(parts: Iterable[bytes]) -> bytes:
    found = list(parts)
    return u32(len(found)) + b"".join(found)


def signed(policy: bytes, *, wrapped: bool = True) -> bytes:
    """Wrap content in SignedData without a signer: CMS wraps the content, PKCS #7 need not."""
    content = der.tlv(0xA0, der.tlv(der.OCTET_STRING, policy) if wrapped else policy)
    inner = der.sequence(der.oid(oids.SI_POLICY), content)
    data = der.sequence(der.tlv(der.INTEGER, b"\1"), der.tlv(der.SET), inner, der.tlv(der.SET))
    return der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, data))


def encode(xml: str | bytes, form: int = NEWEST) -> bytes:
    """Return the binary form of a policy, in a version of the format."""
    return _Encoder(ElementTree.fromstring(xml)).policy(form)


class _Encoder:
    def __init__(self, root: Element) -> None:
        self.root = root
        self.usages = self._all("EKUs")
        self.rules = self._all("FileRules")
        self.signers = self._all("Signers")
        self.scenarios = self._all("SigningScenarios")
        self.artifacts = self._all("ArtifactRules")
        self.macros = {one.get("Id"): one.get("Value") for one in self._all("Macros")}

    def _all(self, name: str) -> list[Element]:
        found = self.root.find(SPACE + name)
        return [] if found is None else list(found)

    def _text(self, name: str) -> str | None:
        return self.root.findtext(SPACE + name)

    def policy(self, form: int) -> bytes:
        header = u32(form) + guid(self._text("BasePolicyID") or self._text("PolicyTypeID")) + bytes(16)
        header += u32(0x80000000, *map(len, (self.usages, self.rules, self.signers, self.scenarios)))
        body = b"".join(octets(bytes.fromhex(one.get("Value", ""))) for one in self.usages)
        body += b"".join(map(self._rule, self.rules)) + b"".join(map(self._signer, self.signers))
        for name in ("UpdatePolicySigners", "CiSigners"):
            body += self._references(self._all(name), "SignerId", self.signers)
        body += b"".join(map(self._scenario, self.scenarios)) + u32(0) + many(map(_setting, self._all("Settings")))
        body += b"".join(u32(block) + getattr(self, f"_block_{block}")() for block in range(3, form + 1))
        return header + version(self._text("VersionEx")) + u32(64) + body + u32(form + 1)

    def _references(self, found: Iterable[Element], key: str, among: list[Element]) -> bytes:
        places = {one.get("ID"): place for place, one in enumerate(among)}
        return many(u32(places[one.get(key)]) for one in found)

    def _rule(self, rule: Element) -> bytes:
        kind, minimum = KINDS[rule.tag.removeprefix(SPACE)], rule.get("MinimumFileVersion")
        if kind == KINDS["Deny"] and minimum is None and rule.get("MaximumFileVersion") is None:
            minimum = FOREVER
        return u32(kind) + text(rule.get("FileName")) + version(minimum) + octets(bytes.fromhex(rule.get("Hash", "")))

    def _signer(self, signer: Element) -> bytes:
        root = signer.find(f"{SPACE}CertRoot")
        value = bytes.fromhex(root.get("Value", ""))
        found = u32(0) + octets(value) if root.get("Type") == "TBS" else u32(1, value[0])
        plain = [one for one in signer.findall(f"{SPACE}CertEKU") if one.get("Condition") is None]
        found += self._references(plain, "ID", self.usages)
        for name in ("CertIssuer", "CertPublisher", "CertOemID"):
            element = signer.find(SPACE + name)
            found += text(element.get("Value") if element is not None else None)
        return found + self._references(signer.findall(f"{SPACE}FileAttribRef"), "RuleID", self.rules)

    def _scenario(self, scenario: Element) -> bytes:
        names = [name for name in scenario.get("InheritedScenarios", "").split(",") if name]
        places = {one.get("ID"): place for place, one in enumerate(self.scenarios)}
        found = u32(int(scenario.get("Value", "0"))) + many(u32(places[name]) for name in names)
        found += u32(int(scenario.get("MinimumHashAlgorithm", "32780")))
        for name in ("ProductSigners", "TestSigners", "TestSigningSigners"):
            group = scenario.find(SPACE + name)
            refs = [] if group is None else group.findall(f"{SPACE}FileRulesRef/{SPACE}FileRuleRef")
            found += self._group(group) + self._references(refs, "RuleID", self.rules)
        return found

    def _group(self, group: Element | None) -> bytes:
        found = b""
        for kind, other in (("Allowed", "Deny"), ("Denied", "Allow")):
            path = f"{SPACE}{kind}Signers/{SPACE}{kind}Signer"
            places = {one.get("ID"): place for place, one in enumerate(self.signers)}
            found += many(
                u32(places[one.get("SignerId")])
                + self._references(one.findall(f"{SPACE}Except{other}Rule"), f"{other}RuleID", self.rules)
                for one in ([] if group is None else group.findall(path))
            )
        return found

    def _block_3(self) -> bytes:
        found = b""
        for rule in self.rules:
            given = rule.get("AppIDs", "")
            values = [self.macros[name] for name in re.findall(r"\$\(([^()]+)\)", given)] or [given][: bool(given)]
            found += version(rule.get("MaximumFileVersion")) + many(map(text, values))
        return found + b"".join(
            struct.pack("<q", 133_000_000_000_000_000 if signer.get("SignTimeAfter") else 0) for signer in self.signers
        )

    def _block_4(self) -> bytes:
        names = ("InternalName", "FileDescription", "ProductName")
        return b"".join(text(rule.get(name)) for rule in self.rules for name in names)

    def _block_5(self) -> bytes:
        return b"".join(
            text(rule.get("PackageFamilyName")) + version(rule.get("PackageVersion")) for rule in self.rules
        )

    def _block_6(self) -> bytes:
        supplements = self._references(self._all("SupplementalPolicySigners"), "SignerId", self.signers)
        return guid(self._text("PolicyID")) + guid(self._text("BasePolicyID")) + supplements

    def _block_7(self) -> bytes:
        return b"".join(text(rule.get("FilePath")) for rule in self.rules)

    def _block_8(self) -> bytes:
        """Encode the settings of one application, one of each known kind."""
        kinds = (b"\0\1", b"\3" + text("one"), b"\4" + many((text("one"), text("two"))))
        apps = self.root.findall(f"{SPACE}AppSettings/{SPACE}App")
        return many(text(app.get("Manifest")) + many(text("name") + kind + u32(1) for kind in kinds) for app in apps)

    def _block_9(self) -> bytes:
        places = {one.get("ID"): place for place, one in enumerate(self.rules)}
        pairs = [(one.get("ID"), one.get("RequireHotpatchID")) for one in self.rules if one.get("RequireHotpatchID")]
        return many(u32(places[base], places[patch], 0, 0xFFFFFFFF) for base, patch in pairs)

    def _block_10(self) -> bytes:
        rule = u32(0, 1) + text("name") + text(None) + version(None) + version(FOREVER) + octets(bytes(32))
        limited = [
            u32(place) + self._references(refs, "RuleID", self.artifacts)
            for place, one in enumerate(self.signers)
            if (refs := one.findall(f"{SPACE}ArtifactRuleRef"))
        ]
        groups = (one.find(f"{SPACE}ArtifactSigners") for one in self.scenarios)
        return (
            many(rule for _ in self.artifacts) + many(limited) + b"".join(self._group(one) + u32(0) for one in groups)
        )

    def _block_11(self) -> bytes:
        found = []
        for place, signer in enumerate(self.signers):
            excluded = [one for one in signer.findall(f"{SPACE}CertEKU") if one.get("Condition") is not None]
            if excluded:
                found.append(u32(place) + self._references(excluded, "ID", self.usages))
        return many(found)


def _setting(context: Element) -> bytes:
    (value,) = context.find(f"{SPACE}Value")
    kind, given = value.tag.removeprefix(SPACE), value.text or ""
    found = {
        "Boolean": lambda: u32(0, given == "true"),
        "DWord": lambda: u32(1, int(given)),
        "Binary": lambda: u32(2) + octets(bytes.fromhex(given)),
        "String": lambda: u32(3) + text(given),
    }[kind]()
    return b"".join(text(context.get(name)) for name in ("Provider", "Key", "ValueName")) + found
