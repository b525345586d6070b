"""Report explanations as text: a block for each file, or one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.explain.exports import exports, settling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalogs.verification.log_comparison import Compared, Comparison
    from signer.explain.explain import Answer, Explanation
    from signer.explain.machine import Machine
    from signer.reports.sink import Sink

_STYLES = {"certain": "bold green", "likely": "bold yellow", "possible": "yellow"}
GATES = {
    "kernel-signing": "kernel-mode code signing",
    "driver-policy": "Windows Driver Policy",
    "block-list": "driver block list",
    "memory-integrity": "memory integrity",
    "s-mode": "S mode",
    "pnp": "Plug and Play installation",
    "architecture": "architecture",
    "sha2": "SHA-2 support",
    "ci-policy": "App Control policy",
    "other": "other",
}


def write_brief(compared: Sequence[Compared], sink: Sink) -> None:
    """Write one line for each file."""
    for answer in (one.answer for one in compared):
        sink.print(f"{answer.file or '-'}: {answer.gate} ({answer.confidence}): {answer.cause}")


def write_blocks(explanation: Explanation, compared: Sequence[Compared], sink: Sink) -> None:
    """Write the machine's state, and a block for each file."""
    state = machine_lines(explanation.machine)
    if state:
        sink.print("Machine, from the log and the options:")
        for name, text in state:
            sink.paragraph(f"  {name}: ", text)
        sink.print()
    for number, one in enumerate(compared):
        if number:
            sink.print()
        _block(one.answer, explanation.machine.build, sink)
        if one.comparison is not None:
            _prediction(one.comparison, sink)


def machine_lines(machine: Machine) -> list[tuple[str, str]]:
    """Return what is known about the machine, each with its reason."""
    words = {True: "on", False: "off"}
    found: list[tuple[str, str]] = []
    here = machine.release
    if here is not None:
        build = f", build {machine.build}" if machine.build is not None else ""
        found.append(("release", f"{here.title} {machine.architecture or ''}".rstrip() + build))
    elif machine.architecture is not None:
        found.append(("architecture", machine.architecture))
    for name, title in (
        ("secure_boot", "Secure Boot"),
        ("whql_enforced", "WHQL enforcement"),
        ("testsigning", "test-signing mode"),
        ("hvci", "memory integrity"),
        ("s_mode", "S mode"),
    ):
        value = getattr(machine, name)
        if value is not None:
            found.append((title, f"{words[value]} ({machine.reasons[name]})"))
    if machine.driver_policy is not None:
        found.append(("Windows Driver Policy", f"{machine.driver_policy} ({machine.reasons['driver_policy']})"))
    return found


def write_exports(sink: Sink, build: int | None) -> None:
    """Write how to export everything that is read, for a build or for all."""
    sink.print("Copy and paste in PowerShell, started as administrator:")
    for export in exports():
        lines = export.lines(build)
        if lines:
            sink.print()
            sink.print(f"# {export.title}")
            for line in lines:
                sink.print(line)
    sink.print()
    sink.print("Then run: drvsign explain FILE…")


def _block(answer: Answer, build: int | None, sink: Sink) -> None:
    sink.line(answer.file or "(no file named)", GATES[answer.gate], "bold")
    sink.paragraph("  cause: ", answer.cause)
    sink.paragraph("  confidence: ", f"{answer.confidence}; {answer.reason}", _STYLES[answer.confidence])
    shown = [*(f"event {event}" for event in answer.events), *answer.codes]
    if shown:
        sink.paragraph("  logged: ", ", ".join(shown))
    for title in answer.others[:3]:
        sink.paragraph("  or: ", title)
    settle = settling(answer.settle, build)
    if answer.confidence != "certain" and settle is not None:
        sink.paragraph("  to settle it: ", settle)
    for who in ("user", "administrator", "developer"):
        sink.paragraph(f"  {who}: ", answer.next[who])


def _prediction(one: Comparison, sink: Sink) -> None:
    """Write the verdict about the file itself, and whether it agrees with the log."""
    words = {True: "agrees with the log", False: "DIFFERS from the log", None: "not compared"}
    by = {"hash": "same hash", "name": "same name", "only file": "the only file"}[one.matched_by]
    text = f"{one.path} ({by}) on {one.target}: {one.outcome}, rule {one.rule}; {words[one.agrees]}"
    sink.paragraph("  checked: ", text, "bold red" if one.agrees is False else None)
    if one.difference is not None:
        sink.paragraph("           ", one.difference)
