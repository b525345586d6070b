"""A statement of the structure of App Control policies, as far as drvsign writes them.

Source: cipolicy.xsd, which Microsoft publishes with its WDAC-Toolkit, and Windows has in schemas\\CodeIntegrity. The
schema itself is not here: `require_schema` takes it from the path in DRVSIGN_CIPOLICY_XSD. With it, a test holds
that the schema refuses what this statement refuses.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

SPACE = "{urn:schemas-microsoft-com:sipolicy}"
_GUID = r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}"
_HEX = r"([0-9A-F]{2})+"
_VERSION = r"\d{1,5}(\.\d{1,5}){3}"
_ANY = r"(?s).*"
_OPTION = "|".join(
    (
        *(f"Required:{name}" for name in ("WHQL", "EV Signers", "Enforce Store Applications")),
        *(f"Disabled:{name}" for name in ("Flight Signing", "Runtime FilePath Rule Protection", "Script Enforcement")),
        *("Enabled:UMCI", "Enabled:Boot Menu Protection", "Enabled:Intelligent Security Graph Authorization"),
        *("Enabled:Invalidate EAs on Reboot", "Enabled:Windows Lockdown Trial Mode", "Enabled:Audit Mode"),
        *("Enabled:Developer Mode Dynamic Code Trust", "Enabled:Allow Supplemental Policies"),
        *("Enabled:Revoked Expired As Unsigned", "Enabled:Inherit Default Policy", "Enabled:Dynamic Code Security"),
        *("Enabled:Unsigned System Integrity Policy", "Enabled:Boot Audit On Failure", "Enabled:Managed Installer"),
        *("Enabled:Advanced Boot Options Menu", "Enabled:Secure Setting Policy", "Enabled:Update Policy No Reboot"),
        "Enabled:Conditional Windows Lockdown Policy",
    )
)


def _ids(kind: str) -> str:
    return rf"ID_{kind}_[A-Z][_A-Z0-9]*"


ELEMENTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "SiPolicy": (
        {"PolicyType": "Base Policy|Supplemental Policy"},
        (
            *("VersionEx", "PlatformID", "Rules", "EKUs", "FileRules", "Signers", "SigningScenarios"),
            *("UpdatePolicySigners", "CiSigners", "HvciOptions", "BasePolicyID", "PolicyID", "Settings"),
        ),
    ),
    **{name: ({}, ()) for name in ("VersionEx", "PlatformID", "BasePolicyID", "PolicyID", "HvciOptions", "Option")},
    **{name: ({}, ()) for name in ("UpdatePolicySigners", "CiSigners", "String")},
    "Rules": ({}, ("Rule",)),
    "Rule": ({}, ("Option",)),
    "EKUs": ({}, ("EKU",)),
    "EKU": ({"ID": _ids("EKU"), "Value": _HEX, "FriendlyName": _ANY}, ()),
    "FileRules": ({}, ("Allow", "FileAttrib")),
    "Allow": ({"ID": _ids("ALLOW"), "FriendlyName": _ANY, "Hash": _HEX}, ()),
    "FileAttrib": (
        {
            "ID": _ids("FILEATTRIB"),
            "FriendlyName": _ANY,
            "FileName": _ANY,
            "InternalName": _ANY,
            "MinimumFileVersion": _VERSION,
        },
        (),
    ),
    "Signers": ({}, ("Signer",)),
    "Signer": (
        {"ID": _ids("SIGNER"), "Name": _ANY},
        ("CertRoot", "CertEKU", "CertPublisher", "CertOemID", "FileAttribRef"),
    ),
    "CertRoot": ({"Type": "TBS|Wellknown", "Value": _HEX}, ()),
    "CertEKU": ({"ID": _ids("EKU")}, ()),
    "CertPublisher": ({"Value": _ANY}, ()),
    "CertOemID": ({"Value": _ANY}, ()),
    "FileAttribRef": ({"RuleID": _ids("FILEATTRIB")}, ()),
    "SigningScenarios": ({}, ("SigningScenario",)),
    "SigningScenario": (
        {"Value": "12|131", "ID": _ids("SIGNINGSCENARIO"), "FriendlyName": _ANY},
        ("ProductSigners",),
    ),
    "ProductSigners": ({}, ("AllowedSigners", "FileRulesRef")),
    "AllowedSigners": ({}, ("AllowedSigner",)),
    "AllowedSigner": ({"SignerId": _ids("SIGNER")}, ()),
    "FileRulesRef": ({}, ("FileRuleRef",)),
    "FileRuleRef": ({"RuleID": _ids("ALLOW")}, ()),
    "Settings": ({}, ("Setting",)),
    "Setting": ({"Provider": _ANY, "Key": _ANY, "ValueName": _ANY}, ("Value",)),
    "Value": ({}, ("String",)),
}
"""Attributes with their patterns, and children in their order, of each element."""
TEXTS = {
    "VersionEx": _VERSION,
    "PlatformID": _GUID,
    "PolicyID": _GUID,
    "BasePolicyID": _GUID,
    "Option": _OPTION,
    "HvciOptions": r"\d+",
    "String": _ANY,
}
OPTIONAL = {"FriendlyName", "FileName", "InternalName", "MinimumFileVersion", "Hash", "PolicyType"}
"""The attributes that an element can do without, except RuleID of FileRuleRef, which drvsign always writes."""
REQUIRED = {
    "SiPolicy": ("VersionEx", "PlatformID", "Rules"),
    "Rule": ("Option",),
    "Signer": ("CertRoot",),
    "SigningScenario": ("ProductSigners",),
    "AllowedSigners": ("AllowedSigner",),
    "FileRulesRef": ("FileRuleRef",),
    "Setting": ("Value",),
    "Value": ("String",),
}
"""The children that an element must have. Of `Value`, drvsign writes only texts."""
REPEATED = {"Rule", "EKU", "Allow", "FileAttrib", "Signer", "CertEKU", "FileAttribRef", "SigningScenario"}
REPEATED |= {"AllowedSigner", "FileRuleRef", "Setting"}
"""The elements that a parent may have more than once."""


def require_policy(text: str) -> Element:
    """Return the root of a policy; fail unless it has the structure, and each reference leads to an element."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == f"{SPACE}SiPolicy"
    for element in root.iter():
        _require(element)
    ids = [element.get("ID") for element in root.iter() if element.tag != f"{SPACE}CertEKU" and element.get("ID")]
    assert len(set(ids)) == len(ids)
    for element in root.iter():
        for name in ("RuleID", "SignerId"):
            assert element.get(name) in (None, *ids)
    assert {one.get("ID") for one in root.iter(f"{SPACE}CertEKU")} <= set(ids)
    return root


