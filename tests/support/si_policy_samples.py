"""App Control policies as XML, for tests of both forms: one with every element, and a Hypothesis strategy."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PLAIN = """<?xml version="1.0" encoding="utf-8"?>
<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>10.0.1.65535</VersionEx>
<PolicyTypeID>{A244370E-44C9-4C06-B551-F6016E563076}</PolicyTypeID>
<PolicyID>{A244370E-44C9-4C06-B551-F6016E563076}</PolicyID>
<EKUs><EKU ID="E1" Value="010A2B0601040182370A0305"/><EKU ID="E2" Value="01"/></EKUs>
<FileRules>
  <Deny ID="D1" FriendlyName="x Hash Page" Hash="PAGE"/><Deny ID="D2" FileName="Old.sys"/>
  <Deny ID="D3" FileName="old.sys" MinimumFileVersion="1.2.3.4"/><Allow ID="A1" FileName="*"/>
  <Allow ID="A2" Hash="HASH"/><Allow ID="A3" FileName="new.sys" MinimumFileVersion="2.0.0.0"/>
  <FileAttrib ID="F1" FileName="ümlaut €.sys"/><FileAttrib ID="F2" FileName="a.sys" MinimumFileVersion="1.0.0.0"/>
</FileRules>
<Signers>
  <Signer ID="S1" Name="one"><CertRoot Type="TBS" Value="HASH"/><CertEKU ID="E1"/><CertEKU ID="E2"/>
    <CertPublisher Value="Some &amp; Co"/><CertOemID Value="Maker"/>
    <FileAttribRef RuleID="F1"/><FileAttribRef RuleID="F2"/></Signer>
  <Signer ID="S2" Name="two"><CertRoot Type="Wellknown" Value="06"/><CertIssuer Value="Somebody"/></Signer>
</Signers>
<SigningScenarios>
  <SigningScenario ID="U" Value="12"><ProductSigners><AllowedSigners><AllowedSigner SignerId="S2"/></AllowedSigners>
    <FileRulesRef><FileRuleRef RuleID="A1"/></FileRulesRef></ProductSigners></SigningScenario>
  <SigningScenario ID="K" Value="131" MinimumHashAlgorithm="32772"><ProductSigners>
    <AllowedSigners><AllowedSigner SignerId="S2"/><AllowedSigner SignerId="S1"><ExceptDenyRule DenyRuleID="D2"/>
      <ExceptDenyRule DenyRuleID="D3"/></AllowedSigner></AllowedSigners>
    <DeniedSigners><DeniedSigner SignerId="S1"><ExceptAllowRule AllowRuleID="A2"/></DeniedSigner></DeniedSigners>
    <FileRulesRef><FileRuleRef RuleID="D1"/><FileRuleRef RuleID="A3"/><FileRuleRef RuleID="D3"/></FileRulesRef>
    </ProductSigners>
    <TestSigners><AllowedSigners><AllowedSigner SignerId="S1"/></AllowedSigners></TestSigners>
    <TestSigningSigners><FileRulesRef><FileRuleRef RuleID="A1"/></FileRulesRef></TestSigningSigners></SigningScenario>
</SigningScenarios>
<UpdatePolicySigners><UpdatePolicySigner SignerId="S1"/></UpdatePolicySigners>
<CiSigners><CiSigner SignerId="S2"/></CiSigners>
<Settings>
  <Setting Provider="P" Key="K" ValueName="V"><Value><Boolean>true</Boolean></Value></Setting>
  <Setting Provider="P" Key="K" ValueName="W"><Value><DWord>7</DWord></Value></Setting>
  <Setting Provider="P" Key="K" ValueName="X"><Value><Binary>0102030405</Binary></Value></Setting>
  <Setting Provider="PolicyInfo" Key="Information" ValueName="Name"><Value><String>A list</String></Value></Setting>
