"""The commands of drvsign: their panels in the help, their modules, and their summaries.

Help and completion of command names read this table, so that they import no command. Tests hold that each summary is
the first paragraph of the command's own help.
"""

from __future__ import annotations

PANELS: dict[str, dict[str, str]] = {
    "Sign": {
        "package": "Sign the drivers of a package, build and sign its catalogs, and verify the result.",
        "sign": "Sign drivers, catalogs and other files, each on its own.",
        "timestamp": "Add timestamps to signatures, so that they stay valid after the certificate expires.",
        "strip": "Remove all signatures of files, or one of each. Nothing else changes.",
        "extract": "Write one signature of a file to a file of its own (PKCS #7 SignedData, DER).",
        "attach": "Attach a signature that was made elsewhere to its file. A signature for a different file is "
        "refused.",
        "digest": "Print the digests that signatures and catalogs contain.",
    },
    "Check": {
        "verify": "Check whether Windows will install and load drivers and driver packages.",
        "inspect": "Show everything in the signatures of files: signer, contents, timestamp, integrity.",
        "explain": "Explain why a driver does not load or install, from logs and codes of the machine.",
        "audit": "Tell which of many drivers stop loading, and why.",
    },
    "Packages": {
        "catalog": "Build, sign, show, compare and check catalogs (.cat).",
        "inf": "Show what an INF contains, or check it for errors.",
        "submission": "Build, check and compare Hardware Dev Center submissions.",
        "init": "Write a commented Makefile and drvsign.toml for the driver package in a folder.",
    },
    "Certificates and keys": {
        "certs": "Create, list and install test certificates.",
        "keys": "List the keys that --identity can name.",
        "tsa": "Run a timestamp authority for tests.",
    },
    "Names and tools": {
        "targets": "List the Windows releases and architectures that verify, explain and audit take as --target.",
        "os-names": "List the names of Windows releases that package, catalog build and inf lint take as --os, as "
        "Inf2Cat does.",
        "doctor": "Check versions, extras, token modules, the clock, the test certificates, drvsign.toml and PATH.",
        "shims": "Write programs with the names of Microsoft's tools to a folder: they take their switches and call "
        "drvsign.",
    },
}
"""The summary of each command, by panel and name, in the order of the help."""
COMMANDS = {name: f"signer.cli.commands.{name.replace('-', '_')}" for commands in PANELS.values() for name in commands}
"""Each command and the module whose `app` it is."""
