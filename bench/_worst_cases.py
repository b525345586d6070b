"""The worst files of each format, and the commands that read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bench import _worst_archives as archives
from bench import _worst_files as worst
from bench import _worst_logs as logs
from bench import _worst_signatures as signatures
from bench._worst_files import Maker


@dataclass(frozen=True)
class Case:
    """A file, and a command that reads it: `{}` is its path."""

    name: str
    file: str
    make: Maker
    command: tuple[str, ...]
    other: Maker | None = None
    """Makes the file `OTHER` of the command."""


def of(name: str, file: str, make: Maker, *commands: str) -> list[Case]:
    """Return a case for each command, written as one line."""
    return [Case(f"{name}: {line.partition(' {')[0]}", file, make, tuple(line.split())) for line in commands]


IMAGE = ("verify {} --policy authenticode", "inspect {}", "digest {} --page-hashes", "sign {} --output {}.out")
SIGNATURE = IMAGE[:2]
INF = ("inf show {}", "inf lint {} --no-files", "inf lint {}", "catalog build {} --output {}.cat", "verify {}")
CATALOG = ("catalog show {}", "verify {}", "inspect {}", "catalog diff {} {}", "catalog check {} DRIVERS")
PACKED = ("catalog build PACKAGE --output {}.cat",)
LOG = ("explain {}",)
CERTIFICATES = ("certs show {}", "verify SYS --roots test-signing --root {}", "verify SYS --intermediate {}")
PFX = (
    "certs show {} --password-env WORST_PASSWORD",
    "sign SYS --output {}.out --pfx {} --password-env WORST_PASSWORD",
)
ARCHIVE = ("audit {} --no-cache", "submission compare {} {}")
KEY = ("sign SYS --output {}.out --cert CERT --key {} --password-env WORST_PASSWORD",)
POLICY = ("verify SYS --block-list {}", "verify SYS --allow-list {}")
DDF = ("submission build {} --unsigned --output {}.cab",)
INVENTORY = ("audit {}",)
STATE = ("audit --machine m=DRIVERS --machine-state m={}",)
BASELINE = ("audit DRIVERS --baseline {}",)
_NESTED = signatures.image_of_signed_data
_MODEL = "[Manufacturer]\n%M% = M,NTamd64\n[M.NTamd64]\n"
_INSTALL = f"{_MODEL}%M%=I,P\n[I.NT]\n"
_NESTED_STRINGS = "[Strings]\ns-1=x\n"
_LONG_STRING = f'\n[Strings]\nL="{"x" * 60_000}"\n'
_STRINGS = '\n[Strings]\nM = "m"\n'


def install(number: int) -> str:
    """Lines of models and of the install sections that they name."""
    return f"[I{number}.NT]\nCopyFiles=F\nAddReg=R{number}\n" if number < 9000 else f"%M%=I{number % 9000},V{number}\n"


CASES = [
    *of("image", "a.sys", worst.image, *IMAGE),
    *of("image, 65,535 sections", "a.sys", worst.image_of_sections, *IMAGE),
    *of("image, small certificates", "a.sys", signatures.image_of_table(signatures.certificate_entry(b"")), *SIGNATURE),
    *of("image, millions of elements", "a.sys", _NESTED(signatures.set_of_nulls), *SIGNATURE),
    *of("image, large certificates", "a.sys", _NESTED(signatures.signed_by_many), *SIGNATURE),
    *of("image, nested sequences", "a.sys", _NESTED(signatures.deeply_nested), *SIGNATURE),
    *of("image, millions of certificates", "a.sys", _NESTED(signatures.set_of_certificates), *SIGNATURE),
    *of("image, millions of revocation lists", "a.sys", _NESTED(signatures.set_of_revocation_lists), *SIGNATURE),
    *of("image, many signers", "a.sys", _NESTED(signatures.set_of_signers), *SIGNATURE),
    *of("image, millions of attributes", "a.sys", _NESTED(signatures.set_of_attributes), *SIGNATURE),
    *of("image, millions of values", "a.sys", _NESTED(signatures.set_of_values), *SIGNATURE),
    *of("image, millions of names", "a.sys", _NESTED(signatures.signer_of_names), *SIGNATURE),
    *of("catalog", "a.cat", signatures.catalog, *CATALOG),
    Case(
        "catalog: catalog diff with another one",
        "a.cat",
        signatures.catalog,
        ("catalog", "diff", "{}", "OTHER"),
        partial(signatures.catalog, seed=2),
    ),
    *of("catalog, attributes", "a.cat", signatures.catalog_of_attributes, *CATALOG),
    *of("catalog, member attributes", "a.cat", signatures.catalog_of_member_attributes, *CATALOG),
    Case(
        "catalog, member attributes: catalog diff with another one",
        "a.cat",
        signatures.catalog_of_member_attributes,
        ("catalog", "diff", "{}", "OTHER"),
        partial(signatures.catalog_of_member_attributes, value="w"),
    ),
    *of("catalog, page hashes", "a.cat", signatures.catalog_of_page_hashes, *CATALOG),
    *of("catalog, algorithms", "a.cat", signatures.catalog_of_algorithms, *CATALOG),
    *of("catalog, one tag", "a.cat", signatures.catalog_of_one_tag, *CATALOG),
    *of("catalog, tags only", "a.cat", signatures.catalog_of_tags, *CATALOG),
    *of("catalog, millions of elements", "a.cat", signatures.set_of_nulls, *CATALOG[:3]),
    *of("cabinet, zeros", "a.cab", worst.cabinet_of_zeros, "submission check {}", "verify {}", "digest {}"),
    *of("cabinet, random", "a.cab", worst.cabinet, "submission check {}", "verify {}", "sign {} --output {}.out"),
    *of("cabinet, 65,535 folders", "a.cab", worst.cabinet_of_blocks, "submission check {}", "verify {}"),
    *of("cabinet, expanded driver", "a.cab", archives.cabinet_of_driver, *ARCHIVE),
    *of(".zip, drivers", "a.zip", archives.zip_of_drivers, *ARCHIVE),
    *of(".zip, zeros", "a.zip", archives.zip_of_zeros, *ARCHIVE),
    *of(".zip, names", "a.zip", archives.zip_of_names, *ARCHIVE),
    *of("MSI, strings", "a.msi", archives.msi_of_strings, *ARCHIVE[:1]),
    *of("MSI, folders", "a.msi", archives.msi_of_folders, *ARCHIVE[:1]),
    *of("packed, MSZIP zeros", "hello.sy_", worst.cabinet_of_zeros, *PACKED),
    *of("packed, SZDD copies", "hello.sy_", worst.szdd, *PACKED),
    *of("packed, SZDD short copies", "hello.sy_", worst.szdd_of_short_copies, *PACKED),
    *of("packed, SZDD literals", "hello.sy_", partial(worst.szdd, flags=0xFE), *PACKED),
    *of("INF, sections", "a.inf", worst.inf(lambda n: f"[s{n // 13}]\n" if n % 13 == 0 else f"k{n}=v\n"), *INF),
    *of("INF, too many sections", "a.inf", worst.inf(lambda n: f"[s{n}]\n"), *INF[:2]),
    *of("INF, lines", "a.inf", worst.inf(lambda n: f"k{n}=v,{n}\n", "[x]\n"), *INF),
    *of("INF, commas", "a.inf", worst.inf(lambda n: "," * 1000 + "\\\n", "[x]\nk="), *INF[:2]),
    *of("INF, quotes", "a.inf", worst.inf(lambda n: '"' * 1_000_000 + "\n", "[x]\n"), *INF[:2]),
    *of("INF, one long line", "a.inf", worst.inf(lambda n: '"', "[x]\nk="), *INF[:2]),
    *of("INF, continued line", "a.inf", worst.inf(lambda n: "v,\\\n", "[x]\nk="), *INF),
    *of("INF, continued empty lines", "a.inf", partial(worst.filled, lambda n: "\\\n", head="[x]\nk="), *INF[:2]),
    *of("INF, strings", "a.inf", worst.inf(lambda n: f's{n} = "%s{n}%"\n', "[Strings]\n"), *INF),
    *of("INF, undefined strings", "a.inf", worst.inf(lambda n: f"%s{n}%=%t{n}%\n", "[x]\n"), *INF),
    *of("INF, comments", "a.inf", worst.inf(lambda n: ";\n", most=10**7), *INF[:2]),
    *of("INF, models", "a.inf", worst.inf(lambda n: f"%M% = I,PCI\\V{n}\n", _MODEL, _STRINGS), *INF),
    *of("INF, installs", "a.inf", worst.inf(install, _MODEL), *INF),
    *of("INF, includes", "a.inf", worst.inf(lambda n: f"Include=x{n}.inf\nNeeds=N{n}\n", _INSTALL), *INF),
    *of("INF, includes itself", "a.inf", worst.inf(lambda n: "Include=a.inf\nNeeds=I.NT\n", _INSTALL), *INF),
    *of("INF, nested strings", "a.inf", worst.inf(lambda n: f's{n} = "%s{n - 1}%%s{n - 1}%"\n', _NESTED_STRINGS), *INF),
    *of("INF, one name", "a.inf", worst.inf(lambda n: "[x]\nk=v\n"), *INF),
    *of("INF, long strings", "a.inf", worst.inf(lambda n: f"k{n}=%L%%L%\n", "[x]\n", _LONG_STRING), *INF),
    *of(
        "INF, copied files",
        "a.inf",
        worst.inf(lambda n: f"f{n}.sys\n", f"{_INSTALL}CopyFiles=F\n[DestinationDirs]\nF=13\n[F]\n"),
        *INF,
    ),
    *of(
        "CDF",
        "a.cdf",
        lambda size: worst.filled(
            lambda n: f"<HASH>f{n}=f.sys\n", size, "[CatalogHeader]\nName=a.cat\n[CatalogFiles]\n"
        ),
        "catalog build {} --output {}.cat",
    ),
    *of(
        "CDF, attributes",
        "a.cdf",
        lambda size: worst.filled(lambda n: f"CATATTR{n}=0x10010001:N{n}:v\n", size, "[CatalogHeader]\nName=a.cat\n"),
        "catalog build {} --output {}.cat",
    ),
    *of(
        "CDF, one file",
        "a.cdf",
        worst.capped(lambda n: f"<HASH>{n}=hello.inf\n", worst.CDF_HEAD, most=29_990),
        "catalog build {} --output {}.cat",
    ),
    *of("DDF, one file", "a.ddf", worst.capped(lambda n: f"HELLO.INF d{n}.inf\n", most=49_900), *DDF),
    *of(
        "DDF, detours",
        "a.ddf",
        partial(worst.filled, lambda n: "x\\" + "..\\x\\" * 800 + f"..\\hello.inf d{n}\n"),
        *DDF,
    ),
    *of("DDF, files", "a.ddf", partial(worst.filled, lambda n: "hello.inf\n"), *DDF),
    *of("DDF, other files", "a.ddf", partial(worst.filled, lambda n: f"HELLO.INF d{n}.inf\n"), *DDF),
    *of("DDF, variables", "a.ddf", partial(worst.filled, lambda n: f".Set v{n}=1\n", tail="hello.inf\n"), *DDF),
    *of("DDF, one line", "a.ddf", partial(worst.filled, lambda n: 'a"b" '), *DDF),
    *of("DDF, quotes", "a.ddf", partial(worst.filled, lambda n: "\"'"), *DDF),
    *of("list of paths", "a.txt", partial(worst.filled, lambda n: f"d{n}\n"), "verify @{}", "sign @{}", "inf lint @{}"),
    *of("response file", "a.txt", partial(worst.filled, lambda n: f"d{n} "), "--as signtool sign @{}"),
    *of("certificate", "a.cer", signatures.large_certificate, *CERTIFICATES),
    *of("certificate, alternative names", "a.cer", signatures.certificate_of_names, *CERTIFICATES),
    *of("certificates", "a.pem", signatures.certificates, *CERTIFICATES),
    *of("certificates, PKCS #7", "a.p7b", signatures.certificate_bag, *CERTIFICATES),
    *of("certificates, large", "a.p7b", signatures.signed_by_many, *CERTIFICATES),
    *of("certificates, PEM, no end", "a.pem", partial(worst.filled, lambda n: worst.PEM_BEGIN), *CERTIFICATES),
    *of("certificate, long names", "a.cer", signatures.certificate_of_long_names, *CERTIFICATES),
    *of("certificate, many names", "a.cer", signatures.certificate_of_many_names, *CERTIFICATES),
    *of("certificate, serial number", "a.cer", signatures.certificate_of_serial, *CERTIFICATES),
    *of("certificate, key", "a.cer", signatures.certificate_of_key, *CERTIFICATES),
    *of("revocation list", "a.crl", signatures.revocation_list, "verify SYS --crl {}"),
    *of("PFX", "a.pfx", signatures.pfx, *PFX),
    *of("PFX, 900 certificates", "a.pfx", lambda size: signatures.pfx(min(size, 500_000)), *PFX),
    *of(".pvk", "a.pvk", archives.pvk, *KEY),
    *of("PFX, bags", "a.pfx", signatures.pfx_of_bags, *PFX),
    *of(
        "signature of an external key, Base64",
        "a.txt",
        partial(worst.filled, lambda n: "QUFB\n"),
        "attach SYS --signed-digest {} --cert CERT --output {}.out",
    ),
    *of(
        "answer of a timestamp authority",
        "a.tsr",
        signatures.timestamp_answer,
        "sign SYS --output {}.out --timestamp TSA",
    ),
    *of("policy, XML", "a.xml", worst.policy_xml, *POLICY),
    *of("policy, XML, signers", "a.xml", worst.policy_of_signers, *POLICY),
    *of("policy, XML, no end", "a.xml", partial(worst.filled, lambda n: "<a>"), *POLICY),
    *of("policy, XML, small rules", "a.xml", worst.policy_of_small_rules, *POLICY),
    *of("policy, XML, namespace", "a.xml", worst.long_namespace(worst.POLICY_NAMESPACE), *POLICY),
    *of("policy, binary", "a.cip", worst.binary_policy_of_rules, *POLICY),
    *of("policy, binary, signers", "a.cip", worst.binary_policy_of_signers, *POLICY),
    *of("baseline", "a.json", worst.baseline(worst.audited), *BASELINE),
    *of("baseline, small rows", "a.json", worst.baseline(worst.small_row), *BASELINE),
    *of("baseline, numbers", "a.json", partial(worst.filled, lambda n: "1,", head="[", tail="1]"), *BASELINE),
    *of("baseline, lists", "a.json", partial(worst.filled, lambda n: "[],", head="[", tail="1]"), *BASELINE),
    *of("baseline, one number", "a.json", partial(worst.filled, lambda n: "11", head="[", tail="]"), *BASELINE),
    *of("events, XML", "a.xml", partial(worst.filled, logs.event, head="<Events>", tail="</Events>"), *LOG),
    *of("events, XML, no end", "a.xml", partial(worst.filled, lambda n: "<Event >\n"), *LOG),
    *of("events, XML, one line", "a.xml", partial(worst.filled, lambda n: "<Event ><x>"), *LOG),
    *of("events, JSON", "a.json", partial(worst.filled, logs.event_json, head="[", tail="{}]"), *LOG),
    *of("events, JSON, braces", "a.json", partial(worst.filled, lambda n: '{"a":', head='{"a":'), *LOG),
    *of(
        "events, JSON, one object",
        "a.json",
        partial(worst.filled, lambda n: '"x",', head='[{"a":["', tail='"]}]'),
        *LOG,
    ),
    *of("inventory, CSV", "a.csv", partial(worst.filled, logs.inventory_row, head=logs.INVENTORY_HEAD), *INVENTORY),
    *of("inventory, JSON", "a.json", partial(worst.filled, logs.inventory_object, head="[", tail="{}]"), *INVENTORY),
    *of("inventory, XML", "a.xml", partial(worst.filled, lambda n: "<a>"), *INVENTORY),
    *of("inventory, XML, namespace", "a.xml", worst.long_namespace("x"), *INVENTORY),
    *of(
        "inventory, empty cells",
        "a.csv",
        partial(worst.filled, lambda n: ",\n", head="DeviceName,InfName\n"),
        *INVENTORY,
    ),
    *of(
        "inventory, ruler",
        "a.txt",
        partial(worst.filled, lambda n: "x\n", head="N\n" + "== " * 99 + "==\n"),
        *INVENTORY,
    ),
    *of("inventory, lines", "a.txt", partial(worst.filled, lambda n: "a: b\n\n"), *INVENTORY),
    *of("state of a machine", "a.toml", partial(worst.filled, lambda n: f"k{n} = 1\n"), *STATE),
    *of("state of a machine, one key", "a.toml", lambda _: b"a." * 32_000 + b"a=1\n", *STATE),
    *of("policy, XML, one attribute", "a.xml", worst.policy_of_one_attribute, *POLICY),
    *of("setupapi log", "a.log", partial(worst.filled, logs.setupapi), *LOG),
    *of(
        "setupapi log, one section",
        "a.log",
        partial(worst.filled, lambda n: f"!!!  sig: Error {n:#x}: x\n", head=">>>  [Device Install - X]\n"),
        *LOG,
    ),
    *of("text, one line", "a.txt", partial(worst.filled, lambda n: "Code Integrity determined "), *LOG),
    *of(
        "text, messages",
        "a.txt",
        partial(worst.filled, lambda n: f"Code Integrity determined that the image \\d{n}.sys\nis\nnot\n"),
        *LOG,
    ),
    *of("text, line feeds", "a.txt", partial(worst.filled, lambda n: "\n"), *LOG),
    *of("text, short lines", "a.txt", partial(worst.filled, lambda n: " a b c d e\n"), *LOG),
    *of("text, spaces", "a.txt", partial(worst.filled, lambda n: "\t"), *LOG),
    *of("text, slashes", "a.txt", partial(worst.filled, lambda n: f"INF:{'/' * 8000} driver x\n"), *LOG),
    *of("text, sentences", "a.txt", partial(worst.filled, lambda n: f"Code Integrity is {'a. ' * 1300}\n"), *LOG),
    *of("text, tools", "a.txt", partial(worst.filled, lambda n: f"driver {n}.sys error 5\n"), *LOG),
    *of("events, JSON, tiny", "a.json", partial(worst.filled, lambda n: '{"Id":3077},', head="[", tail="{}]"), *LOG),
    *of("events, CSV", "a.csv", partial(worst.filled, lambda n: f'3077,"{n}"\n', head="Id,Message\n"), *LOG),
    *of("events, .evtx", "a.evtx", logs.evtx(logs.nested_templates(1, 1)), *LOG),
    *of("events, .evtx, nested templates", "a.evtx", logs.evtx(logs.nested_templates(10, 7)), *LOG),
    *of("events, .evtx, wide templates", "a.evtx", logs.evtx(logs.nested_templates(5000, 1)), *LOG),
    *of("events, .evtx, lists", "a.evtx", logs.evtx(logs.lists(9)), *LOG),
    *of("events, .evtx, one name", "a.evtx", logs.evtx(logs.shared_name), *LOG),
    *of("text, UTF-16", "a.txt", partial(worst.filled, logs.setupapi, encoding="utf-16"), *LOG),
]
