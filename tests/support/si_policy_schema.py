"""A statement of the structure of App Control policies, as far as drvsign writes them.

Source: cipolicy.xsd, which Microsoft publishes with its WDAC-Toolkit, and Windows has in schemas\\CodeIntegrity. The
schema itself is not here: `require_schema` takes it from the path in DRVSIGN_CIPOLICY_XSD.
"""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

SPACE = "{urn:schemas-microsoft-com:sipolicy}"
_GUID = r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}"
_HEX = r"([0-9A-F]{2})+"
_VERSION = r"\d{1,5}(\.\d{1,5}){3}"
_ANY = r"(?s).*"
_OPTION = r"(Enabled|Disabled|Required):[A-Za-z ]+"


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
_NOT_EMPTY = ("AllowedSigners", "FileRulesRef", "SigningScenarios", "Rule")


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
    assert set(element.attrib) <= set(attributes), name
    for key, value in element.attrib.items():
        assert re.fullmatch(attributes[key], value), f"{name} {key}={value}"
    order = [children.index(child.tag.removeprefix(SPACE)) for child in element]
    assert order == sorted(order), name
    assert re.fullmatch(TEXTS.get(name, r"\s*"), element.text or ""), name
    assert len(element) or name not in _NOT_EMPTY, name


def require_schema(text: str) -> None:
    """Fail unless a policy fits Microsoft's schema; skip without the schema or the package xmlschema."""
    path = os.environ.get("DRVSIGN_CIPOLICY_XSD")
    if not path:
        pytest.skip("DRVSIGN_CIPOLICY_XSD does not name Microsoft's cipolicy.xsd")
    xmlschema = pytest.importorskip("xmlschema")
    errors = [f"{error.path}: {error.reason}" for error in xmlschema.XMLSchema(path).iter_errors(text)]
    assert not errors, "\n".join(errors[:5])
