"""Read App Control policies in XML form. Source: Microsoft's schema, cipolicy.xsd."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError

from signer.costly_text import is_costly_xml
from signer.errors import ConfigError
from signer.limits import LIMITS, raising
from signer.pe.file_facts import Version
from signer.policy.si_policy.policy import HINT, KERNEL, SiPolicy, braced, lower_case, oid_of, with_exceptions
from signer.policy.si_policy.rules import LOWEST_VERSION, MISTAKE_HINT, FileRule, Kind, SignerRule, limits

_SPACE = "{urn:schemas-microsoft-com:sipolicy}"
_NAMES = {
    "OriginalFilename": "FileName",
    "InternalName": "InternalName",
    "FileDescription": "FileDescription",
    "ProductName": "ProductName",
}
_MAX_DEPTH = 32
"""Levels of elements; a policy has eight."""
_CONDITIONS = ("FilePath", "PackageFamilyName", "AppIDs", "RequireHotpatchID")
_KINDS: dict[str, Kind] = {"Allow": "allow", "Deny": "deny", "FileAttrib": "attribute"}
_GENERIC: dict[str, Kind] = {"Match": "allow", "Exclude": "deny", "Attribute": "attribute"}


def read_xml(data: bytes) -> SiPolicy:
    """Read a policy from an XML file. Raises ConfigError."""
    root = _root(data)
    rules = {rule.id: rule for rule in _file_rules(root)}
    usages = {element.get("ID", ""): _oid(element.get("Value", "")) for element in _children(root, "EKUs")}
    signers = {rule.id: rule for element in _children(root, "Signers") for rule in _signer(element, rules, usages)}
    scenarios = [one for one in _children(root, "SigningScenarios") if one.get("Value") == str(KERNEL)]
    if any(one.get("InheritedScenarios") for one in scenarios):
        message = "the kernel-mode scenario inherits from another one, which is not supported"
        raise ConfigError(message, hint="Copy the rules of the other scenario into this one.")
    return SiPolicy(
        version=root.findtext(f"{_SPACE}VersionEx") or "unknown",
        file_rules=_referred(scenarios, rules),
        allowed=tuple(_signers(scenarios, "Allowed", "Deny", signers, rules)),
        denied=tuple(_signers(scenarios, "Denied", "Allow", signers, rules)),
        id=braced(
            next(filter(None, (root.findtext(f"{_SPACE}{name}") for name in ("PolicyID", "PolicyTypeID"))), None)
        ),
        title=_title(root),
    )


def _root(data: bytes) -> Element:
    """Parse the SiPolicy element. A document type is refused, because its entities could expand without limit."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConfigError("not an App Control policy", hint=HINT, offset=error.start) from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ConfigError("not an App Control policy: the document has a document type declaration", hint=HINT)
    _require_few_attributes(text)
    try:
        root = _parsed(text)
    except ParseError as error:
        message = f"not an App Control policy: invalid XML ({error})"
        raise ConfigError(message, hint=HINT, line=error.position[0]) from error
    if root.tag != f"{_SPACE}SiPolicy":
        raise ConfigError(f"not an App Control policy: the document element is {root.tag!r}", hint=HINT)
    return root


def _require_few_attributes(text: str) -> None:
    """Raise ConfigError for many attributes, a long one, or a long namespace."""
    if text.count("=") > (limit := 2 * LIMITS["policy-elements"]):
        message = f"the App Control policy has more than {limit:,} attributes"
        raise ConfigError(message, hint=raising("policy-elements"))
    if is_costly_xml(text):
        raise ConfigError("not an App Control policy: a tag, a text or a namespace is too long", hint=HINT)


def _parsed(text: str) -> Element:
    """Parse a document step by step. Raises ParseError, and ConfigError for too many elements or levels."""
    from xml.etree.ElementTree import iterparse

    limit, count, depth, outermost = LIMITS["policy-elements"], 0, 0, list[Element]()
    for event, element in iterparse(io.StringIO(text), ("start", "end")):  # noqa: S314 - entities were refused above
        outermost = outermost or [element]
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > _MAX_DEPTH:
            raise ConfigError(f"not an App Control policy: it has more than {_MAX_DEPTH} levels", hint=HINT)
        if count > limit:
            message = f"the App Control policy has more than {limit:,} elements"
            raise ConfigError(message, hint=raising("policy-elements"))
    return outermost[0]


def _children(root: Element, name: str) -> list[Element]:
    found = root.find(f"{_SPACE}{name}")
    return list(found) if found is not None else []


def _title(root: Element) -> str | None:
    for context in _children(root, "Settings"):
        if (context.get("Provider"), context.get("Key"), context.get("ValueName")) == (
            "PolicyInfo",
            "Information",
            "Name",
        ):
            return context.findtext(f"{_SPACE}Value/{_SPACE}String") or None
    return None


def _referred(scenarios: list[Element], rules: Mapping[str, FileRule]) -> tuple[FileRule, ...]:
    """Return the file rules that the kernel scenario's product signers refer to, without duplicates."""
    path = "/".join(f"{_SPACE}{step}" for step in ("ProductSigners", "FileRulesRef", "FileRuleRef"))
    names = dict.fromkeys(one.get("RuleID", "") for scenario in scenarios for one in scenario.findall(path))
    return tuple(_known(rules, name, "the scenario", "allow", "deny") for name in names if name in rules)


