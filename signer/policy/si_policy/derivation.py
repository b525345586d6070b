"""Derive the rules that allow a driver, by its hashes or by its publisher, name and version.

Source: "Policy rules and file rules", levels Hash and FilePublisher (select-types-of-rules-to-create.md): FilePublisher
is the original file name, a certificate below the root with the common name of the signer's, and the lowest version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PureWindowsPath
from typing import Literal

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_WHQL, EKU_WHQL_ATTESTED
from signer.certificates import common_name, is_self_signed
from signer.pe.file_facts import FileFacts
from signer.policy.si_policy.draft import AllowedSigner, FileAttribute, HashRule, PolicyDraft
from signer.policy.subjects import FileSubject, SignaturePath, SignatureSubject, tbs_hash

Level = Literal["hash", "file-publisher"]

_ALGORITHMS = ((DigestAlgorithm.SHA1, "Sha1"), (DigestAlgorithm.SHA256, "Sha256"))
_NAMES = (("FileName", "OriginalFilename"), ("InternalName", "InternalName"))
"""The attributes of a FileAttrib and the strings of the version resource, the preferred first."""
_UNUSABLE = re.compile("[^ -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[*]")
"""Characters that XML 1.0 can't hold or normalizes, and the wildcard of App Control."""
_MAX_RSA_BITS = 4096
"""App Control supports RSA keys up to this size, and no other keys."""
_PORTAL_USAGES = (EKU_WHQL, EKU_WHQL_ATTESTED)


def allow(draft: PolicyDraft, subject: FileSubject, level: Level) -> Level:
    """Add the rules that allow a file to a draft, and return their level.

    The level is `hash` where the file has no name or version, or no signature, that a rule can name.
    """
    attribute = _attribute(subject.facts) if level == "file-publisher" else None
    signers = [one for one in map(_signer, subject.signatures) if one is not None] if attribute is not None else []
    if attribute is None or not signers:
        draft.allow_hashes(_hashes(subject))
        return "hash"
    for signer in signers:
        draft.allow_signer(signer, attribute)
    return "file-publisher"


def _hashes(subject: FileSubject) -> Iterator[HashRule]:
    """Yield the digests of the image and of its first page, as New-CIPolicy writes them."""
    name = _UNUSABLE.sub("_", PureWindowsPath(subject.name).name)
    facts = subject.facts or FileFacts()
    for found, words in ((facts.digests, "Hash"), (facts.first_page, "Hash Page")):
        for algorithm, label in _ALGORITHMS:
            if algorithm in found:
                yield HashRule(f"{name} {words} {label}", found[algorithm])


def _attribute(facts: FileFacts | None) -> FileAttribute | None:
    if facts is None or facts.version is None or not facts.strings:
        return None
    for attribute, key in _NAMES:
        name = facts.strings.get(key, "")
        if _is_usable(name):
            return FileAttribute(attribute, name, facts.version)
    return None


def _signer(signed: SignatureSubject) -> AllowedSigner | None:
    """Return the rule for an intact signature; None if App Control can't match it."""
    signature = signed.signature
    if not signature.intact or signature.signer is None:
        return None
    publisher = common_name(signature.signer)
    chosen = next((one for one in map(_certificate_rule, signed.candidates) if one is not None), None)
    if chosen is None or not _is_usable(publisher):
        return None
    usages = tuple(oid for oid in _PORTAL_USAGES if oid in (signed.usages or ()))
    oem = signature.program_name if usages else None
    if usages and not (oem and _is_usable(oem)):
        return None  # any company's driver of this name would be allowed
    return AllowedSigner(chosen[0], chosen[1], publisher, oem, usages)


def _certificate_rule(one: SignaturePath) -> tuple[str, bytes] | None:
    """Return name and to-be-signed hash of the highest certificate between the signer's and the root.

    A cross-certificate does not count: the same CA has another certificate on machines that know its root.
    """
    if one.path is None or any(bits is None or bits > _MAX_RSA_BITS for _, bits in one.rsa_keys):
        return None
    between = [
        certificate
        for certificate in one.path.certificates[1:]
        if not is_self_signed(certificate) and certificate != one.cross_certificate
    ]
    found = tbs_hash(between[-1]) if between else None
    return (_UNUSABLE.sub("_", common_name(between[-1])), found) if found is not None else None


def _is_usable(text: str) -> bool:
    return bool(text.strip()) and _UNUSABLE.search(text) is None
