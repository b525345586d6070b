"""Paths that keep a rule and paths that break it: one function per case, described by its docstring.

The decorator names the problem code and whether the best path must have it. `test_chain_rules.py` runs the cases and
checks that every code has cases of both kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtensionOID, NameOID

from signer.asn1 import der
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING
from signer.trust.chain import MAX_DEPTH
from signer.trust.constraints import MAX_COMPARISONS
from tests.support.hierarchy import Entity, issue, key, mislabeled, name, reissued_with, rsa_key

WHQL = "1.3.6.1.4.1.311.10.3.5"
ANY_USAGE = "2.5.29.37.0"
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
KEY_USAGE_RESTRICTION = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.4"), b"\x30\x00")
AGENCY_INFO = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.2.1.10"), b"\x30\x00")
BIT_STRING_NAME = bytes.fromhex("3011a40f300d310b3009060355040303020041")
GARBAGE_CONSTRAINTS = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"\xff\xff")


@dataclass(frozen=True)
class Built:
    """The certificates of a case, and whether its best path must reach the root."""

    leaf: Entity
    pool: tuple[Entity, ...]
    root: Entity
    anchored: bool = True
    index: int | None = field(default=None)
    """The index of the certificate that must have the problem."""


@dataclass(frozen=True)
class Case:
    code: str
    breaks: bool
    build: Callable[[], Built]

    @property
    def id(self) -> str:
        return self.build.__name__

    @property
    def sentence(self) -> str:
        return self.build.__doc__ or ""


CASES: list[Case] = []


def case(code: str, *, breaks: bool) -> Callable[[Callable[[], Built]], Callable[[], Built]]:
    def register(build: Callable[[], Built]) -> Callable[[], Built]:
        CASES.append(Case(code, breaks, build))
        return build

    return register


def three(*, index: int | None = None, root: Entity | None = None, leaf: dict | None = None, **ca: object) -> Built:
    """Issue root, CA and leaf; `ca` and `leaf` are arguments of `issue`."""
    root = root or issue("Root", ca=True)
    middle = issue("CA", root, **{"ca": True, **ca})
    return Built(issue("Leaf", middle, **(leaf or {})), (middle,), root, index=index)


# Reaching the root


@case("issuer-unknown", breaks=False)
def complete_path() -> Built:
    """The signature contains the CA, and the root is trusted."""
    return three()


@case("issuer-unknown", breaks=True)
def missing_intermediate() -> Built:
    """The signature does not contain the CA."""
    built = three(index=0)
    return Built(built.leaf, (), built.root, anchored=False, index=0)


@case("issuer-unknown", breaks=True)
def only_another_key_of_the_issuer() -> Built:
    """The signature contains a CA of the right name whose key identifier belongs to another key."""
    root = issue("Root", ca=True)
    right = issue("CA", root, ca=True, extensions=[(x509.SubjectKeyIdentifier(b"right"), False)])
    wrong_identifier = [(x509.SubjectKeyIdentifier(b"wrong"), False)]
    wrong = issue("CA", root, ca=True, private_key=key("other CA"), extensions=wrong_identifier)
    leaf = issue("Leaf", right, extensions=[(x509.AuthorityKeyIdentifier(b"right", None, None), False)])
    return Built(leaf, (wrong,), root, anchored=False, index=0)


@case("root-untrusted", breaks=True)
def untrusted_root() -> Built:
    """The path is complete but ends in an untrusted root."""
    other = issue("Other Root", ca=True)
    middle = issue("CA", other, ca=True)
    return Built(issue("Leaf", middle), (middle, other), issue("Root", ca=True), anchored=False, index=2)


@case("root-untrusted", breaks=True)
def untrusted_root_with_an_unknown_self_signature() -> Built:
    """Roots of the nineties are self-signed with MD2; the problem is still that the root is not trusted."""
    odd = issue("Odd Root", ca=True, private_key=ed25519.Ed25519PrivateKey.generate())
    return Built(odd, (), issue("Root", ca=True), anchored=False, index=0)


@case("root-untrusted", breaks=True)
def self_signed_leaf() -> Built:
    """The signer's certificate is self-signed and not trusted."""
    return Built(issue("Alone"), (), issue("Root", ca=True), anchored=False, index=0)


@case("root-untrusted", breaks=False)
def trusted_self_signed_leaf() -> Built:
    """The signer's certificate is self-signed and trusted, like test certificates of Visual Studio."""
    alone = issue("Alone")
    return Built(alone, (), alone)


@case("bad-signature", breaks=True)
def issuer_named_by_serial_number_only() -> Built:
    """An authority key identifier without a key identifier does not exclude a candidate."""
    root = issue("Root", ca=True)
    wrong = issue(
        "CA", root, ca=True, private_key=key("other CA"), extensions=[(x509.SubjectKeyIdentifier(b"1"), False)]
    )
    by_serial = x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(root.subject)], 7)
    leaf = issue("Leaf", issue("CA", root, ca=True), extensions=[(by_serial, False)])
    return Built(leaf, (wrong,), root, anchored=False, index=0)


@case("bad-signature", breaks=True)
def forged_leaf() -> Built:
    """The leaf names a CA that did not sign it."""
    root = issue("Root", ca=True)
    middle = issue("CA", root, ca=True)
    forger = issue("Forger", ca=True)
    leaf = issue("Leaf", forger, issuer_name="CA")
    return Built(leaf, (middle,), root, anchored=False, index=0)


