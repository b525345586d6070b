"""`drvsign --as infverif`. Source: "Running InfVerif from the Command Line" (windows-driver-docs, devtest).

Microsoft publishes no sample of a line with a problem; reports show `WARNING(1304) in C:\\x.inf, line 98: ...`
(windows-driver-docs, issue 988).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from signer.cli.front_ends.annotated import annotated
from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.switches import Grammar, ParsedSwitches, Switch, parse
from signer.cli.front_ends.words import files, local
from signer.errors import InfError, UsageError
from signer.storage.files import ensure_folder, read, write_atomically

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem
    from catalogs.inf.rules import RuleSet

GRAMMAR = Grammar(
    {
        "code": Switch("value", "print the rule of a code, as `drvsign inf rules`"),
        "v": Switch(does="say whether each INF is valid, and how to fix each problem"),
        "h": Switch(does="`--mode h`"),
        "w": Switch(does="`--mode w`"),
        "u": Switch(does="`--mode u`"),
        "universal": Switch(does="`--mode u`"),
        "k": Switch(does="`--mode k`; also without a mode, for which Microsoft publishes no levels"),
        "rulever": Switch(
            "value", "`--rulever DATE`, with the date of the release that has this build; `vnext`: latest"
        ),
        "wbuild": Switch("value", ignored="the rules of /w apply to every Models section"),
        "info": Switch(does="print the Provider, DriverVer and devices of each INF, as `drvsign inf show`"),
        "stampinf": Switch(does="accept `$ARCH$` and StampInf's other variables"),
        "l": Switch("value", "write each INF with its problems to an HTML file in this folder"),
        "osver": Switch("value", ignored="every target OS of the INF is checked"),
        "product": Switch("value", refused="Microsoft does not publish product definitions (.ias)."),
        "provider": Switch("value", "`--provider NAME`"),
        "samples": Switch(does="accept Class=Sample"),
        "msft": Switch(does="accept Class=Sample and Provider=Microsoft"),
    },
)
_MODES = {"h": "signature requirements", "w": "Windows Driver INF", "u": "Universal INF", "k": "Declarative INF"}
_BUILD = re.compile(r"10\.0\.(?:\.\.)?(\d{1,6})(?:\.\d+)?")
_SAMPLE, _PROVIDER, _VARIABLE = ("1284", "sample"), ("1204", ""), ("1274", "")
_ALLOWED = {"samples": [_SAMPLE], "msft": [_SAMPLE, _PROVIDER], "stampinf": [_VARIABLE]}
"""Codes that a switch takes away, with a part of the message: cargo-wdk checks INFs of the class Sample."""
WRONG_CALL = 87
"""ERROR_INVALID_PARAMETER."""


def infverif(words: Sequence[str]) -> int:
    """Check INFs and print InfVerif's lines; return the exit code, 1 if an INF is not valid. Raises SignerError."""
    if asks_for_help(words, GRAMMAR.switches):
        say(usage("infverif [options] <files>", GRAMMAR))
        return 0
    started = monotonic()
    given = parse(GRAMMAR, words)
    code = given.last("code")
    if code is not None:
        return _explain(code)
    infs = [Path(name) for name in files(given.operands)]
    if not infs:
        raise UsageError("no INF is named", hint="Write infverif /w FILE.inf.")
    mode, rule_set = _rule_set(given)
    for sentence in given.ignored:
        complain(f"InfVerif warning: {sentence}")
    if "v" in given:
        say(f"Running in Verbose\nRunning {_MODES[mode]} check\n")
    valid = [_check(given, path, rule_set) for path in infs]
    seconds, milliseconds = divmod(round((monotonic() - started) * 1000), 1000)
    say(f"\nChecked {len(infs)} INF(s) in {seconds // 60} m {seconds % 60} s {milliseconds} ms")
    return 0 if all(valid) else 1


def _rule_set(given: ParsedSwitches) -> tuple[str, RuleSet]:
    """Return the letter of the mode and the requirements. Raises UsageError."""
    from catalogs.inf.rules import Mode, RuleSet

    modes = {"u" if name == "universal" else name for name in (*_MODES, "universal") if name in given}
    if len(modes) > 1:
        raise UsageError(
            f"only one mode is allowed: {', '.join(f'/{one}' for one in sorted(modes))}", hint="Choose one."
        )
    mode = modes.pop() if modes else "k"
    as_of = _date_of(given.last("rulever"))
    return mode, RuleSet(Mode(mode), as_of, latest=as_of is None, provider=given.last("provider"))


