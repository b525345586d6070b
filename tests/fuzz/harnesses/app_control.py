"""App Control policies in XML and binary form, and their answers about a driver."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from signer.errors import ConfigError
from signer.pe.file_facts import FileFacts
from signer.policy.si_policy import binary, blocks, layout, xml
from signer.policy.si_policy.read import read_policy
from signer.policy.subjects import FileSubject
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import mutated_bytes, text_mutator
from tests.support.policy_builder import commercial, driver
from tests.support.si_policy_encoder import encode, signed
from tests.support.si_policy_samples import LATER, PLAIN

INSTRUMENTED = ("signer.policy.si_policy",)
PIECES = ("<", "/>", "&", "&lt;", "<!DOCTYPE a [", "<!ENTITY", 'ID="', 'Hash="', "Deny", "Allow", "FileAttrib",
          "Signer", "131", "65535.65535.65535.65535", "0.0.0.0", "-1", "*", "$(one)", "\u0660", "\0", "</SiPolicy>",
          'SignTimeAfter="9999', 'Type="Wellknown" Value="', "CertEKU", "01" * 130)  # fmt: skip
XML = """<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>1.2.3.4</VersionEx>
<EKUs><EKU ID="E" Value="010A2B0601040182370A0305"/></EKUs>
<FileRules><Deny ID="D" ProductName="Thing" MaximumFileVersion="9.0.0.0"/><Allow ID="P" FilePath="C:\\x\\*"/>
<FileAttrib ID="F" FileName="a.sys" MinimumFileVersion="1.0.0.0"/></FileRules>
<Signers><Signer ID="S" Name="n" SignTimeAfter="2024-01-02T03:04:05Z"><CertRoot Type="TBS" Value="0102"/>
<CertEKU ID="E" Condition="Except"/><FileAttribRef RuleID="F"/></Signer></Signers>
<SigningScenarios><SigningScenario ID="K" Value="131"><ProductSigners><AllowedSigners>
<AllowedSigner SignerId="S"><ExceptDenyRule DenyRuleID="D"/></AllowedSigner></AllowedSigners>
<FileRulesRef><FileRuleRef RuleID="P"/></FileRulesRef></ProductSigners></SigningScenario></SigningScenarios>
</SiPolicy>"""
_MUTATED_TEXT = text_mutator(PIECES)


def seeds() -> Iterator[bytes]:
    yield PLAIN.encode()
    yield XML.encode()
    for form in (2, 7, 11):
        yield encode(PLAIN if form < 7 else LATER, form)
    yield signed(encode(PLAIN, 7))
    yield signed(encode(PLAIN, 7), wrapped=False)


@cache
def _subject() -> FileSubject:
    """Return a driver that the rules of a policy can be about."""
    sample = driver(commercial())
    facts = FileFacts({"OriginalFilename": "a.sys"}, (1, 2, 3, 4))
    return FileSubject.of(sample.evidence, sample.paths, None, facts)


def run(data: bytes) -> bool:
    try:
        policy = read_policy(data)
    except ConfigError:
        return False
    subject = _subject()
    assert policy.denies(subject) in (True, False, None)
    assert policy.denying_rule(subject) is None or policy.denies(subject)
    for signature in subject.signatures:
        assert policy.allows(signature) in (True, False, None)
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    return (_MUTATED_TEXT if data[:1] in (b"<", b"\xef") else mutated_bytes)(data, chooser)


HARNESS = Harness(
    "app_control",
    run,
    seeds,
    (binary.read_binary, xml.read_xml, layout.read_layout, blocks.read_blocks),
    mutate=mutate,
    max_size=3072,
)
