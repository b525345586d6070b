"""Sign one large image, and many small ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, compare
from bench._results import Result


def sign_large(folder: Path) -> Result:
    """Sign one image of 200 MB."""
    key, cert = inputs.write_identity(folder)
    source, target, other = folder / "large.sys", folder / "ours.sys", folder / "theirs.sys"
    inputs.large_image(source, 200)

    def clean() -> None:
        target.unlink(missing_ok=True)
        other.unlink(missing_ok=True)

    found = []
    for label, ours, theirs in (("", [], []), (" with page hashes", ["--page-hashes"], ["-ph"])):
        sign: Arguments = [*DRVSIGN, "sign", source, "-q", "--output", target, "--cert", cert, "--key", key, *ours]
        peer: Arguments = ["osslsigncode", "sign", *theirs, "-certs", cert, "-key", key, "-h", "sha256", "-in", source]
        peer += ["-out", other]
        found.append(compare(f"sign 200 MB{label}, of osslsigncode", "0.8", sign, peer, before=clean))
    return Result(tuple(found))


def sign_many(folder: Path) -> Result:
    """Sign 500 and 2,000 small images in one call, and osslsigncode in a process each."""
    key, cert = inputs.write_identity(folder)
    source, target = folder / "many", folder / "out"
    target.mkdir()
    sign: Arguments = [*DRVSIGN, "sign", source, "-q", "--cert", cert, "--key", key]
    command = f'rm -f {target}/x; osslsigncode sign -certs {cert} -key {key} -h sha256 -in "$f" -out {target}/x'
    found = []
    for count, goal in ((500, "6"), (2000, "8")):
        peer = inputs.each(sorted(inputs.images(folder / "peer", count).iterdir()), command)
        label = f"sign {count:,} drivers, times faster than osslsigncode"
        begin = partial(inputs.images, source, count)
        found.append(compare(label, goal, sign, peer, rounds=3, is_speed=True, before=begin))
    return Result(tuple(found))