def _date_of(build: str | None) -> datetime.date | None:
    """Return the date of the newest release with at most this build; None for the latest rules. Raises UsageError."""
    from signer.policy.targets import release, release_names

    if build is None or build.lower() == "vnext":
        return None
    found = _BUILD.fullmatch(build)
    if found is None:
        raise UsageError(f"{build} is not a build", hint="Write /rulever 10.0.17763, or /rulever vnext.")
    known = [one for one in map(release, release_names()) if one.available and one.build <= int(found[1])]
    return max(datetime.date.fromisoformat(one.available) for one in known) if known else datetime.date.min


def _check(given: ParsedSwitches, path: Path, rule_set: RuleSet) -> bool:
    """Check one INF and print its lines; tell whether it is valid."""
    say(f"Validating {path.name}")
    problems = _problems(given, path, rule_set)
    for problem in problems:
        line = f", line {problem.line}" if problem.line else ""
        say(f"{str(problem.severity).upper()}({problem.code}) in {path}{line}: {problem.message}")
        if problem.hint and "v" in given:
            say(f"    {problem.hint}")
    is_valid = not any(str(problem.severity) == "error" for problem in problems)
    if "v" in given or not is_valid:
        say(f"INF is {'' if is_valid else 'NOT '}VALID")
    if "info" in given:
        _inform(path)
    folder = given.last("l")
    if folder is not None:
        ensure_folder(Path(local(folder)))
        write_atomically(
            Path(local(folder)) / f"{path.name}.html", annotated(path, problems).encode("utf-8", "replace")
        )
    return is_valid


def _problems(given: ParsedSwitches, path: Path, rule_set: RuleSet) -> list[PackageProblem]:
    """Return what InfVerif reports of an INF: no problem of a file beside it, and no rule that a switch takes away."""
    from catalogs.lint import lint

    if path.suffix.lower() not in (".inf", ".inx"):
        raise UsageError(f"{path} has no .inf extension", hint="Name INF files.")
    allowed = [pair for switch, pairs in _ALLOWED.items() if switch in given for pair in pairs]
    found = (_numbered(one) for one in lint(path, files=False, rule_set=rule_set))
    return [one for one in found if one.code.isdigit() and not _is_allowed(one, allowed)]


def _is_allowed(problem: PackageProblem, allowed: Sequence[tuple[str, str]]) -> bool:
    return any(problem.code == code and text in problem.message.lower() for code, text in allowed)


def _numbered(problem: PackageProblem) -> PackageProblem:
    """Return a problem with InfVerif's code: 1003 for a file that is not text, which drvsign reports without one."""
    return replace(problem, code="1003") if problem.code == InfError.code else problem


def _inform(path: Path) -> None:
    """Print the summary of an INF; nothing for one that can't be parsed."""
    from catalogs.inf.driver import DriverInf

    try:
        driver = DriverInf.parse(read(path), path)
    except InfError:
        return
    version = driver.version
    say(f"\nInformation about {path.name}")
    say(f"  Family ID: {version.value('Provider')}-{path.name}")
    for name in ("Provider", "Class", "ClassGuid", "DriverVer"):
        entry = version.entry(name)
        say(f"  {name}: {','.join(entry.values) if entry else ''}")
    for section in driver.models:
        for model in section.models or ():
            target = section.target.text or "NTx86"
            say(f"  Device: {model.description}\n    Target OS: {target}")
            for id_ in model.ids:
                say(f"    Hardware ID: {id_}")


def _explain(code: str) -> int:
    from catalogs.inf.rules import Mode, rules

    rule = rules().get(code)
    if rule is None:
        raise UsageError(f"unknown error code {code}", hint="List the codes: drvsign inf rules")
    say(f"{code}: {rule.message}")
    say("  " + ", ".join(f"/{mode.value} {rule.levels[mode].value}" for mode in Mode))
    for text in (rule.fix, rule.reason and f"drvsign does not decide this rule: {rule.reason}", rule.source):
        if text:
            say(f"  {text}")
    return 0
