"""`drvsign explain`: explain why a driver does not load or install, from logs and codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.reports import ReportChoices
from signer.cli.options.verify import MachineOptions, TrustOptions
from signer.cli.output import Output
from signer.cli.param_types import to_file, to_path
from signer.cli.paths import expand, listed
from signer.cli.reporting import Answer, Reporting
from signer.errors import FileError, SignerError, UsageError
from signer.limits import VARIABLE
from signer.numbers import counted
from signer.storage.files import chunks_of, convert_os_errors
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from catalogs.verification.log_comparison import Compared
    from signer.explain.codes import Code
    from signer.explain.explain import Explanation, Input
    from signer.policy.targets import Target
    from signer.reports.model import Report
    from signer.reports.sink import Sink

app = typer.Typer(add_completion=False)

_LABELS = frozenset({"code", "error", "event", "status", "problem"})

_LOOKED_FOR = """\
Looked for:
  events of Code Integrity: .evtx, XML, JSON, CSV, Format-List, message text
  setupapi logs
  the output of sc, fltmc and pnputil
  texts of Device Manager
  codes, such as 52, 0xC0000428 or CERT_E_UNTRUSTEDROOT"""


Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="LOG|CODE",
        help="Logs in any form, folders and @lists of them (- for standard input), codes, and texts in quotes.",
        show_default=False,
    ),
]
MachineTarget = Annotated[
    str | None,
    typer.Option("--target", metavar="NAME", help="The machine, such as win11-24h2-x64. Default: from the log."),
]
ComparedPackage = Annotated[
    Path | None,
    typer.Option(
        "--package", metavar="DIR", help="The driver package: check it, and compare with the log.", parser=to_path
    ),
]
ComparedDriver = Annotated[
    Path | None,
    typer.Option("--driver", metavar="FILE", help="The driver: check it, and compare with the log.", parser=to_file),
]


@app.command(
    epilog=examples(
        "drvsign explain ci.evtx",
        "drvsign explain setupapi.dev.log --brief",
        'drvsign explain "Code 52" 0xC0000428',
        "drvsign explain ci.evtx --package driver/",
        "drvsign explain --how --target win11-24h2-x64",
    )
)
@command
def explain(
    output: Output,
    inputs: Inputs = None,
    *,
    target: MachineTarget = None,
    package: ComparedPackage = None,
    driver: ComparedDriver = None,
    brief: Annotated[bool, typer.Option("--brief", help="Print one line for each file.")] = False,
    how: Annotated[bool, typer.Option("--how", help="Print how to export the logs, and stop.")] = False,
    trust: TrustOptions,
    machine: MachineOptions,
    reports: ReportChoices,
) -> None:
    """Explain why a driver does not load or install, from logs and codes of the machine.

    Exit code 0: explained; 3: nothing was recognised, or a log can't be read (the others are explained).
    """
    from signer.policy.targets import Target

    here = Target.parse(target) if target is not None else None
    output, reporting = reports.prepare(output, "explain")
    if how:
        reporting.require_native("--how")
        _write_exports(output, here)
        return
    if not inputs:
        raise UsageError("no log and no code is given", hint="Run: drvsign explain --how")
    logs, codes = _sorted(output, inputs)
    explanation = _explained(logs, codes, _settings(machine, trust, here))
    compared = _compared(output, explanation, [one for one in (package, driver) if one is not None], trust, machine)
    errors = _errors(explanation, logs if not codes else [])
    _write(output, reporting, explanation, compared, errors, brief=brief)
    _fail(output, errors)


def _fail(output: Output, errors: Sequence[SignerError]) -> None:
    """Print the errors, and end with exit code 3 if there is one."""
    for error in errors:
        output.error(error)
        for line in _LOOKED_FOR.splitlines() if isinstance(error, _NothingRecognised) else ():
            output.note(line)
    if errors:
        raise typer.Exit(ExitCode.FAILED)


def _errors(explanation: Explanation, logs: Sequence[Input]) -> list[SignerError]:
    """Return the errors of logs that can't be read, or that there are no answers; it names the log if there is one."""
    if explanation.failures or explanation.answers:
        return list(explanation.failures)
    nothing = _nothing(explanation)
    return [nothing.at(logs[0].name) if len(logs) == 1 else nothing]


def _write_exports(output: Output, target: Target | None) -> None:
    from signer.explain.exports import exports
    from signer.reports.explanation_text import write_exports

    build = target.build if target is not None else None
    if output.json:
        rows = [{"key": one.key, "title": one.title, "commands": one.lines(build)} for one in exports()]
        output.document({"schema": "drvsign.exports/1", "exports": rows})
    else:
        write_exports(output, build)


