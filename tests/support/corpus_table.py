"""Verdicts about real drivers. `python -m tests.support.corpus_table` updates the table, for review as a diff."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from signer.errors import ImageError
from signer.policy.judge import judge_all, paths_of
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target, all_targets
from signer.trust.store import TrustStore
from signer.verify.gather import gather
from tests.support.files import ROOT, corpus_files

TABLE = ROOT / "tests" / "signer" / "policy" / "corpus_verdicts.tsv"
RELEASES = ("win7", "server2008r2", "win8.1", "win10-1607", "win10-22h2", "win11-23h2", "win11-24h2", "server2022")
SWITCHES = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))


def row(path: Path, store: TrustStore) -> str:
    """Return one line: file, architecture, classes of its signatures, and a verdict for each release."""
    try:
        evidence = gather(path.read_bytes(), "image", path.name)
    except ImageError as error:
        return f"{path.name}\t-\t{error.code}"
    targets = [target for target in all_targets() if target.architecture == evidence.architecture and not target.s_mode]
    judged = {
        verdict.target: verdict
        for verdict in judge_all("kernel", evidence, paths_of(evidence, store), targets, SWITCHES)
    }
    classes = [one.classification for one in next(iter(judged.values())).signatures] or ["unsigned"]
    names = [f"{release}-{evidence.architecture}" for release in RELEASES]
    cells = (f"{judged[name].outcome} {judged[name].rule}" if name in judged else "-" for name in names)
    return "\t".join((path.name, evidence.architecture, " ".join(classes), *cells))


def drivers() -> list[Path]:
    """Return the drivers of the corpus."""
    return corpus_files("drivers/*.sys")


def lines() -> Iterator[str]:
    """Return the whole table."""
    store = TrustStore.release()
    yield "\t".join(("driver", "architecture", "signatures", *RELEASES))
    for path in drivers():
        yield row(path, store)


if __name__ == "__main__":
    assert all(Target.parse(f"{release}-x64") for release in RELEASES)
    TABLE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