@case("bad-signature", breaks=True)
def forged_root_signature() -> Built:
    """The CA names the trusted root, which did not sign it."""
    root = issue("Root", ca=True)
    middle = issue("CA", issue("Root", ca=True, private_key=key("not the root")), ca=True)
    return Built(issue("Leaf", middle), (middle,), root, anchored=False, index=1)


@case("bad-signature", breaks=True)
def altered_certificate() -> Built:
    """A byte of the leaf was changed after it was issued."""
    built = three()
    altered = reissued_with(built.leaf, lambda tbs: tbs.replace(b"Leaf", b"Loaf"))
    return Built(altered, built.pool, built.root, anchored=False, index=0)


def altered(**leaf: object) -> Built:
    """Issue a leaf under an RSA root and change a byte of it afterwards."""
    root = issue("RSA Root", ca=True, private_key=rsa_key("root"))
    signed = issue("Leaf", root, **leaf)
    return Built(reissued_with(signed, lambda tbs: tbs.replace(b"Leaf", b"Loaf")), (), root, anchored=False, index=0)


@case("bad-signature", breaks=True)
def altered_under_rsa() -> Built:
    """The root's key decrypts the signature to a different digest."""
    return altered()


@case("bad-signature", breaks=True)
def altered_under_rsa_pss() -> Built:
    """The same for RSASSA-PSS."""
    return altered(pss=True)


@case("bad-signature", breaks=True)
def signed_by_another_rsa_key() -> Built:
    """The root's key does not decrypt the signature to a valid padding."""
    root = issue("RSA Root", ca=True, private_key=rsa_key("root"))
    forger = issue("RSA Root", ca=True, private_key=rsa_key("forger"))
    return Built(issue("Leaf", forger), (), root, anchored=False, index=0)


@case("bad-signature", breaks=True)
def other_algorithm_outside() -> Built:
    """The outer algorithm differs from the signed one; the signature itself would verify."""
    root = issue("Root", ca=True)
    middle = issue("CA", root, ca=True, private_key=rsa_key("ca"))
    leaf = mislabeled(issue("Leaf", middle, digest="sha1"))
    return Built(leaf, (middle,), root, anchored=False, index=0)


@case("bad-signature", breaks=True)
def forged_self_signature() -> Built:
    """The leaf claims to be self-signed, but another key signed it."""
    return Built(
        issue("Alone", issue("Other"), issuer_name="Alone"), (), issue("Root", ca=True), anchored=False, index=0
    )


@case("bad-signature", breaks=False)
def two_keys_of_one_ca() -> Built:
    """Two CAs have the same name; the path contains the one with the right key."""
    root = issue("Root", ca=True)
    wrong = issue("CA", root, ca=True, private_key=key("another"))
    right = issue("CA", root, ca=True)
    return Built(issue("Leaf", right), (wrong, right), root)


@case("bad-signature", breaks=True)
def signature_by_another_kind_of_key() -> Built:
    """The CA has an elliptic curve key, and the leaf was signed with an RSA key."""
    root = issue("Root", ca=True)
    middle = issue("CA", root, ca=True)
    leaf = issue("Leaf", issue("Forger", private_key=rsa_key("root")), issuer_name="CA")
    return Built(leaf, (middle,), root, anchored=False, index=0)


@case("signature-unknown", breaks=True)
def signature_of_an_unknown_kind() -> Built:
    """The CA signs with Ed25519, which Windows does not support."""
    root = issue("Root", ca=True)
    odd = issue("CA", root, ca=True, private_key=ed25519.Ed25519PrivateKey.generate())
    return Built(issue("Leaf", odd), (odd,), root, anchored=False, index=0)


@case("signature-unknown", breaks=True)
def trusted_root_of_an_unknown_kind() -> Built:
    """The root is trusted, but signatures with its key can't be verified."""
    odd = issue("Odd Root", ca=True, private_key=ed25519.Ed25519PrivateKey.generate())
    return Built(issue("Leaf", odd), (), odd, anchored=False, index=0)


@case("signature-unknown", breaks=False)
def signature_with_rsa_pss() -> Built:
    """The root signs with RSASSA-PSS, which is supported."""
    root = issue("PSS Root", ca=True, private_key=rsa_key("root"))
    middle = issue("CA", root, ca=True, pss=True)
    return Built(issue("Leaf", middle), (middle,), root)


@case("search-limit", breaks=True)
def too_deep() -> Built:
    """The path has one certificate more than the limit."""
    return _ladder(MAX_DEPTH + 1)


@case("search-limit", breaks=False)
def deep() -> Built:
    """The path has as many certificates as the limit allows."""
    return _ladder(MAX_DEPTH)


def _ladder(length: int) -> Built:
    """Issue a chain of `length` certificates below the root."""
    root = issue("Root", ca=True)
    rungs = [root]
    for number in range(length - 1):
        rungs.append(issue(f"CA {number}", rungs[-1], ca=True))
    leaf = issue("Leaf", rungs[-1])
    deep = length > MAX_DEPTH
    return Built(leaf, tuple(rungs[1:]), root, anchored=not deep, index=MAX_DEPTH - 1 if deep else None)


# Who may issue


@case("not-a-ca", breaks=True)
def end_entity_as_ca() -> Built:
    """The issuer's basic constraints declare that it is not a CA."""
    return three(ca=False, index=1)


@case("not-a-ca", breaks=False)
def leaf_that_is_not_a_ca() -> Built:
    """A leaf may declare that it is not a CA."""
    return three(leaf={"ca": False})