def _sorted(output: Output, inputs: Sequence[str]) -> tuple[list[Input], list[Code]]:
    """Tell logs and texts from codes. Raises FileError for a word that is neither."""
    from signer.explain.codes import parse_code
    from signer.explain.explain import Input
    from signer.explain.readers.table import SUFFIXES, is_log

    logs, codes = [], []
    for word in _joined(inputs):
        code = parse_code(word)
        named = [] if word == "-" else list(listed([Path(word)]))
        if word == "-":
            logs.append(Input(word, _standard_input()))
        elif word.startswith("@") or all(path.exists() for path in named):
            files = expand(named, is_log, "logs")
            logs += [Input(str(path), _chunks(output, path)) for path in files]
        elif code is not None:
            codes.append(code)
        elif " " in word and Path(word).suffix.lower() not in SUFFIXES:
            logs.append(Input("the text", [word.encode("utf-8", "replace")]))
        else:
            hint = "Give a log, or a code such as 52, 0xC0000428 or CERT_E_UNTRUSTEDROOT."
            raise FileError(f"{word!r} is neither a file nor a known code", hint=hint)
    return logs, codes


def _joined(words: Sequence[str]) -> Iterator[str]:
    """Yield the words, with a label such as "code" joined to the number behind it."""
    label = ""
    for word in words:
        if word.lower() in _LABELS and not label:
            label = word
            continue
        yield f"{label} {word}".strip()
        label = ""
    if label:
        yield label


def _standard_input() -> Iterator[bytes]:
    """Yield the bytes of the standard input as they arrive. Raises FileError."""
    import sys

    with convert_os_errors(STANDARD, "read the file"):
        while chunk := sys.stdin.buffer.read(1 << 16):
            yield chunk


def _chunks(output: Output, path: Path) -> Iterator[bytes]:
    """Yield the bytes of a log; a size that changes while it is read does not matter. Raises FileError."""
    with convert_os_errors(path, "read the file"):
        size = path.stat().st_size
    yield from output.pieces(chunks_of(path), size, f"reading {path.name}")


def _explained(logs: list[Input], codes: list[Code], settings: dict[str, Any]) -> Explanation:
    from signer.explain.explain import explain as explain_logs

    return explain_logs(logs, codes, settings)


def _compared(
    output: Output, explanation: Explanation, drivers: Sequence[Path], trust: TrustOptions, machine: MachineOptions
) -> tuple[Compared, ...]:
    """Compare the answers with the drivers; without drivers, the answers alone."""
    from catalogs.verification.log_comparison import Compared, compare, machine_of
    from catalogs.verification.query import VerifyQuery

    if not drivers or not explanation.answers:
        return tuple(Compared(answer, None) for answer in explanation.answers)
    if explanation.machine.testsigning and trust.roots is None:
        trust = replace(trust, roots="test-signing")
    trusted = trust.resolve(output)
    state = machine_of(explanation, machine.machine(trusted.mode, test_machine=trust.test_machine))
    return compare(explanation, drivers, lambda policy: VerifyQuery(policy, trusted, state))


def _settings(machine: MachineOptions, trust: TrustOptions, target: Target | None) -> dict[str, Any]:
    """Return the settings of the machine that the options give."""
    state = machine.machine("release", test_machine=trust.test_machine)
    return {
        "release_name": target.release.name if target is not None else None,
        "architecture": target.architecture if target is not None else None,
        "secure_boot": state.secure_boot,
        "testsigning": state.testsigning or None,
        "hvci": state.hvci or None,
        "driver_policy": state.driver_policy,
    }


def _write(
    output: Output,
    reporting: Reporting,
    explanation: Explanation,
    compared: Sequence[Compared],
    errors: Sequence[SignerError],
    *,
    brief: bool,
) -> None:
    from signer.reports.explanation_json import document
    from signer.reports.explanation_report import explanation_report
    from signer.reports.explanation_text import write_blocks, write_brief

    def text(sink: Sink) -> None:
        if brief:
            write_brief(compared, sink)
        else:
            write_blocks(explanation, compared, sink)

    def model() -> Report:
        return explanation_report(compared, errors, ExitCode.FAILED if errors else ExitCode.DONE)

    reporting.write(output, Answer(text, lambda: document(explanation, compared), model))
    if explanation.localised:
        output.warn(f"a text is in {' and '.join(explanation.languages)}: only its ids, paths and codes were read")
    for problem, count in explanation.damages.items():
        output.warn(f"{problem} ({count} times)" if count > 1 else problem)
    if explanation.left_out:
        output.warn(
            f"left out {counted(explanation.left_out, 'record')} about further files; "
            f"{VARIABLE}=log-files=off lists all"
        )


class _NothingRecognised(SignerError):
    """The inputs have nothing that is known."""


def _nothing(explanation: Explanation) -> SignerError:
    """Return the error for inputs that explain nothing."""
    if explanation.languages:
        languages = " and ".join(explanation.languages)
        return SignerError(
            f"the text is in {languages} and has no code, event id, policy or path of a driver", hint=_IN_ENGLISH
        )
    if explanation.forms:
        read = ", ".join(f"{form} ({count})" for form, count in explanation.forms.items())
        return SignerError(f"no driver that was stopped is reported; read: {read}", hint=_HOW)
    return _NothingRecognised("nothing was recognised", hint=_HOW)


_HOW = "Run: drvsign explain --how"
_IN_ENGLISH = "Export the event as XML, which no language changes. Run: drvsign explain --how"
