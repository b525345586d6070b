"""setupapi logs: what Windows' driver installation logs."""

from __future__ import annotations

from collections.abc import Iterator

from signer.explain.readers import setupapi_log, tool_text
from tests.fuzz.harness import Harness
from tests.fuzz.logs import read_log
from tests.fuzz.mutation import text_mutator

INSTRUMENTED = ("signer.explain.readers.setupapi_log", "signer.explain.readers.tool_text")

LOG = """>>>  [Device Install (DiInstallDriver) - C:\\d\\hello.inf]
>>>  Section start 2026/09/02 18:23:41.123
     sto: {Setup Import Driver Package: C:\\d\\hello.inf} 18:23:41.130
     sig:      {_VERIFY_FILE_SIGNATURE} 18:23:41.140
     sig:           Key      = hello.inf
     sig:           FilePath = C:\\d\\hello.inf
     sig:           Catalog  = C:\\d\\hello.cat
!    sig:           Verifying file against specific (valid) catalog failed.
!    sig:           Error 0x800b0109: A certificate chain processed, but terminated in a root certificate.
     sig:      {_VERIFY_FILE_SIGNATURE exit(0x800b0109)} 18:23:41.150
     sig:           Error 0xe0000242: The publisher of an Authenticode(tm) signed catalog is not yet trusted.
!!!  sto:      Driver package failed signature validation. Error = 0xE0000247
!    dvi:      Device not started: Device has problem: 0x34 (CM_PROB_UNSIGNED_DRIVER), problem status: 0xc0000428.
<<<  Section end 2026/09/02 18:23:42.321
<<<  [Exit status: FAILURE(0xe0000247)]
"""
TOOLS = """[SC] StartService FAILED 577:

Windows cannot verify the digital signature for this file.
Instance ID:                ROOT\\HELLO\\0000
Status:                     Problem
Problem Code:               52 (0x34) [CM_PROB_UNSIGNED_DRIVER]
Problem Status:             0xC0000428
SignTool Error: WinVerifyTrust returned error: 0x800B0109
"""
PIECES = (">>>  [", "<<<  [", "!!!  ", "sig:  ", "sto:  ", "{_VERIFY_FILE_SIGNATURE}", "exit(0x", "Error 0x800b0109",
          "FilePath = ", "Catalog  = ", "Key      = ", "Section start", "FAILURE(", "\r\n", "\0", "\u202e", "0x",
          "CM_PROB_", "problem status: ", "FAILED 577:", "99999999999999999999", "\u0663")  # fmt: skip


def seeds() -> Iterator[bytes]:
    yield LOG.encode()
    yield TOOLS.encode()
    yield TOOLS.encode("utf-16")


HARNESS = Harness(
    "setupapi_log",
    read_log,
    seeds,
    (setupapi_log.setupapi_lines, tool_text.tool_lines),
    mutate=text_mutator(PIECES, ("utf-8", "utf-16-le")),
    max_size=1024,
)