</Settings></SiPolicy>""".replace("PAGE", "ab" * 20).replace("HASH", "cd" * 32)
"""Elements of every format version."""

LATER = (
    PLAIN.replace(
        "</FileRules>",
        """<Deny ID="D4" ProductName="Thing" FileDescription="d" InternalName="i" MaximumFileVersion="9.0.0.0"/>
  <Allow ID="A4" FilePath="C:\\x\\*"/><Allow ID="A5" PackageFamilyName="p" PackageVersion="1.0.0.0"/>
  <Allow ID="A6" FileName="b.sys" AppIDs="$(one)$(two)"/><Allow ID="A7" FileName="b.sys" AppIDs="literal"/>
  <Allow ID="A8" FileName="b.sys" RequireHotpatchID="A9"/>
  <Allow ID="A9" FileName="c.sys" MinimumHotpatchSequence="1"/></FileRules>
  <Macros><Macro Id="one" Value="1"/><Macro Id="two" Value="2"/></Macros>
  <AppSettings><App Manifest="m"/></AppSettings><ArtifactRules><ArtifactRule ID="R"/></ArtifactRules>""",
    )
    .replace(
        "</Signers>",
        """<Signer ID="S3" Name="" SignTimeAfter="2024-01-02T03:04:05Z"><CertRoot Type="TBS" Value="0102"/></Signer>
  <Signer ID="S4" Name="four"><CertRoot Type="TBS" Value="0102"/><CertEKU ID="E1" Condition="Except"/>
  <ArtifactRuleRef RuleID="R"/></Signer></Signers>""",
    )
    .replace("<DeniedSigners>", '<DeniedSigners><DeniedSigner SignerId="S3"/><DeniedSigner SignerId="S4"/>')
    .replace(
        '<FileRuleRef RuleID="D1"/>',
        "".join(f'<FileRuleRef RuleID="{one}"/>' for one in ("D1", "D4", "A4", "A5", "A6", "A7", "A8", "A9")),
    )
)
"""Elements of the newest format version."""

VERSIONS = st.none() | st.sampled_from(["0.0.0.0", "1.2.3.4", "10.0.0.1", "65535.65535.65535.65535"])
NAMES = st.sampled_from(["*", "a.sys", "Ümlaut.SYS", "€"]) | st.text("abc.* ", min_size=1, max_size=5)
HASHES = st.binary(min_size=1, max_size=64)


@st.composite
def _file_rules(draw: Any, kind: str, name: str) -> str:
    given = {}
    if draw(st.booleans()):
        given["Hash"] = draw(HASHES).hex()
    else:
        keys = ["FileName", "InternalName", "FileDescription", "ProductName", "FilePath", "AppIDs", "PackageFamilyName"]
        given = {key: draw(NAMES) for key in draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))}
        lowest, highest = draw(VERSIONS), draw(VERSIONS)
        limits = [None if one is None else tuple(map(int, one.split("."))) for one in (lowest, highest)]
        # Compilers never write a minimum above the maximum; a denial up to 0.0.0.0 is rejected below.
        if not (highest and highest != "0.0.0.0" and (limits[0] or (0,)) > limits[1]):
            given |= {key: one for key, one in (("MinimumFileVersion", lowest), ("MaximumFileVersion", highest)) if one}
        if kind == "Deny" and {lowest, highest} <= {None, "0.0.0.0"}:
            given.pop("MinimumFileVersion", None)
            given.pop("MaximumFileVersion", None)
    return f'<{kind} ID="{name}" ' + " ".join(f'{key}="{value}"' for key, value in given.items()) + "/>"


@st.composite
def policies(draw: Any) -> str:
    """Generate a policy with a few of all elements that versions since 7 support."""
    rules = {
        kind: [f"{kind}{place}" for place in range(draw(st.integers(0, 3)))] for kind in ("Allow", "Deny", "FileAttrib")
    }
    files = "".join(draw(_file_rules(kind, name)) for kind, names in rules.items() for name in names)
    signers, names = "", [f"S{place}" for place in range(draw(st.integers(0, 3)))]
    for name in names:
        root = draw(
            st.builds('Type="TBS" Value="{}"'.format, HASHES.map(bytes.hex))
            | st.builds('Type="Wellknown" Value="{:02x}"'.format, st.integers(0, 255))
        )
        inside = "".join(
            f'<{tag} Value="{draw(NAMES)}"/>' for tag in ("CertPublisher", "CertOemID") if draw(st.booleans())
        )
        if draw(st.booleans()):
            inside = '<CertEKU ID="E"/>' + inside
        inside += "".join(f'<FileAttribRef RuleID="{one}"/>' for one in _some(draw, rules["FileAttrib"]))
        signers += f'<Signer ID="{name}" Name=""><CertRoot {root}/>{inside}</Signer>'
    groups = ""
    for kind, other in (("Allowed", "Deny"), ("Denied", "Allow")):
        found = ""
        for name in _some(draw, names):
            excepted = "".join(f'<Except{other}Rule {other}RuleID="{one}"/>' for one in _some(draw, rules[other]))
            found += f'<{kind}Signer SignerId="{name}">{excepted}</{kind}Signer>'
        groups += f"<{kind}Signers>{found}</{kind}Signers>"
    refs = "".join(f'<FileRuleRef RuleID="{one}"/>' for one in _some(draw, rules["Allow"] + rules["Deny"]))
    value = draw(st.sampled_from([12, 131, 131, 131]))
    return (
        '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>1.2.3.4</VersionEx>'
        "<PolicyID>{A244370E-44C9-4C06-B551-F6016E563076}</PolicyID>"
        f'<EKUs><EKU ID="E" Value="010A2B0601040182370A0305"/></EKUs><FileRules>{files}</FileRules>'
        f'<Signers>{signers}</Signers><SigningScenarios><SigningScenario ID="K" Value="{value}"><ProductSigners>'
        f"{groups}<FileRulesRef>{refs}</FileRulesRef></ProductSigners></SigningScenario></SigningScenarios></SiPolicy>"
    )


def _some(draw: Any, among: list[str]) -> list[str]:
    return draw(st.lists(st.sampled_from(among), unique=True)) if among else []
