"""Generate docs/troubleshooting.md from the causes. `python -m tests.support.troubleshooting_page` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signer.codeintegrity.app_control import app_control_policy
from signer.explain.causes import Cause, Sign, causes
from signer.explain.codes import code_of
from signer.explain.exports import exports
from signer.reports.explanation_text import GATES
from tests.support.files import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"

_INTRODUCTION = """# Troubleshooting: a driver does not load or install

Find the symptom in the first table; each section says what Windows reports, the cause, and what to do.
`drvsign explain` makes the same answer from a log or a code, and derives the machine's state from it:

```
drvsign explain ci.evtx setupapi.dev.log
drvsign explain "Code 52" 0xC0000428
```

This page is made from the tables of `drvsign explain` (`signer/explain/data`), by
`python -m tests.support.troubleshooting_page`.
"""
_WORDS = {"user": "User", "administrator": "Administrator", "developer": "Developer"}


def page() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION, *_by_symptom(), *_sections(), *_exports()])


def _by_symptom() -> Iterator[str]:
    """Yield the table from each symptom to the causes that it can have."""
    found: dict[str, list[Cause]] = {}
    for cause in causes():
        for sign in cause.signs:
            for symptom in _symptoms(sign):
                found.setdefault(symptom, []).append(cause)
    yield "## By symptom\n"
    yield "| symptom | causes |"
    yield "|---|---|"
    for symptom in sorted(found, key=_order):
        links = dict.fromkeys(f"[{cause.title}](#{cause.key})" for cause in found[symptom])
        yield f"| {symptom} | {'; '.join(links)} |"
    yield ""


def _order(symptom: str) -> tuple[int, int, str]:
    kind = 0 if symptom.startswith("Code ") else 2 if symptom.startswith("event ") else 1
    number = symptom.split()[1] if kind != 1 else symptom.split("`")[1]
    return kind, int(number, 0) if number[:1].isdigit() else 0, symptom


def _symptoms(sign: Sign) -> Iterator[str]:
    for event in sign.conditions.get("events", ()):
        yield f"event {event}"
    for text in sign.conditions.get("codes", ()):
        code = code_of(text)
        yield (
            f"Code {text.removeprefix('Code ')} in Device Manager"
            if text.startswith("Code ")
            else f"`{text}` {code.name}"
        )


def _sections() -> Iterator[str]:
    for gate, title in GATES.items():
        mine = [cause for cause in causes() if cause.gate == gate]
        if mine:
            yield f"## {title[:1].upper()}{title[1:]}\n"
            for cause in mine:
                yield from _section(cause)


def _section(cause: Cause) -> Iterator[str]:
    yield f'### <a id="{cause.key}"></a>{cause.title}\n'
    yield _sentence(cause) + "\n"
    yield "| reported | confidence |"
    yield "|---|---|"
    for sign in cause.signs:
        yield f"| {_reported(sign.conditions)} | {sign.confidence} |"
    yield ""
    for who, word in _WORDS.items():
        yield f"- {word}: {cause.next[who]}"
    rules = ", ".join(f"`{rule}`" for rule in cause.rules[:6])
    yield f"- Rules in [policy.md](policy.md): {rules}{', …' if len(cause.rules) > 6 else ''}" if rules else ""
    yield f"- Source: {cause.source}"
    yield ""


def _sentence(cause: Cause) -> str:
    text = cause.sentence.replace("{policy}", "the log names it").replace("{detail}", cause.detail)
    text = text.replace("{file}", "the driver")
    return text[:1].upper() + text[1:]


def _reported(conditions: Any) -> str:
    words = {
        "events": lambda value: "event " + " or ".join(map(str, value)),
        "codes": lambda value: " or ".join(value),
        "with_codes": lambda value: "together with " + " or ".join(value),
        "without_codes": lambda value: "without " + " or ".join(value),
        "no_policy": lambda value: "without the name of a policy",
        "s_mode": lambda value: "while Windows is in S mode",
        "policies": lambda value: "policy " + " or ".join(_policy(key) for key in value),
        "errors": lambda value: "event 3089 with VerificationError " + " or ".join(map(str, value)),
        "unsigned": lambda value: "event 3089 with TotalSignatureCount 0",
        "signs": lambda value: "the text of Windows: " + " or ".join(value).replace("-", " "),
        "releases": lambda value: "on " + ", ".join(value),
        "phase": lambda value: "while the Windows Driver Policy is enforced",
        "whql_enforced": lambda value: "after event 3084",
        "user_mode": lambda value: "about an image that a process loads" if value else "about a driver",
        "no_events": lambda value: "and no event of Code Integrity",
    }
    return ", ".join(words[name](value) for name, value in conditions.items())


def _policy(key: str) -> str:
    return "of another name" if key == "other" else f"`{app_control_policy(key).guid}`"


def _exports() -> Iterator[str]:
    yield "## What to export\n"
    yield "`drvsign explain --how --target NAME` prints the commands that a release has.\n"
    for export in exports():
        yield f"{export.title}:\n"
        yield "```"
        yield from export.lines(None)
        yield "```\n"


if __name__ == "__main__":
    PAGE.write_text(page().rstrip("\n") + "\n", encoding="utf-8")
