"""The switches of SignTool's commands. Sources: "SignTool" (win32, SecCrypto/signtool.md) and SignTool's usage."""

from __future__ import annotations

from signer.cli.front_ends.switches import Grammar, Switch

_STORE = "a store here is what makecert -ss wrote, and for My also the test certificates"
_SERVICE = "For keys in tokens and services: drvsign sign --identity URI."
_DIGESTS = "Use drvsign sign --detached-request and drvsign attach."
_PKCS7 = "drvsign signs files in their own format; for a signature beside the file: drvsign sign --detached."
_GONE = "SignTool does not support it either."
_SEALS = "drvsign writes no sealing signatures."
_MACHINE = "The machine's stores exist on Windows only: remove /sm, or name the key with /f FILE.pfx."
_DATABASE = "Catalog databases exist on Windows only: name the catalog with /c FILE."
_GLOBAL = {
    "q": Switch(does="`--quiet`"),
    "v": Switch(does="the certificates and a summary"),
    "debug": Switch(does="nothing more"),
}

_QUIET = ("q", "v")

SIGN = Grammar(
    {
        "a": Switch(does="of several certificates, take the one that is valid for the longest time"),
        "ac": Switch("value", "`--cross-cert FILE`"),
        "as": Switch(does="`--append`"),
        "c": Switch("value", refused="Certificate templates exist on Windows only."),
        "csp": Switch("value", refused=_SERVICE),
        "d": Switch("value", "`--description TEXT`"),
        "dg": Switch("value", refused=_DIGESTS),
        "di": Switch("value", refused=_DIGESTS),
        "dlib": Switch("value", refused=_SERVICE),
        "dmdf": Switch("value", refused=_SERVICE),
        "ds": Switch(refused=_DIGESTS),
        "du": Switch("value", "`--url URL`"),
        "dxml": Switch(refused=_DIGESTS),
        "ed": Switch(refused="drvsign signs with SHA1, SHA256, SHA384 and SHA512."),
        "es": Switch(refused="Use drvsign inspect."),
        "f": Switch("value", "`--pfx FILE`"),
        "fd": Switch("value", "`--digest ALG`, or certHash; required, as by SignTool"),
        "fdchw": Switch(ignored="the digests are not compared"),
        "force": Switch(refused=_SEALS),
        "i": Switch("value", "a part of the issuer's name, of a certificate in a store or in /f"),
        "itos": Switch(refused=_SEALS),
        "j": Switch("value", refused=_GONE),
        "jp": Switch("value", refused=_GONE),
        "kc": Switch("value", refused=_SERVICE),
        "n": Switch("value", "a part of the subject's name, of a certificate in a store or in /f"),
        "nosealwarn": Switch(refused=_SEALS),
        "nph": Switch(does="`--no-page-hashes`"),
        "p": Switch("value", "the password of /f, with a warning; `--password-env NAME` shows it to nobody"),
        "p7": Switch("value", refused=_PKCS7),
        "p7ce": Switch("value", refused=_PKCS7),
        "p7co": Switch("value", refused=_PKCS7),
        "ph": Switch(does="`--page-hashes`"),
        "r": Switch("value", "a part of the root's name, of a certificate in a store or in /f"),
        "rmc": Switch(refused="drvsign refuses images that need relaxed checks (MS12-024)."),
        "s": Switch("value", f"the store, default My: {_STORE}"),
        "sa": Switch("value", refused="drvsign adds no attributes to the signed ones."),
        "seal": Switch(refused=_SEALS),
        "sha1": Switch("value", "the certificate's SHA-1, in a store or in /f"),
        "sm": Switch(refused=_MACHINE),
        "snk": Switch("value", refused=_GONE),
        "sncsp": Switch("value", refused=_GONE),
        "snkc": Switch("value", refused=_GONE),
        "snks": Switch("value", refused=_GONE),
        "t": Switch("value", "`--legacy-timestamp URL`; a failure is a warning, as by SignTool"),
        "td": Switch("value", "`--timestamp-digest ALG`; required with /tr, as by SignTool"),
        "tdchw": Switch(ignored="the digests are not compared"),
        "tr": Switch("value", "`--timestamp URL`; a failure is a warning, as by SignTool"),
        "tseal": Switch("value", refused=_SEALS),
        "u": Switch("value", "the EKU that the certificate must have"),
        "uw": Switch(does="the EKU 1.3.6.1.4.1.311.10.3.6"),
        **_GLOBAL,
    },
    once=True,
    files_last=True,
    repeatable=frozenset({"ac"}),
    apart=(_QUIET, ("t", "tr"), ("t", "td"), ("ph", "nph")),
    together=(("p", "f"),),
)
TIMESTAMP = Grammar(
    {
        "force": Switch(refused=_SEALS),
        "nosealwarn": Switch(refused=_SEALS),
        "p7": Switch(refused=_PKCS7),
        "t": Switch("value", "`--legacy-timestamp URL`"),
        "td": Switch("value", "`--timestamp-digest ALG`; required with /tr"),
        "tp": Switch("value", "stamp every signature that has no timestamp, and keep the others"),
        "tr": Switch("value", "`--timestamp URL`"),
        "tseal": Switch("value", refused=_SEALS),
        **_GLOBAL,
    },
    once=True,
    files_last=True,
    apart=(_QUIET, ("t", "tr"), ("t", "td")),
)
VERIFY = Grammar(
    {
        "a": Switch(does="nothing more: signatures and the catalogs of /c are checked anyway"),
        "ad": Switch(refused=_DATABASE),
        "ag": Switch("value", refused=_DATABASE),
        "all": Switch(does="nothing more: every signature is checked"),
        "as": Switch(refused=_DATABASE),
        "bp": Switch(refused="The biometric policy is not published."),
        "c": Switch("value", "`--catalog FILE`"),
        "ca": Switch("value", "the SHA-1 of a certificate in the chain"),
        "d": Switch(does="print the description and its URL; requires /v, as by SignTool"),
        "ds": Switch("value", refused="Use drvsign verify, which always checks every signature."),
        "enclave": Switch(refused="The enclave policy is not published."),
        "hash": Switch("value", "nothing more: a catalog is searched by every digest"),
        "kp": Switch(does="`--policy kernel`"),
        "ms": Switch(does="nothing more: every signature is checked"),
        "o": Switch("value", refused="Use drvsign verify --target NAME."),
        "p7": Switch(refused=_PKCS7),
        "p7content": Switch("value", refused=_PKCS7),
        "pa": Switch(does="`--policy authenticode`; without /kp and /pa `--policy pnp`"),
        "pg": Switch("value", "the policy of a known ActionID: that of /pa, or the default"),
        "ph": Switch(does="nothing more, page hashes are always checked; requires /v, as by SignTool"),
        "r": Switch("value", "a part of the name of the chain's root"),
        "sha1": Switch("value", "the SHA-1 of the signer's certificate"),
        "sl": Switch(refused=_SEALS),
        "tw": Switch(does="a missing timestamp is a warning, exit code 2"),
        "u": Switch("value", ignored="the policy checks the usages of the chain"),
        **_GLOBAL,
    },
    once=True,
    files_last=True,
    repeatable=frozenset({"ca", "sha1", "u"}),
    apart=(_QUIET, ("kp", "pa"), ("kp", "pg"), ("pa", "pg")),
    together=(("d", "v"), ("ph", "v")),
)
REMOVE = Grammar(
    {
        "c": Switch(does="remove all certificates but the signer's from the signatures"),
        "s": Switch(does="`drvsign strip`"),
        "u": Switch(does="remove the unsigned attributes: nested signatures and timestamps"),
        **_GLOBAL,
    },
    once=True,
    files_last=True,
    apart=(_QUIET, ("s", "c"), ("s", "u")),
)
CATDB = Grammar(
    {
        "d": Switch(refused=_DATABASE),
        "g": Switch("value", refused=_DATABASE),
        "r": Switch(refused=_DATABASE),
        "u": Switch(refused=_DATABASE),
        **_GLOBAL,
    },
    once=True,
    files_last=True,
)
COMMANDS = {"sign": SIGN, "timestamp": TIMESTAMP, "verify": VERIFY, "remove": REMOVE, "catdb": CATDB}