def _signers(
    scenarios: list[Element], kind: str, other: str, signers: Mapping[str, SignerRule], rules: Mapping[str, FileRule]
) -> Iterator[SignerRule]:
    """Yield the signers that the kernel scenario's product signers allow or deny, without duplicates."""
    path = "/".join(f"{_SPACE}{step}" for step in ("ProductSigners", f"{kind}Signers", f"{kind}Signer"))
    exception, key = f"{_SPACE}Except{other}Rule", f"{other}RuleID"
    found = dict.fromkeys(
        (one.get("SignerId", ""), *(rule.get(key, "") for rule in one.findall(exception)))
        for scenario in scenarios
        for one in scenario.findall(path)
    )
    for name, *exceptions in found:
        if name in signers:
            excepted = [_known(rules, rule, name, "deny" if other == "Deny" else "allow") for rule in exceptions]
            yield with_exceptions(signers[name], excepted, denies=kind == "Denied")


def _known(rules: Mapping[str, FileRule], rule: str, by: str, *kinds: Kind) -> FileRule:
    """Return a rule by its id. Raises ConfigError: ignoring a missing rule would change what its referrer matches."""
    if rule not in rules or rules[rule].kind not in kinds:
        message = f"{by} refers to {rule!r}, which is not a file rule of the required kind"
        raise ConfigError(message, hint=MISTAKE_HINT)
    return rules[rule]


def _file_rules(root: Element) -> Iterator[FileRule]:
    elements = _children(root, "FileRules")
    patches = {element.get("RequireHotpatchID") for element in elements} - {None}
    for element in elements:
        name = element.tag.removeprefix(_SPACE)
        kind = _GENERIC.get(element.get("Type", "")) if name == "FileRule" else _KINDS.get(name)
        if kind is not None:
            yield _file_rule(element, kind, is_patch=element.get("ID") in patches)


def _file_rule(element: Element, kind: Kind, *, is_patch: bool) -> FileRule:
    conditions = {name for name in _CONDITIONS if element.get(name)} | ({"RequireHotpatchID"} if is_patch else set())
    versions = [_version(element.get(name), element) for name in ("MinimumFileVersion", "MaximumFileVersion")]
    digest = _hex(element.get("Hash") or None, element)
    lowest, highest = limits(versions[0], versions[1], kind) if digest is None else (LOWEST_VERSION, None)
    return FileRule(
        id=element.get("ID", ""),
        kind=kind,
        hash=digest,
        page="page" in element.get("FriendlyName", "").lower(),
        names=lower_case({name: element.get(attribute) for name, attribute in _NAMES.items()}),
        lowest=lowest,
        highest=highest,
        conditions=frozenset(conditions),
    ).checked()


def _signer(element: Element, rules: Mapping[str, FileRule], usages: Mapping[str, str]) -> Iterator[SignerRule]:
    root = element.find(f"{_SPACE}CertRoot")
    if root is None:
        return
    known = root.get("Type") == "Wellknown"
    value = _hex(root.get("Value", ""), element) or b""
    eku = [(one.get("Condition"), usages.get(one.get("ID", ""), "")) for one in element.findall(f"{_SPACE}CertEKU")]
    conditions = {name for name in ("CertIssuer", "ArtifactRuleRef") if element.find(f"{_SPACE}{name}") is not None}
    name = element.get("ID", "")
    yield SignerRule(
        id=name,
        name=element.get("Name", ""),
        tbs=None if known else value,
        root_id=int.from_bytes(value, "big") if known else None,
        publisher=_value(element, "CertPublisher"),
        oem=_value(element, "CertOemID"),
        usages=frozenset(usage for condition, usage in eku if condition is None),
        excluded=frozenset(usage for condition, usage in eku if condition is not None),
        attributes=tuple(
            _known(rules, one.get("RuleID", ""), name, "attribute") for one in element.findall(f"{_SPACE}FileAttribRef")
        ),
        conditions=frozenset(conditions | ({"SignTimeAfter"} if element.get("SignTimeAfter") else set())),
    )


def _value(element: Element, name: str) -> str | None:
    found = element.find(f"{_SPACE}{name}")
    return (found.get("Value", "").lower() or None) if found is not None else None


def _hex(text: str | None, element: Element) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        message = f"{element.get('ID')!r} has a value that is not hexadecimal: {text[:40]!r}"
        raise ConfigError(message, hint=MISTAKE_HINT) from error


def _version(text: str | None, element: Element) -> Version | None:
    if text is None:
        return None
    parts = text.split(".")
    numbers = tuple(int(part) if part.isdecimal() and len(part) <= 5 else 65536 for part in parts)
    if len(numbers) != 4 or max(numbers) > 65535:
        raise ConfigError(f"{element.get('ID')!r} has a malformed version: {text[:40]!r}", hint=MISTAKE_HINT)
    return numbers


def _oid(value: str) -> str:
    """Return the OID in an EKU's value; an unreadable value yields text that matches no OID."""
    try:
        return oid_of(bytes.fromhex(value))
    except ValueError:
        return f"unreadable {value}"
