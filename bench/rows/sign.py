"""Sign one small image, one large one, and many small ones."""

from __future__ import annotations

import itertools
import shutil
import sys
from functools import partial
from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, Comparison, compare
from bench._results import Result
from bench._tricks import (
    NO_HEAD_START,
    NO_POLY1305,
    ONE_FLUSH_AT_A_TIME,
    ONE_PROCESS_A_JOB,
    PLAIN_LIEF,
    without,
)

_ROUNDS = 9
_numbers = itertools.count()


def sign_one(folder: Path) -> Result:
    """Sign one driver, on all processors and on one, and a package of one driver, against the import of lief."""
    lief = [sys.executable, "-c", "import lief"]
    key, cert = inputs.write_identity(folder)
    small, target = inputs.images(folder / "one", 1) / "00000.sys", folder / "one.signed"
    identity: Arguments = ["--cert", cert, "--key", key]
    arguments: Arguments = ["sign", small, "-q", "--output", target, *identity]
    sign: Arguments = [*DRVSIGN, *arguments]
    late: Arguments = without(NO_HEAD_START, *arguments)
    found = [
        compare("sign one driver, of import lief", "1.0", sign, lief, rounds=_ROUNDS),
        compare("sign one driver, of the same without a head start of lief", "0.95", sign, late, rounds=_ROUNDS),
    ]
    if shutil.which("taskset"):
        one_core: Arguments = ["taskset", "-c", "0"]
        plain: Arguments = without(PLAIN_LIEF, *arguments)
        for label, other in (("import lief", lief), ("the same with all of lief's enumerations", plain)):
            goal = "1.0" if other is lief else "0.9"
            label = f"sign one driver on one core, of {label}"
            found.append(compare(label, goal, [*one_core, *sign], [*one_core, *other], rounds=_ROUNDS))
    package = folder / "package"
    build: Arguments = [*DRVSIGN, "package", package, "--os", "10_X64", "--now", "2026-01-01", *identity]
    label = "package of one driver, of import lief"
    found.append(compare(label, "1.3", build, lief, rounds=_ROUNDS, before=lambda: inputs.image_package(package, 1)))
    return Result(tuple(found))


def sign_large(folder: Path) -> Result:
    """Sign one image of 200 MB."""
    key, cert = inputs.write_identity(folder)
    source, target, other = folder / "large.sys", folder / "ours.sys", folder / "theirs.sys"
    inputs.large_image(source, 200)

    def clean() -> None:
        target.unlink(missing_ok=True)
        other.unlink(missing_ok=True)

    arguments: Arguments = ["sign", source, "-q", "--output", target, "--cert", cert, "--key", key]
    elsewhere: Arguments = [other if one == target else one for one in arguments]
    by_integers: Arguments = without(NO_POLY1305, *elsewhere)
    label = "sign 200 MB, of the same without Poly1305"
    found = [compare(label, "0.9", [*DRVSIGN, *arguments], by_integers, before=clean)]
    for label, ours, theirs in (("", [], []), (" with page hashes", ["--page-hashes"], ["-ph"])):
        sign: Arguments = [*DRVSIGN, *arguments, *ours]
        peer: Arguments = ["osslsigncode", "sign", *theirs, "-certs", cert, "-key", key, "-h", "sha256", "-in", source]
        peer += ["-out", other]
        label = f"sign 200 MB{label}, of osslsigncode"
        found.append(compare(label, "0.8", sign, peer, rounds=_ROUNDS, before=clean))
    return Result(tuple(found))


def sign_many(folder: Path) -> Result:
    """Sign 500 and 2,000 small images in one call, and osslsigncode in a process each.

    Into another folder, as osslsigncode does, and in place, where a file is synced to the disk before it replaces
    another one.
    """
    key, cert = inputs.write_identity(folder)
    source, target = folder / "many", folder / "out"
    target.mkdir()
    arguments: Arguments = ["sign", source, "-q", "--cert", cert, "--key", key]
    command = f'rm -f {target}/x; osslsigncode sign -certs {cert} -key {key} -h sha256 -in "$f" -out {target}/x'
    elsewhere: Arguments = ["--output-dir", folder / "signed"]
    found = []
    for count, goal in ((500, "6"), (2000, "8")):
        peer = inputs.each(sorted(inputs.images(folder / "peer", count).iterdir()), command)
        begin = partial(_renew, folder, count)
        for label, sign in ((" into a folder", [*DRVSIGN, *arguments, *elsewhere]), ("", [*DRVSIGN, *arguments])):
            label = f"sign {count:,} drivers{label}, times faster than osslsigncode"
            rounds = 5 if count == 500 else 3
            found.append(compare(label, goal, sign, peer, rounds=rounds, is_speed=True, before=begin))
    found.append(_beside(ONE_FLUSH_AT_A_TIME, "flushed one at a time", "0.9", folder, arguments))
    found.append(_beside(ONE_PROCESS_A_JOB, "in a process for each processor", "0.95", folder, arguments))
    return Result(tuple(found))


def _beside(trick: str, without_it: str, goal: str, folder: Path, arguments: Arguments) -> Comparison:
    """Sign 500 images in place, against the same without a trick."""
    other = folder / "others"
    named: Arguments = [other if one == folder / "many" else one for one in arguments]

    def begin() -> None:
        _renew(folder, 500)
        inputs.images(other, 500)

    label = f"sign 500 drivers, of the same {without_it}"
    return compare(label, goal, [*DRVSIGN, *arguments], without(trick, *named), rounds=5, before=begin)


def _renew(folder: Path, count: int) -> None:
    """Write the images anew, and move those of the last round away.

    They are not deleted: on ext4 without a journal, the kernel searches long for inodes that were not deleted recently.
    """
    old = folder / "old" / str(next(_numbers))
    old.mkdir(parents=True)
    for name in ("many", "signed", "others"):
        if (folder / name).exists():
            (folder / name).rename(old / name)
    inputs.images(folder / "many", count)