@case("not-a-ca", breaks=True)
def root_that_is_not_a_ca() -> Built:
    """Even a trusted root can't issue if it declares that it is not a CA."""
    return three(root=issue("Root", ca=False), index=2)


@case("basic-constraints-missing", breaks=True)
def ca_without_basic_constraints() -> Built:
    """An intermediate certificate has no basic constraints."""
    return three(ca=None, index=1)


@case("basic-constraints-missing", breaks=False)
def root_without_basic_constraints() -> Built:
    """Roots of the nineties have no extensions and need none."""
    return three(root=issue("Root"))


@case("path-too-long", breaks=True)
def too_many_cas_below() -> Built:
    """A CA with a path length of 0 has a CA below it."""
    root = issue("Root", ca=True)
    upper = issue("Upper", root, ca=True, path_length=0)
    lower = issue("Lower", upper, ca=True)
    return Built(issue("Leaf", lower), (lower, upper), root, index=2)


@case("path-too-long", breaks=False)
def as_many_cas_as_allowed() -> Built:
    """A CA with a path length of 1 has one CA below it."""
    root = issue("Root", ca=True)
    upper = issue("Upper", root, ca=True, path_length=1)
    lower = issue("Lower", upper, ca=True)
    return Built(issue("Leaf", lower), (lower, upper), root)


@case("path-too-long", breaks=False)
def rollover_does_not_count() -> Built:
    """A CA's certificate for its own new key does not count (RFC 5280, 6.1.4)."""
    root = issue("Root", ca=True)
    old = issue("CA", root, ca=True, path_length=0)
    new = issue("CA", old, ca=True, private_key=key("CA, new"))
    return Built(issue("Leaf", new), (old, new), root)


@case("key-usage", breaks=True)
def ca_key_may_not_sign_certificates() -> Built:
    """The key usage of the CA does not include signing certificates."""
    return three(may_sign=False, index=1)


@case("key-usage", breaks=False)
def ca_key_may_sign_certificates() -> Built:
    """The key usage of the CA includes signing certificates."""
    return three(may_sign=True)


@case("key-usage", breaks=False)
def leaf_key_may_not_sign_certificates() -> Built:
    """The key usage of a leaf need not include signing certificates."""
    return three(leaf={"may_sign": False})


# Usages


@case("eku-nesting", breaks=True)
def ca_for_another_usage() -> Built:
    """A CA for time stamping has issued a code-signing certificate."""
    return three(usages=[EKU_TIME_STAMPING], leaf={"usages": [EKU_CODE_SIGNING]}, index=1)


@case("eku-nesting", breaks=True)
def ca_for_drivers_only_by_whql() -> Built:
    """A CA that lists only the WHQL usage does not allow plain code signing."""
    return three(usages=[WHQL], leaf={"usages": [EKU_CODE_SIGNING, WHQL]}, index=1)


@case("eku-nesting", breaks=True)
def root_for_another_usage() -> Built:
    """The usages of a root restrict the path as well."""
    return three(root=issue("Root", ca=True, usages=[EKU_TIME_STAMPING]), index=2)


@case("eku-nesting", breaks=False)
def ca_for_this_usage() -> Built:
    """The CA lists code signing."""
    return three(usages=[EKU_CODE_SIGNING], leaf={"usages": [EKU_CODE_SIGNING]})


@case("eku-nesting", breaks=False)
def ca_for_any_usage() -> Built:
    """The CA lists "any extended key usage"."""
    return three(usages=[ANY_USAGE], leaf={"usages": [EKU_CODE_SIGNING]})


@case("eku-nesting", breaks=False)
def ca_that_lists_no_usage() -> Built:
    """A CA without the extension permits every usage."""
    return three(leaf={"usages": [EKU_CODE_SIGNING]})


# Names


def constrained(*, permitted: list | None = None, excluded: list | None = None, **leaf: object) -> Built:
    """Issue a path whose CA has name constraints; the leaf's subject is "Leaf" unless `leaf` sets it."""
    limits = (x509.NameConstraints(permitted, excluded), True)
    root = issue("Root", ca=True)
    middle = issue("CA", root, ca=True, extensions=[limits])
    subject = leaf.pop("subject", "Leaf")
    return Built(issue(subject, middle, **leaf), (middle,), root, index=0)


