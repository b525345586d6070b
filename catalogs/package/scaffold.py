"""Find the driver package of a project, and write its first Makefile and drvsign.toml."""

from __future__ import annotations

import re
from pathlib import Path

from catalogs.package import templates
from catalogs.package.folder import Folder
from signer.errors import FileError, UsageError
from signer.storage.folders import require_folder

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""Names that make looks for, in this order."""

_RESULTS = re.compile(r"(?i)^(build|out|dist|testcerts|.*-signed)$")
_SAFE_IN_MAKE = re.compile(r"[\w./+@~-]+")


def find_package(folder: Path) -> Path:
    """Return the folder of the driver package in `folder`, relative to it: the topmost one with an INF or a template.

    Folders of results, such as `build`, do not count. Raises FileError without an INF or with several packages.
    """
    require_folder(folder, hint="Name the folder of the project.")
    infs = (path for path in Folder(folder).files() if path.suffix.lower() in (".inf", templates.SUFFIX))
    parents = dict.fromkeys(inf.relative_to(folder).parent for inf in infs)
    own = [path for path in parents if not any(_RESULTS.match(part) for part in path.parts)]
    found = [path for path in own if not any(other in path.parents for other in own)]
    if not found:
        raise FileError("no INF found", path=folder, hint="Name the folder that contains the driver package.")
    if len(found) > 1:
        names = ", ".join(path.as_posix() for path in found)
        hint = f"Name the folder of one: drvsign init {(folder / found[0]).as_posix()}"
        raise FileError(f"{len(found)} driver packages found: {names}", path=folder, hint=hint)
    if not _SAFE_IN_MAKE.fullmatch(found[0].as_posix()):
        raise UsageError(
            f"make can't handle the folder name {found[0].as_posix()!r}",
            path=folder,
            hint="Rename the folder: letters, digits and ._+@~- only.",
        )
    return found[0]


def makefile(package: Path) -> str:
    """Return a Makefile for the package in the folder `package`."""
    return _MAKEFILE.replace("DIRECTORY", package.as_posix())


_MAKEFILE = """\
# Build and sign the driver package in DIRECTORY. Written by drvsign init; change it as you like.
#
#     make              build the drivers, and sign the package for test machines
#     make verify       check whether a test machine will install and load it
#     make release      sign it with the profile release of drvsign.toml
#     make submission   build the cabinet for Microsoft's Hardware Dev Center
#
# Nothing is signed in place: results are in $(SIGNED). docs/make.md of drvsign describes all variables.

DRVSIGN ?= drvsign

# The folder of the package: the INF and the files that it names.
DRIVER := DIRECTORY

# Options of drvsign package for test machines, such as the releases of the catalog. Default: the profile test.
# TEST_FLAGS := --os 10_X64

# Values for a template (.inx), which becomes an INF in $(SIGNED).
# STAMP_FLAGS := --driver-version 1.0.0.0 --arch amd64 --kmdf 1.15

DRVSIGN_RULES := $(shell $(DRVSIGN) --makefile)
ifeq ($(DRVSIGN_RULES),)
$(error $(DRVSIGN) was not found. Install drvsign and add its folder to PATH, or run: make DRVSIGN=/path/to/drvsign)
endif
include $(DRVSIGN_RULES)

# Add a rule for each driver that this makefile builds. Signing waits for it:
#
# $(DRIVER)/hello.sys: hello.c
# \tx86_64-w64-mingw32-gcc -o $@ $< ...
"""

PROFILES = """\
# Signing profiles of this project. Written by drvsign init; docs/release.md of drvsign describes all keys.
# Passwords and PINs never belong here: name the variable or file that holds them.

# For test machines: signs with your test identity (drvsign certs show).
[profile.test]
trust = "test-signing"
# driver-version = "1.0.0.0"             # of a template (.inx); also driver-date, arch, kmdf, umdf
# os = ["10_X64"]                        # releases of the catalog; default: those of the INF
# targets = ["win11-24h2-x64"]           # releases that must accept the package, or nothing is written
# certs = "testcerts/generated"          # a test identity of this project; default: that of your user account

# For all machines. Fill in the identity before the first `make release`.
[profile.release]
# identity = "pkcs11:token=EV;object=driver"
# certificate = "ev.cer"
# password-env = "EV_PIN"
# timestamp = ["http://timestamp.digicert.com"]
# page-hashes = true
"""
