"""drvsign without one of the tricks that make it faster, so that a row of the benchmark shows what the trick saves."""

from __future__ import annotations

import sys
from pathlib import Path

STANDARD_CLASSES = """
import dataclasses, signer.records
signer.records.dataclass = dataclasses.dataclass
"""
"""Without the data classes of `signer.records`."""
VALUES_BY_PYDANTIC = """
import gc
gc.set_threshold(50_000)
import signer.cli.param_types
signer.cli.param_types.HOOK = "absent"
"""
"""Typer converts arguments, as a release of it without our hook would. `main` sets the same threshold before Typer."""
USUAL_THRESHOLD = """
import signer.__main__
signer.__main__._GC_THRESHOLD = 700
"""
"""Collects garbage as often as Python does by default."""
TEARDOWN = """
import sys, signer.__main__
signer.__main__._leave = sys.exit
"""
"""The end of the process takes all modules apart."""
PLAIN_LIEF = """
import signer.helper_program as programs
start = programs._start
programs._start = lambda program, *_: start(program, "--plain")
"""
"""Imports lief with all of its enumerations."""
NO_HEAD_START = """
import signer.cli.prefetch
signer.cli.prefetch.start = lambda _: None
"""
"""Starts lief when it knows the files."""
NO_POLY1305 = """
import signer.pe.checksum
signer.pe.checksum._sum_by_poly1305 = lambda _: None
"""
"""Computes checksums with large integers."""
ONE_FLUSH_AT_A_TIME = """
import signer.storage.flushing
signer.storage.flushing.TOGETHER = 1
"""
"""Waits for the disk after each file."""
ONE_PROCESS_A_JOB = """
import signer.cli.processes
signer.cli.processes._PROCESSES_A_JOB = 1
"""
"""Signs in as many processes as there are jobs."""
HASHED_CERTIFICATES = """
import functools, signer.certificates
signer.certificates.per_certificate = functools.lru_cache(1024)
"""
"""Finds what was derived from a certificate by its bytes."""
TABLES_BY_RICH = """
import signer.cli.terminal
signer.cli.terminal.plain_table = lambda *_: None
"""
"""Draws tables with rich in a pipe too."""
NO_CACHED_SIGNATURES = """
import signer.hashing
signer.hashing.cached_by_digest = lambda _: lambda function: function
"""
"""Reads a signature again that another file has too."""
HEADERS_BY_PEFILE = """
import signer.pe.image
signer.pe.image.usual_headers = lambda _: None
"""
"""Reads the headers of all images with pefile."""
EACH_ENTRY_READ = """
import signer.asn1.alike
signer.asn1.alike._structure_mask = lambda _: 0
"""
"""Compares no entry of a catalog with others of the same structure."""
ALL_ROOTS_READ = """
import signer.trust.published as published
published._containing = lambda _: iter(published.published_roots())
"""
"""Reads all published roots to find one."""

_MAIN = """
from signer.__main__ import main
main()
"""


def without(trick: str, *arguments: str | Path) -> list[str | Path]:
    """Return the command of drvsign after a program that takes out a trick."""
    return [sys.executable, "-c", trick + _MAIN, *arguments]