def _require(element: Element) -> None:
    name = element.tag.removeprefix(SPACE)
    attributes, children = ELEMENTS[name]
    assert set(attributes) - OPTIONAL <= set(element.attrib) <= set(attributes), name
    for key, value in element.attrib.items():
        assert re.fullmatch(attributes[key], value), f"{name} {key}={value}"
    names = [child.tag.removeprefix(SPACE) for child in element]
    order = [children.index(child) for child in names]
    assert order == sorted(order), name
    assert set(REQUIRED.get(name, ())) <= set(names), name
    assert all(child in REPEATED for child, count in Counter(names).items() if count > 1), name
    assert re.fullmatch(TEXTS.get(name, r"\s*"), element.text or ""), name


def has_structure(text: str) -> bool:
    """Return whether a policy has the structure."""
    try:
        require_policy(text)
    except (AssertionError, KeyError, ValueError):
        return False
    return True


def broken(text: str) -> Iterator[tuple[str, str]]:
    """Yield policies that differ from a valid one in one place, and that the schema refuses; each with what differs."""
    for number, element in enumerate(ElementTree.fromstring(text.encode()).iter()):
        name = element.tag.removeprefix(SPACE)
        for change, changed in _changes(name, element):
            root = ElementTree.fromstring(text.encode())
            changed(list(root.iter())[number])
            yield f"{name}: {change}", ElementTree.tostring(root, "unicode")


def _changes(name: str, element: Element) -> Iterator[tuple[str, Callable[[Element], object]]]:
    yield "an attribute that it does not have", lambda one: one.set("Other", "x")
    yield "a child that it does not have", lambda one: one.append(Element(f"{SPACE}Other"))
    for key in element.attrib:
        if key not in OPTIONAL and name != "FileRuleRef":
            yield f"without {key}", lambda one, key=key: one.attrib.pop(key)
        if ELEMENTS[name][0][key] != _ANY:
            yield f"another form of {key}", lambda one, key=key: one.set(key, "ID-x")
    for child in REQUIRED.get(name, ()):
        yield f"without {child}", lambda one, child=child: _remove(one, child)
    for child in {one.tag.removeprefix(SPACE) for one in element} - REPEATED:
        yield f"{child} twice", lambda one, child=child: _repeat(one, child)
    if TEXTS.get(name, _ANY) != _ANY:
        yield "another text", lambda one: setattr(one, "text", "x")


def _remove(element: Element, child: str) -> None:
    for one in element.findall(f"{SPACE}{child}"):
        element.remove(one)


def _repeat(element: Element, child: str) -> None:
    found = element.find(f"{SPACE}{child}")
    assert found is not None
    element.insert(list(element).index(found), found)


def require_schema(text: str, *, fits: bool = True) -> None:
    """Fail unless a policy fits Microsoft's schema, or does not; skip without the schema or the package xmlschema."""
    path = os.environ.get("DRVSIGN_CIPOLICY_XSD")
    if not path:
        pytest.skip("DRVSIGN_CIPOLICY_XSD does not name Microsoft's cipolicy.xsd")
    errors = [f"{error.path}: {error.reason}" for error in _schema(path).iter_errors(text)]
    assert not errors if fits else errors, "\n".join(errors[:5])


@cache
def _schema(path: str) -> Any:
    return pytest.importorskip("xmlschema").XMLSchema(path)
