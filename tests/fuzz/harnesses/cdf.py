"""CDF: MakeCat's catalog definition files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalogs import cdf
from signer.errors import SignerError
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import text_mutator

SOURCE = Path("package/driver.cdf")
HEADER = "[CatalogHeader]\r\nName=driver.cat\r\nResultDir=out\\cat\r\nPublicVersion=0x1\r\n"
ATTRIBUTES = "CATATTR1=0x10010001:OSAttr:2:6.1\r\nCATATTR2=0x10030001:Note:UwBlAHQAdABpAG4AZwA=\r\n"
FILES = "[CatalogFiles]\r\n<HASH>sys=driver.sys\r\n<HASH>sysATTR1=0x11010001:File:driver.sys\r\n"
PIECES = ("[", "]", "=", ":", "\r\n", "<HASH>", "ATTR1", "ALTSIPID", "CATATTR", "0x", "1", "2", "true", "..", "\\",
          "C:", "PageHashes=", "CatalogVersion=", "HashAlgorithms=", "SHA256", "0x10030001:",
          "é", "٣", "\0")  # fmt: skip

INSTRUMENTED = ("catalogs.cdf", "signer.numbers")


def seeds() -> Iterator[bytes]:
    yield f"{HEADER}CatalogVersion=2\r\nHashAlgorithms=SHA256\r\nPageHashes=true\r\n{ATTRIBUTES}{FILES}".encode()
    yield f"{HEADER}{ATTRIBUTES}[CatalogFiles]\r\nfirst=a.sys\r\nfirstATTR2=0x10010001:File:a\r\n; end\r\n".encode()


def run(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    try:
        definition = cdf.parse(text, SOURCE)
        assert definition.target
    except SignerError as error:
        assert error.message and error.hint
        return False
    assert len({member.tag.lower() for member in definition.members}) == len(definition.members)
    return True


HARNESS = Harness(
    "cdf",
    run,
    seeds,
    (cdf._members, cdf._attribute, cdf._numbered, cdf._version, cdf._boolean),
    mutate=text_mutator(PIECES),
    max_size=1024,
)
