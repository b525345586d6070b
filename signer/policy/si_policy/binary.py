"""Read App Control policies in the binary form of Windows: .cip and .p7b files, signed or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signer.asn1 import der, oids
from signer.errors import ConfigError, SignatureFormatError
from signer.limits import LIMITS, raising
from signer.policy.si_policy.blocks import DENY, Blocks, Reference
from signer.policy.si_policy.cursor import Cursor
from signer.policy.si_policy.layout import Layout, RawRule, RawSigner, read_layout
from signer.policy.si_policy.policy import HINT, KERNEL, SiPolicy, lower_case, oid_of, with_exceptions
from signer.policy.si_policy.rules import LOWEST_VERSION, FileRule, Kind, SignerRule

_KINDS: tuple[Kind, ...] = ("deny", "allow", "attribute")
_NAMES = ("InternalName", "FileDescription", "ProductName")
_TITLE = ("PolicyInfo", "Information", "Name")


def read_binary(data: bytes) -> SiPolicy:
    """Read a policy from a binary file, signed or not. Raises ConfigError with the offset."""
    if len(data) > (limit := LIMITS["policy-size"]):  # Microsoft's driver block list has 230 KiB
        message = f"the App Control policy has {len(data):,} bytes; the limit is {limit:,}"
        raise ConfigError(message, hint=raising("policy-size"))
    signed = data[:1] == bytes((der.SEQUENCE,))
    start, end = _inside(data) if signed else (0, len(data))
    return _policy(read_layout(Cursor(data[start:end], start)), signed=signed)


def _inside(data: bytes) -> tuple[int, int]:
    """Return start and end of the policy in a ContentInfo with SignedData. The signature is not verified."""
    try:
        info = der.expect(data, 0, der.SEQUENCE, "a ContentInfo")
        start, end = _content(data, info, oids.SIGNED_DATA)
        signed = der.expect(data, start, der.SEQUENCE, "a SignedData", end)
        fields = der.first_children(data, signed, 2)
        if info.end != len(data) or len(fields) < 3:
            raise ConfigError("not SignedData with an App Control policy", hint=HINT, offset=signed.start)
        start, end = _content(data, fields[2], oids.SI_POLICY)
        # CMS wraps the policy in an OCTET STRING; PKCS #7 allows it without.
        wrapped = der.read(data, start, end) if data[start] == der.OCTET_STRING else None
    except SignatureFormatError as error:
        raise ConfigError(f"not an App Control policy: {error.message}", hint=HINT, offset=error.offset) from error
    return (wrapped.body, end) if wrapped is not None and wrapped.end == end else (start, end)


def _content(data: bytes, info: der.Element, wanted: str) -> tuple[int, int]:
    """Return start and end of the content of a ContentInfo with the content type `wanted`."""
    kind = der.expect(data, info.body, der.OID, "a content type", info.end)
    found = der.read_oid(kind.contents(data))
    if found != wanted:
        raise ConfigError(f"not an App Control policy but {oids.name_of(found)}", hint=HINT, offset=kind.start)
    content = der.expect(data, kind.end, 0xA0, "the content", info.end)
    if content.end != info.end or content.body == content.end:
        message = "not an App Control policy: the content is empty, or other data follows it"
        raise ConfigError(message, hint=HINT, offset=kind.end)
    return content.body, content.end


def _policy(layout: Layout, *, signed: bool) -> SiPolicy:
    rules = [_rule(place, rule, layout.blocks) for place, rule in enumerate(layout.rules)]
    usages = [oid_of(value) for value in layout.usages]
    signers = [_signer(place, one, rules, usages, layout.blocks) for place, one in enumerate(layout.signers)]
    kernel = [scenario for scenario in layout.scenarios if scenario.value == KERNEL]
    allowed = (reference for scenario in kernel for reference in scenario.signers.allowed)
    denied = (reference for scenario in kernel for reference in scenario.signers.denied)
    places = dict.fromkeys(place for scenario in kernel for place in scenario.rules)
    return SiPolicy(
        version=".".join(map(str, layout.version)),
        file_rules=tuple(rules[place] for place in places),
        allowed=_referred(allowed, signers, rules, denies=False),
        denied=_referred(denied, signers, rules, denies=True),
        id=layout.blocks.policy_id or layout.type_id,
        title=next((value for name, value in layout.settings if name == _TITLE), None),
        signed=signed,
    )


def _referred(
    references: Iterable[Reference], signers: Sequence[SignerRule], rules: Sequence[FileRule], *, denies: bool
) -> tuple[SignerRule, ...]:
    return tuple(
        with_exceptions(signers[place], [rules[one] for one in exceptions], denies=denies)
        for place, exceptions in dict.fromkeys(references)
    )


def _rule(place: int, raw: RawRule, blocks: Blocks) -> FileRule:
    """Convert a file rule; a rule with a hash ignores versions."""
    highest = blocks.highest.get(place, LOWEST_VERSION)
    name = f"file rule {place}"
    if raw.kind == DENY and raw.hash is None and raw.lowest == highest == LOWEST_VERSION:
        # The public readers disagree, and Microsoft's older compiler wrote this where newer ones write the maximum.
        message = f"{name!r} denies versions up to 0.0.0.0, which may mean all versions or only that one"
        raise ConfigError(message, hint="Give the policy in XML form.", offset=raw.offset)
    names = dict(zip(_NAMES, blocks.names.get(place, ()), strict=False))
    return FileRule(
        id=name,
        kind=_KINDS[raw.kind],
        hash=raw.hash,
        names=lower_case({"OriginalFilename": raw.file_name, **names}),
        lowest=raw.lowest if raw.hash is None else LOWEST_VERSION,
        highest=highest if raw.hash is None and highest != LOWEST_VERSION else None,
        conditions=blocks.rule_conditions.get(place, frozenset()),
    ).checked(raw.offset)


def _signer(place: int, raw: RawSigner, rules: Sequence[FileRule], usages: Sequence[str], blocks: Blocks) -> SignerRule:
    conditions = blocks.signer_conditions.get(place, frozenset())
    return SignerRule(
        id=f"signer {place}",
        name="",
        tbs=raw.tbs,
        root_id=raw.root_id,
        publisher=raw.publisher.lower() if raw.publisher else None,
        oem=raw.oem.lower() if raw.oem else None,
        usages=frozenset(usages[one] for one in raw.usages),
        excluded=frozenset(usages[one] for one in blocks.excluded.get(place, ())),
        attributes=tuple(rules[one] for one in raw.attributes),
        conditions=conditions | {"CertIssuer"} if raw.issuer else conditions,
    )