def organization(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


def alternative(*names: x509.GeneralName) -> list:
    return [(x509.SubjectAlternativeName(names), False)]


@case("name-constraints", breaks=True)
def outside_the_permitted_directory() -> Built:
    """The CA may only issue within one organization, and the leaf is of another."""
    permitted = [x509.DirectoryName(organization("Contoso"))]
    return constrained(permitted=permitted, subject=name("Leaf", (NameOID.ORGANIZATION_NAME, "Fabrikam")))


@case("name-constraints", breaks=False)
def inside_the_permitted_directory() -> Built:
    """The leaf is of the organization; the comparison ignores case and repeated spaces."""
    permitted = [x509.DirectoryName(organization("Contoso  Ltd"))]
    return constrained(permitted=permitted, subject=name("Leaf", (NameOID.ORGANIZATION_NAME, "CONTOSO Ltd")))


@case("name-constraints", breaks=True)
def in_the_excluded_directory() -> Built:
    """The CA may not issue for one organization, in upper or lower case."""
    excluded = [x509.DirectoryName(organization("contoso"))]
    return constrained(excluded=excluded, subject=name("Leaf", (NameOID.ORGANIZATION_NAME, "Contoso")))


@case("name-constraints", breaks=False)
def beside_the_excluded_directory() -> Built:
    """Another organization is not excluded."""
    excluded = [x509.DirectoryName(organization("Contoso"))]
    return constrained(excluded=excluded, subject=name("Leaf", (NameOID.ORGANIZATION_NAME, "Fabrikam")))


@case("name-constraints", breaks=True)
def in_one_of_the_excluded_directories() -> Built:
    """One of two exclusions is enough."""
    excluded = [x509.DirectoryName(organization(text)) for text in ("Contoso", "Fabrikam")]
    return constrained(excluded=excluded, subject=name("Leaf", (NameOID.ORGANIZATION_NAME, "Fabrikam")))


@case("name-constraints", breaks=False)
def in_one_of_the_permitted_directories() -> Built:
    """One of two permissions is enough."""
    permitted = [x509.DirectoryName(organization(text)) for text in ("Contoso", "Fabrikam")]
    return constrained(permitted=permitted, subject=name("Leaf", (NameOID.ORGANIZATION_NAME, "Fabrikam")))


@case("name-constraints", breaks=True)
def leaf_far_below_the_constraint() -> Built:
    """A constraint applies to every certificate below its CA."""
    root = issue("Root", ca=True)
    limits = x509.NameConstraints([x509.DNSName("example.com")], None)
    upper = issue("Upper", root, ca=True, extensions=[(limits, True)])
    lower = issue("Lower", upper, ca=True)
    leaf = issue("Leaf", lower, extensions=alternative(x509.DNSName("example.org")))
    return Built(leaf, (upper, lower), root, index=0)


def rolled_over(**leaf: object) -> Built:
    """Issue a path in which a CA certifies its own new key, although its constraints exclude its own organization."""
    of_contoso = name("CA", (NameOID.ORGANIZATION_NAME, "Contoso"))
    limits = (x509.NameConstraints(None, [x509.DirectoryName(organization("Contoso"))]), True)
    root = issue("Root", ca=True)
    old = issue(of_contoso, root, ca=True, extensions=[limits])
    new = issue(of_contoso, old, ca=True, private_key=key("CA, new"))
    subject = leaf.get("subject", "Leaf")
    return Built(issue(subject, new, private_key=key("Leaf")), (old, new), root, index=0)


@case("name-constraints", breaks=False)
def rollover_is_exempt() -> Built:
    """A CA's certificate for its own new key is exempt (RFC 5280, 6.1.3 (b))."""
    return rolled_over()


@case("name-constraints", breaks=True)
def leaf_with_the_name_of_its_ca_is_not_exempt() -> Built:
    """A leaf with the name of its CA is not exempt."""
    return rolled_over(subject=name("CA", (NameOID.ORGANIZATION_NAME, "Contoso")))


@case("name-constraints", breaks=True)
def ca_between_a_rollover_and_the_constraint() -> Built:
    """The exemption of a self-issued certificate does not apply to the CA certificate above it."""
    limits = (x509.NameConstraints(None, [x509.DirectoryName(organization("Contoso"))]), True)
    of_contoso = name("CA", (NameOID.ORGANIZATION_NAME, "Contoso"))
    root = issue("Root", ca=True)
    top = issue("Top", root, ca=True, extensions=[limits])
    old = issue(of_contoso, top, ca=True)
    new = issue(of_contoso, old, ca=True, private_key=key("CA, new"))
    return Built(issue("Leaf", new), (top, old, new), root, index=2)


@case("name-constraints", breaks=True)
def every_host_excluded() -> Built:
    """An empty host name excludes every host."""
    return constrained(excluded=[x509.DNSName("")], extensions=alternative(x509.DNSName("example.com")))


@case("name-constraints", breaks=True)
def another_mailbox() -> Built:
    """Only one mailbox is permitted."""
    names = alternative(x509.RFC822Name("you@contoso.com"))
    return constrained(permitted=[x509.RFC822Name("me@contoso.com")], extensions=names)


@case("name-constraints", breaks=False)
def the_same_mailbox() -> Built:
    """Only one mailbox is permitted, and the leaf has it."""
    names = alternative(x509.RFC822Name("me@contoso.com"))
    return constrained(permitted=[x509.RFC822Name("me@contoso.com")], extensions=names)


@case("name-constraints", breaks=True)
def mail_outside_the_permitted_domain() -> Built:
    """The host's name ends with the domain's name, but it is in another domain."""
    names = alternative(x509.RFC822Name("me@badcontoso.com"))
    return constrained(permitted=[x509.RFC822Name(".contoso.com")], extensions=names)


@case("name-constraints", breaks=True)
def host_outside_the_permitted_domain() -> Built:
    """badexample.com is not in example.com."""
    names = alternative(x509.DNSName("badexample.com"))
    return constrained(permitted=[x509.DNSName("example.com")], extensions=names)


@case("name-constraints", breaks=False)
def host_inside_the_permitted_domain() -> Built:
    """www.example.com is in example.com."""
    names = alternative(x509.DNSName("www.example.com"))
    return constrained(permitted=[x509.DNSName("example.com")], extensions=names)


@case("name-constraints", breaks=True)
def mail_outside_the_permitted_host() -> Built:
    """A mailbox at a host below the permitted one is not at the permitted one."""
    names = alternative(x509.RFC822Name("me@sub.example.com"))
    return constrained(permitted=[x509.RFC822Name("example.com")], extensions=names)


@case("name-constraints", breaks=False)
def mail_inside_the_permitted_domain() -> Built:
    """With a leading dot every host of the domain is permitted."""
    names = alternative(x509.RFC822Name("me@sub.example.com"))
    return constrained(permitted=[x509.RFC822Name(".example.com")], extensions=names)


@case("name-constraints", breaks=True)
def mail_in_the_subject_counts() -> Built:
    """A mail address in the subject counts if there are no alternative names."""
    subject = name("Leaf", (NameOID.EMAIL_ADDRESS, "me@fabrikam.com"))
    return constrained(permitted=[x509.RFC822Name("contoso.com")], subject=subject)


@case("name-constraints", breaks=True)
def address_in_an_excluded_network() -> Built:
    """The address is in the excluded network."""
    names = alternative(x509.IPAddress(ip_network("10.0.0.0/8").network_address + 7))
    return constrained(excluded=[x509.IPAddress(ip_network("10.0.0.0/8"))], extensions=names)


@case("name-constraints", breaks=False)
def address_outside_an_excluded_network() -> Built:
    """The address is outside the excluded network."""
    names = alternative(x509.IPAddress(ip_network("11.0.0.0/8").network_address))
    return constrained(excluded=[x509.IPAddress(ip_network("10.0.0.0/8"))], extensions=names)


@case("name-constraints", breaks=True)
def link_outside_the_permitted_host() -> Built:
    """The URI has another host."""
    names = alternative(x509.UniformResourceIdentifier("https://user@fabrikam.com/contoso.com"))
    return constrained(permitted=[x509.UniformResourceIdentifier("contoso.com")], extensions=names)


@case("name-constraints", breaks=False)
def link_inside_the_permitted_domain() -> Built:
    """The host of the URI is in the domain."""
    names = alternative(x509.UniformResourceIdentifier("https://www.contoso.com/x"))
    return constrained(permitted=[x509.UniformResourceIdentifier(".contoso.com")], extensions=names)


@case("name-constraints", breaks=True)
def name_of_a_form_that_is_not_compared() -> Built:
    """A constraint on an unsupported name type counts as violated."""
    names = alternative(x509.RegisteredID(x509.ObjectIdentifier("1.2.3")))
    return constrained(excluded=[x509.RegisteredID(x509.ObjectIdentifier("1.2.4"))], extensions=names)


@case("name-constraints", breaks=False)
def limit_on_names_that_do_not_occur() -> Built:
    """A constraint on host names does not affect a leaf without host names."""
    return constrained(permitted=[x509.DNSName("example.com")])


@case("name-constraints", breaks=True)
def wildcard_for_an_excluded_host() -> Built:
    """*.example.com includes the excluded bar.example.com (CVE-2025-61727)."""
    names = alternative(x509.DNSName("*.example.com"))
    return constrained(excluded=[x509.DNSName("bar.example.com")], extensions=names)


@case("name-constraints", breaks=False)
def wildcard_beside_an_excluded_host() -> Built:
    """*.example.com does not include bar.example.org, and a name without a wildcard is no wildcard."""
    names = alternative(x509.DNSName("*.example.com"), x509.DNSName("x.example.org"))
    return constrained(excluded=[x509.DNSName("bar.example.org")], extensions=names)


@case("name-constraints", breaks=True)
def excluded_domain_with_a_leading_dot() -> Built:
    """An exclusion with a leading dot also covers the domain itself."""
    return constrained(excluded=[x509.DNSName(".example.com")], extensions=alternative(x509.DNSName("example.com")))


@case("name-constraints", breaks=True)
def permitted_domain_with_a_leading_dot() -> Built:
    """A permission with a leading dot does not cover the domain itself."""
    return constrained(permitted=[x509.DNSName(".example.com")], extensions=alternative(x509.DNSName("example.com")))


@case("name-constraints", breaks=False)
def host_in_a_permitted_domain_with_a_leading_dot() -> Built:
    """A permission with a leading dot covers the hosts below the domain."""
    names = alternative(x509.DNSName("www.EXAMPLE.com."))
    return constrained(permitted=[x509.DNSName(".Example.com")], extensions=names)


@case("name-constraints", breaks=True)
def host_with_an_empty_label() -> Built:
    """A malformed host name is not permitted, although it ends with the permitted domain."""
    names = alternative(x509.DNSName(".example.com"))
    return constrained(permitted=[x509.DNSName("example.com")], extensions=names)


@case("name-constraints", breaks=True)
def mail_with_two_at_signs() -> Built:
    """Nothing shows that a malformed mailbox is not excluded."""
    subject = name("Leaf", (NameOID.EMAIL_ADDRESS, "me@contoso.com@fabrikam.com"))
    return constrained(excluded=[x509.RFC822Name("contoso.com")], subject=subject)


@case("name-constraints", breaks=True)
def mail_in_the_subject_that_is_not_ascii() -> Built:
    """A mail address of other characters is compared as it is."""
    subject = name("Leaf", (NameOID.EMAIL_ADDRESS, "m\u00fcller@fabrikam.com"))
    return constrained(permitted=[x509.RFC822Name("contoso.com")], subject=subject)


@case("name-constraints", breaks=True)
def link_that_is_not_a_uri() -> Built:
    """Nothing shows that the host of a malformed URI is not excluded."""
    names = alternative(x509.UniformResourceIdentifier("http://[contoso.com"))
    return constrained(excluded=[x509.UniformResourceIdentifier("contoso.com")], extensions=names)


@case("name-constraints", breaks=True)
def link_without_a_host() -> Built:
    """A URI without a host violates every constraint on URIs (RFC 5280, 4.2.1.10)."""
    names = alternative(x509.UniformResourceIdentifier("urn:contoso"))
    return constrained(excluded=[x509.UniformResourceIdentifier("fabrikam.com")], extensions=names)


@case("name-constraints", breaks=True)
def link_to_an_address() -> Built:
    """So does one with an address instead of a host name."""
    names = alternative(x509.UniformResourceIdentifier("http://10.0.0.1/"))
    return constrained(excluded=[x509.UniformResourceIdentifier("fabrikam.com")], extensions=names)


@case("name-constraints", breaks=True)
def link_to_an_excluded_host_with_a_final_dot() -> Built:
    """A final dot makes no other host."""
    names = alternative(x509.UniformResourceIdentifier("http://contoso.com./"))
    return constrained(excluded=[x509.UniformResourceIdentifier("contoso.com")], extensions=names)


@case("search-limit", breaks=True)
def too_many_names_and_constraints() -> Built:
    """177 names and 113 constraints are one comparison more than the limit (the subject is a name too)."""
    assert MAX_COMPARISONS + 1 == 177 * 113
    names = alternative(*(x509.DNSName(f"h{number}.example.com") for number in range(176)))
    excluded = [x509.DNSName(f"h{number}.example.org") for number in range(113)]
    return replace(constrained(excluded=excluded, extensions=names), index=1)


@case("search-limit", breaks=False)
def as_many_names_and_constraints_as_the_limit() -> Built:
    """200 names and 100 constraints are compared."""
    names = alternative(*(x509.DNSName(f"h{number}.example.com") for number in range(MAX_COMPARISONS // 100 - 1)))
    return constrained(excluded=[x509.DNSName(f"h{number}.example.org") for number in range(100)], extensions=names)


# Extensions


@case("critical-extension", breaks=True)
def unknown_critical_extension() -> Built:
    """A certificate has an unknown critical extension."""
    return three(extensions=[(UNKNOWN_EXTENSION, True)], index=1)


@case("critical-extension", breaks=False)
def unknown_extension() -> Built:
    """An unknown extension that is not critical is ignored."""
    return three(extensions=[(UNKNOWN_EXTENSION, False)])


@case("critical-extension", breaks=False)
def extensions_of_the_first_authenticode() -> Built:
    """The critical extensions that VeriSign wrote until 2000 restrict the key and name the agency; both are known."""
    return three(leaf={"extensions": [(KEY_USAGE_RESTRICTION, True), (AGENCY_INFO, True)]})


@case("unreadable", breaks=True)
def damaged_extension() -> Built:
    """The basic constraints can't be decoded."""
    return three(ca=None, extensions=[(GARBAGE_CONSTRAINTS, True)], index=1)


@case("unreadable", breaks=True)
def alternative_name_that_is_a_bit_string() -> Built:
    """The cryptography library raises a different error for this damage than for others."""
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), BIT_STRING_NAME)
    return three(extensions=[(odd, False)], index=1)


@case("unreadable", breaks=False)
def readable_extensions() -> Built:
    """A certificate has all common extensions."""
    return three(may_sign=True, path_length=0, usages=[EKU_CODE_SIGNING])


# Weak keys and digests


@case("weak-key", breaks=True)
def rsa_1024() -> Built:
    """A CA with an RSA key of 1024 bits."""
    return three(private_key=rsa_key("small", 1024), index=1)


@case("weak-key", breaks=True)
def rsa_2047() -> Built:
    """A CA with an RSA key that is one bit too short."""
    return three(private_key=rsa_key("short", 2047), index=1)


@case("weak-key", breaks=False)
def rsa_2048() -> Built:
    """A CA with an RSA key of 2048 bits."""
    return three(private_key=rsa_key("root"))


@case("weak-key", breaks=True)
def rsa_1024_root() -> Built:
    """The root itself has a small key."""
    return three(root=issue("Small Root", ca=True, private_key=rsa_key("small", 1024)), index=2)


@case("weak-key", breaks=True)
def small_curve() -> Built:
    """A leaf with a key on P-192."""
    return three(leaf={"private_key": ec.generate_private_key(ec.SECP192R1())}, index=0)


@case("key-unknown", breaks=True)
def leaf_with_an_unknown_key() -> Built:
    """A leaf has an Ed25519 key, which Authenticode does not support."""
    return three(leaf={"private_key": ed25519.Ed25519PrivateKey.generate()}, index=0)


@case("key-unknown", breaks=False)
def leaf_with_an_elliptic_curve_key() -> Built:
    """A leaf with a key on P-384."""
    return three(leaf={"private_key": ec.generate_private_key(ec.SECP384R1())})


@case("digest-md5", breaks=True)
def signed_over_md5() -> Built:
    """The CA was issued with MD5, and the signature is good."""
    root = issue("RSA Root", ca=True, private_key=rsa_key("root"))
    return three(root=root, digest="md5", index=1)


@case("digest-md5", breaks=False)
def md5_of_the_root_does_not_matter() -> Built:
    """The root's own signature is not verified, so its digest does not matter."""
    root = issue("RSA Root", ca=True, private_key=rsa_key("root"), digest="md5")
    return three(root=root)


@case("digest-sha1", breaks=True)
def signed_over_sha1() -> Built:
    """The leaf was issued with SHA-1, and the signature is good."""
    return three(private_key=rsa_key("ca"), leaf={"digest": "sha1"}, index=0)


@case("digest-sha1", breaks=True)
def signed_over_sha1_with_an_old_oid() -> Built:
    """Old makecert versions wrote the OIW identifier of sha1WithRSA."""
    return three(private_key=rsa_key("ca"), leaf={"digest": "sha1-oiw"}, index=0)


@case("digest-sha1", breaks=False)
def signed_over_sha256() -> Built:
    """The leaf was issued with SHA-256."""
    return three(private_key=rsa_key("ca"))


POLICY, OTHER_POLICY, ANY_POLICY = "1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2", "2.5.29.32.0"


def policies(*dotted: str) -> tuple[x509.ExtensionType, bool]:
    found = [x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in dotted]
    return x509.CertificatePolicies(found), False


def requires(skip: int = 0) -> tuple[x509.ExtensionType, bool]:
    return x509.PolicyConstraints(skip, None), True


def forbids_mappings(skip: int = 0, requires: int | None = None) -> tuple[x509.ExtensionType, bool]:
    return x509.PolicyConstraints(requires, skip), True


def forbids_any_policy(skip: int = 0) -> tuple[x509.ExtensionType, bool]:
    return x509.InhibitAnyPolicy(skip), True


def maps(*pairs: tuple[str, str]) -> tuple[x509.ExtensionType, bool]:
    encoded = der.sequence(*(der.sequence(der.oid(issuer), der.oid(subject)) for issuer, subject in pairs))
    return x509.UnrecognizedExtension(ExtensionOID.POLICY_MAPPINGS, encoded), True


def chained(*each: list[tuple[x509.ExtensionType, bool]], index: int | None = None) -> Built:
    """Issue a root, a CA for each list of extensions but the last, and a leaf with the last one."""
    root = issue("Root", ca=True)
    pool = [root]
    for number, extensions in enumerate(each[:-1]):
        pool.append(issue(f"CA {number}", pool[-1], ca=True, extensions=extensions))
    return Built(issue("Leaf", pool[-1], extensions=each[-1]), tuple(pool[1:]), root, index=index)


@case("invalid-policy", breaks=True)
def no_policy_where_one_is_required() -> Built:
    """A CA requires a policy, and the leaf has none (BSI's CERT_PATH_EXT_18)."""
    return chained([policies(POLICY), requires()], [], index=0)


@case("invalid-policy", breaks=False)
def the_required_policy() -> Built:
    """The leaf has the policy of the CA that requires one."""
    return chained([policies(POLICY), requires()], [policies(POLICY)])


@case("invalid-policy", breaks=True)
def another_policy_than_the_required_one() -> Built:
    """The policy of the leaf is not one of its CA."""
    return chained([policies(POLICY), requires()], [policies(OTHER_POLICY)], index=0)


@case("invalid-policy", breaks=False)
def no_policy_where_none_is_required() -> Built:
    """Without a requirement, neither other policies nor none are a problem: code signing requests none."""
    return chained([policies(POLICY)], [policies(OTHER_POLICY)], [])


@case("invalid-policy", breaks=True)
def a_ca_that_requires_a_policy_and_has_none() -> Built:
    """Without a policy of its own, none below it is valid."""
    return chained([requires()], [policies(POLICY)], index=0)


@case("invalid-policy", breaks=False)
def a_ca_with_any_policy() -> Built:
    """anyPolicy of a CA allows every policy of the leaf."""
    return chained([policies(ANY_POLICY), requires()], [policies(POLICY)])


@case("invalid-policy", breaks=False)
def a_leaf_with_any_policy() -> Built:
    """anyPolicy of the leaf is that of its CA."""
    return chained([policies(POLICY), requires()], [policies(ANY_POLICY)])


@case("invalid-policy", breaks=True)
def a_leaf_with_any_policy_that_is_inhibited() -> Built:
    """Below the CA, anyPolicy does not count."""
    return chained([policies(POLICY), requires(), forbids_any_policy()], [policies(ANY_POLICY)], index=0)


@case("invalid-policy", breaks=False)
def any_policy_of_the_last_certificate_that_may_have_it() -> Built:
    """The next CA may still have anyPolicy, and the leaf has the policy itself."""
    first = [policies(POLICY), requires(), forbids_any_policy(1)]
    return chained(first, [policies(ANY_POLICY)], [policies(POLICY)])


@case("invalid-policy", breaks=True)
def any_policy_behind_the_last_certificate_that_may_have_it() -> Built:
    """One CA may have anyPolicy, not the leaf below it."""
    first = [policies(POLICY), requires(), forbids_any_policy(1)]
    return chained(first, [policies(POLICY)], [policies(ANY_POLICY)], index=0)


@case("invalid-policy", breaks=True)
def a_requirement_that_begins_at_the_leaf() -> Built:
    """Two certificates may do without a policy; the leaf is the third, and the first CA had none."""
    return chained([requires(1)], [], [], index=0)


@case("invalid-policy", breaks=False)
def a_requirement_that_begins_behind_the_leaf() -> Built:
    """Three more certificates may do without a policy, and the path has two."""
    return chained([requires(3)], [], [])


@case("invalid-policy", breaks=True)
def a_leaf_that_requires_a_policy_of_itself() -> Built:
    """The wrap-up counts the requirement of the leaf (RFC 5280, 6.1.5, b)."""
    return chained([policies(POLICY)], [requires()], index=0)


@case("invalid-policy", breaks=True)
def every_certificate_requires_a_policy() -> Built:
    """The leaf has none."""
    return chained([policies(POLICY), requires()], [requires()], index=0)


@case("invalid-policy", breaks=True)
def the_last_ca_lets_one_certificate_do_without_a_policy() -> Built:
    """The leaf is counted, too (RFC 5280, 6.1.5, a)."""
    return chained([policies(POLICY), requires(1)], [], index=0)


@case("invalid-policy", breaks=True)
def the_second_intermediate_without_the_required_policy() -> Built:
    """The requirement stays, whatever the number of CAs."""
    return chained([policies(POLICY), requires()], [policies(POLICY)], [], [policies(POLICY)], index=1)


@case("invalid-policy", breaks=True)
def a_ca_with_any_policy_that_is_inhibited() -> Built:
    """The CA is not self-issued, so that its anyPolicy does not count."""
    first = [policies(POLICY), requires(), forbids_any_policy()]
    return chained(first, [policies(ANY_POLICY)], [policies(POLICY)], index=1)


def renewed(*each: list[tuple[x509.ExtensionType, bool]], index: int | None = None) -> Built:
    """Issue a root, a CA, the CA's certificate for its new key, and a leaf."""
    old_extensions, new_extensions, leaf_extensions = each
    root = issue("Root", ca=True)
    old = issue("CA", root, ca=True, extensions=old_extensions)
    new = issue("CA", old, ca=True, private_key=key("CA, new"), extensions=new_extensions)
    return Built(issue("Leaf", new, extensions=leaf_extensions), (old, new), root, index=index)


@case("invalid-policy", breaks=False)
def any_policy_of_a_renewed_ca() -> Built:
    """A CA's certificate for its own new key may have anyPolicy in any case (RFC 5280, 6.1.3, d, 2)."""
    first = [policies(POLICY), requires(), forbids_any_policy()]
    return renewed(first, [policies(ANY_POLICY)], [policies(POLICY)])


@case("invalid-policy", breaks=False)
def a_renewed_ca_is_not_counted() -> Built:
    """Two more certificates may do without a policy: only the leaf is counted (RFC 5280, 6.1.4, h)."""
    return renewed([requires(2)], [], [])


@case("invalid-policy", breaks=True)
def a_leaf_that_is_counted_below_a_renewed_ca() -> Built:
    """One more certificate may do without a policy, and the wrap-up counts the leaf."""
    return renewed([requires(1)], [], [], index=0)


@case("invalid-policy", breaks=True)
def an_intermediate_without_the_required_policy() -> Built:
    """The path is invalid from the certificate that breaks it."""
    return chained([policies(POLICY), requires()], [], [policies(POLICY)], index=1)


@case("invalid-policy", breaks=False)
def a_mapped_policy() -> Built:
    """The CA maps the required policy to the one that the leaf has."""
    return chained([policies(POLICY), requires(), maps((POLICY, OTHER_POLICY))], [policies(OTHER_POLICY)])


@case("invalid-policy", breaks=True)
def the_policy_that_was_mapped_away() -> Built:
    """After the mapping, the leaf needs the equivalent policy."""
    return chained([policies(POLICY), requires(), maps((POLICY, OTHER_POLICY))], [policies(POLICY)], index=0)


@case("invalid-policy", breaks=False)
def a_mapping_of_any_policy_to_one() -> Built:
    """A CA with anyPolicy has the policy that it maps."""
    return chained([policies(ANY_POLICY), requires(), maps((POLICY, OTHER_POLICY))], [policies(OTHER_POLICY)])


@case("invalid-policy", breaks=True)
def a_mapping_that_a_ca_forbids() -> Built:
    """Windows reports mappings below a CA that forbids them, even if no policy is required."""
    first = [policies(POLICY), forbids_mappings()]
    return chained(first, [policies(POLICY), maps((POLICY, OTHER_POLICY))], [policies(OTHER_POLICY)], index=1)


@case("invalid-policy", breaks=False)
def a_mapping_that_a_ca_still_allows() -> Built:
    """One more CA may map policies."""
    first = [policies(POLICY), forbids_mappings(1, requires=0)]
    return chained(first, [policies(POLICY), maps((POLICY, OTHER_POLICY))], [policies(OTHER_POLICY)])


@case("invalid-policy", breaks=True)
def a_mapping_to_any_policy() -> Built:
    """RFC 5280, 6.1.4 (a)."""
    return chained([policies(POLICY), maps((POLICY, ANY_POLICY))], [policies(POLICY)], index=1)


@case("invalid-policy", breaks=True)
def a_mapping_to_any_policy_above_mappings_of_the_leaf() -> Built:
    """Those of the leaf map nothing."""
    first = [policies(POLICY), maps((POLICY, ANY_POLICY))]
    return chained(first, [policies(POLICY), maps((POLICY, OTHER_POLICY))], index=1)


@case("invalid-policy", breaks=False)
def requirements_of_the_root() -> Built:
    """The extensions of the trust anchor do not count (RFC 5280, 6.1.1)."""
    return three(root=issue("Root", ca=True, extensions=[requires()]))


@case("unreadable", breaks=True)
def policy_mappings_that_are_garbage() -> Built:
    """Nobody knows what the CA maps."""
    garbage = x509.UnrecognizedExtension(ExtensionOID.POLICY_MAPPINGS, b"\x30\x05abc")
    return three(extensions=[(garbage, True)], index=1)


@case("invalid-policy", breaks=False)
def mappings_that_multiply() -> Built:
    """Each of eight CAs maps every policy to all 40, a tree of 10 trillion nodes (CVE-2023-0464)."""
    many = [f"1.3.6.1.4.1.99999.{number}" for number in range(40)]
    every = maps(*((one, other) for one in many for other in many))
    return chained([policies(*many), requires()], *[[policies(*many), every]] * 8, [policies(*many)])
