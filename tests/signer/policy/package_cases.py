"""Cases of whole packages: the INF names its catalog, which exists, is for the release and lists every file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from signer.asn1.oids import EKU_WHQL
from signer.policy.package import Member, Package, os_attribute
from signer.policy.sources import ADMINISTRATOR_PROMPT, CATALOGS, CATEGORIES, VERSION_SECTION
from tests.signer.policy.documents import unsettled
from tests.support.policy_builder import Sign, by_microsoft, commercial, driver


def member(name: str, *signs: Sign) -> Member:
    """Return a file of a package: a driver if it ends in .sys."""
    sample = driver(*signs, kind="image" if name.endswith(".sys") else "file", name=name)
    return Member(sample.evidence, sample.paths)


def package(sign: Sign) -> Package:
    """Return a package whose catalog has this signature and lists every file."""
    listed = sign.in_catalog("sample.cat")
    files = (member("sample.sys", listed, by_microsoft(EKU_WHQL)), member("sample.dll", listed))
    return Package("sample.inf", member("sample.inf", listed), files, "sample.cat", os_attributes=((10, 0),))


GOOD = package(by_microsoft(EKU_WHQL))
UNSIGNED = Package("sample.inf", member("sample.inf"), (member("sample.sys"),), None)
ALTERED = replace(GOOD, os_attributes=None, files=(*GOOD.files, member("new.sys")))


@dataclass(frozen=True)
class PackageCase:
    """The expected outcome of a package on a target."""

    id: str
    sentence: str
    source: str
    """The document or report that settles the sentence, or `documents.unsettled`."""
    package: Package
    target: str
    outcome: str
    rule: str
    code: str


PACKAGES = (
    PackageCase(
        "signed-by-microsoft",
        "A package whose catalog Microsoft signed installs without a prompt.",
        CATEGORIES,
        GOOD,
        "win10-22h2-x64",
        "accepted",
        "publisher",
        "publisher-microsoft",
    ),
    PackageCase(
        "signed-by-a-publisher",
        "A package of a publisher that the machine does not know installs after a prompt.",
        CATEGORIES,
        package(commercial()),
        "win10-22h2-x64",
        "accepted",
        "publisher",
        "publisher-prompt",
    ),
    PackageCase(
        "no-catalog-file",
        "A package is unsigned if its INF has no CatalogFile entry, even if a catalog lists its files.",
        VERSION_SECTION,
        replace(GOOD, catalog_file=None),
        "win10-22h2-x64",
        "rejected",
        "catalog-file",
        "no-catalog-file",
    ),
    PackageCase(
        "catalog-missing",
        "The catalog is in the folder of the INF.",
        VERSION_SECTION,
        replace(GOOD, catalog_present=False),
        "win10-22h2-x64",
        "rejected",
        "catalog-file",
        "catalog-missing",
    ),
    PackageCase(
        "catalog-unsigned",
        "A package whose catalog has no signature is refused on 64-bit Windows.",
        "pbatard/libwdi issues 225 and 226",
        replace(GOOD, catalog_signed=False),
        "win10-22h2-x64",
        "rejected",
        "catalog-unsigned",
        "catalog-unsigned",
    ),
    *(
        PackageCase(
            f"unsigned-on-{target}",
            "An administrator can install an unsigned package until Windows 7; Windows 8 and later refuse it.",
            ADMINISTRATOR_PROMPT,
            UNSIGNED,
            target,
            outcome,
            rule,
            code,
        )
        for target, outcome, rule, code in (
            ("win8-x64", "rejected", "catalog-file", "no-catalog-file"),
            ("win7-x64", "accepted", "administrator-prompt", "no-catalog-file"),
            ("vista-x86", "accepted", "administrator-prompt", "administrator-prompt"),
        )
    ),
    *(
        PackageCase(
            f"altered-on-{target}",
            "An administrator can install an altered package until Windows 7; Windows 8 and later refuse it.",
            ADMINISTRATOR_PROMPT,
            ALTERED,
            target,
            outcome,
            rule,
            "not-catalogued",
        )
        for target, outcome, rule in (
            ("win7-x64", "accepted", "administrator-prompt"),
            ("win8-x64", "rejected", "catalogued"),
        )
    ),
    *(
        PackageCase(
            f"catalog-for-{versions[0][0]}.{versions[0][1]}-on-{target}",
            "A catalog whose OSAttr has only later versions is refused; one for an older version is accepted.",
            os_attribute.source,
            replace(GOOD, os_attributes=versions),
            target,
            outcome,
            rule,
            code,
        )
        for versions, target, outcome, rule, code in (
            (((10, 0),), "win8.1-x64", "rejected", "os-attribute", "os-attribute-mismatch"),
            (((6, 1),), "win10-22h2-x64", "accepted", "publisher", "os-attribute-older"),
            (((6, 3),), "server2012r2-x64", "accepted", "publisher", "publisher-microsoft"),
            (((6, 0),), "vista-x64", "accepted", "publisher", "publisher-microsoft"),
            (((99, 0),), "win10-22h2-x64", "rejected", "os-attribute", "os-attribute-mismatch"),
        )
    ),
    PackageCase(
        "no-os-attribute",
        "A catalog without an OSAttr is for every release.",
        os_attribute.source,
        replace(GOOD, os_attributes=None),
        "win7-x64",
        "accepted",
        "publisher",
        "publisher-microsoft",
    ),
    PackageCase(
        "garbage-in-the-os-attribute",
        "What Windows makes of an OSAttr that names no version is not documented.",
        unsettled(os_attribute.source),
        replace(GOOD, os_attributes=()),
        "win10-22h2-x64",
        "unknown",
        "os-attribute",
        "os-attribute-unreadable",
    ),
    PackageCase(
        "garbage-in-the-os-attribute-of-an-altered-package",
        "A package with a file that its catalog does not list is refused.",
        CATALOGS,
        replace(ALTERED, os_attributes=()),
        "win10-22h2-x64",
        "rejected",
        "catalogued",
        "os-attribute-unreadable",
    ),
    PackageCase(
        "only-an-embedded-signature",
        "An embedded signature does not replace an entry in the catalog.",
        CATALOGS,
        replace(GOOD, files=(*GOOD.files, member("new.sys", by_microsoft(EKU_WHQL)))),
        "win10-22h2-x64",
        "rejected",
        "catalogued",
        "not-catalogued",
    ),
    PackageCase(
        "inf-not-listed",
        "The catalog lists the INF.",
        CATALOGS,
        replace(GOOD, inf=member("sample.inf")),
        "win10-22h2-x64",
        "rejected",
        "catalogued",
        "not-catalogued",
    ),
)
