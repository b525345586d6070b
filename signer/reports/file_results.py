"""Report the result of each changed file: as text, and as the document `drvsign.result/1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.errors import PackageError, SignerError
from signer.records import dataclass
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from signer.algorithms import DigestAlgorithm
    from signer.reports.sink import Sink

SCHEMA = "drvsign.result/1"


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result of a command for one file."""

    path: Path
    action: str
    """signed, skipped, built, planned, stripped, extracted, attached, timestamped or failed."""
    digest_algorithm: DigestAlgorithm | None = None
    digest: bytes | None = None
    """The signed digest."""
    signer: str | None = None
    note: str = ""
    """A remark for the text report."""
    error: SignerError | None = None
    replaced: tuple[str, ...] = ()
    """The names of the signers whose signatures were replaced."""

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `files`; `replaced` only if there was something to replace."""
        replaced = {"replaced": list(self.replaced)} if self.replaced else {}
        return {
            "path": str(self.path),
            "action": self.action,
            "digest_algorithm": str(self.digest_algorithm) if self.digest_algorithm else None,
            "digest": self.digest.hex() if self.digest is not None else None,
            "signer": self.signer,
            "error": self.error.as_json() if self.error else None,
            **replaced,
        }


def result_document(results: Sequence[FileResult], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON document; `more` are keys that one command adds."""
    return {"schema": SCHEMA, "files": [result.as_json() for result in results], **(more or {})}


def problems_document(problems: Iterable[object]) -> dict[str, Any]:
    """Return the key `problems` with every problem of a package, warnings included."""
    return {"problems": [one.as_json() if hasattr(one, "as_json") else {"message": str(one)} for one in problems]}


def write_results(results: Sequence[FileResult], sink: Sink) -> None:
    """Write one line for each file that did not fail; the caller reports failures."""
    for result in results:
        if result.error is not None:
            continue
        facts = [str(result.digest_algorithm) if result.digest_algorithm else "", result.signer or "", result.note]
        if result.replaced:
            facts.append(f"replaced the signature of {' and '.join(result.replaced)}")
        about = ", ".join(fact for fact in facts if fact)
        sink.line(result.action, f"{result.path}{f'  ({about})' if about else ''}", STYLES.get(result.action))


def results_summary(results: Sequence[FileResult]) -> str:
    """Count the files by action, as in `2 signed, 1 failed.`"""
    counts = Counter(result.action for result in results)
    return ", ".join(f"{number} {action}" for action, number in counts.items()) + "."


def failed_results(error: SignerError, path: Path) -> Iterator[FileResult]:
    """Yield failed results for an error that stopped the command: the error at `path`, then each package problem."""
    yield FileResult(error.path or path, "failed", error=error)
    for problem in error.problems if isinstance(error, PackageError) else ():
        facts: dict[str, Any] = getattr(problem, "as_json", dict)()
        if facts.get("severity", "error") == "error":
            single = SignerError(str(problem), hint=facts.get("hint"))
            single.code = facts.get("code", error.code)
            yield FileResult(Path(facts.get("path") or error.path or path), "failed", error=single)
