"""The options about the App Control policy that `drvsign audit` writes for the drivers to keep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import typer

from signer.cli.options.reports import require_place
from signer.cli.output import Output
from signer.cli.param_types import to_choice, to_output
from signer.errors import UsageError
from signer.numbers import counted
from signer.records import dataclass
from signer.storage.files import write_pieces

if TYPE_CHECKING:
    from signer.audit.examine import Question
    from signer.audit.keep import Choice, Kept
    from signer.audit.ledger import Ledger
    from signer.policy.si_policy.derivation import Level

PANEL = "App Control policy"
_MAX_NAMED = 5
"""Number of drivers without a rule that are named one by one."""


def to_guid(word: str | UUID) -> UUID:
    """Convert a GUID with or without braces. Raises typer.BadParameter."""
    if isinstance(word, UUID):
        return word
    try:
        return UUID(word.strip("{}"))
    except ValueError as error:
        raise typer.BadParameter(f"{word!r} is not a GUID") from error


@dataclass(frozen=True)
class KeptDrivers:
    """The options about the policy."""

    policy_xml: Annotated[
        Path | None,
        typer.Option(
            "--policy-xml",
            metavar="FILE",
            help="Write an App Control policy (XML) that allows the drivers to keep.",
            rich_help_panel=PANEL,
            parser=to_output,
        ),
    ] = None
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="WHICH",
            help="The drivers to keep: stopping (those that the Windows Driver Policy stops) or loading (these and all "
            "that load). Default: stopping.",
            rich_help_panel=PANEL,
            parser=to_choice("stopping", "loading"),
        ),
    ] = None
    rule_level: Annotated[
        str | None,
        typer.Option(
            "--rule-level",
            metavar="LEVEL",
            help="The rules: file-publisher (publisher, file name and lowest version; hash where one is missing) or "
            "hash. Default: file-publisher.",
            rich_help_panel=PANEL,
            parser=to_choice("file-publisher", "hash"),
        ),
    ] = None
    base_policy: Annotated[
        UUID | None,
        typer.Option(
            "--base-policy",
            metavar="GUID",
            help="Supplement the policy with this GUID. Default: a base policy in audit mode.",
            rich_help_panel=PANEL,
            show_default=False,
            parser=to_guid,
        ),
    ] = None
    policy_id: Annotated[
        UUID | None,
        typer.Option(
            "--policy-id",
            metavar="GUID",
            help="The GUID of the policy. Default: always the same, so that a later policy replaces it.",
            rich_help_panel=PANEL,
            show_default=False,
            parser=to_guid,
        ),
    ] = None

    def check(self) -> None:
        """Raise UsageError for options without a policy, FileError for a file that can't be written."""
        if self.policy_xml is not None:
            require_place(self.policy_xml, "the policy")
            return
        given = {"--keep": self.keep, "--rule-level": self.rule_level, "--base-policy": self.base_policy}
        given["--policy-id"] = self.policy_id
        named = next((name for name, value in given.items() if value is not None), None)
        if named is not None:
            raise UsageError(f"{named} is about a policy, and none is written", hint="Add --policy-xml FILE.")

    def write(self, output: Output, ledger: Ledger, question: Question) -> None:
        """Write the policy if one is wanted, and say what is in it. Raises FileError."""
        if self.policy_xml is None:
            return
        from signer.audit.keep import ANSWERS_OF, keep
        from signer.policy.si_policy.draft import TITLE, PolicyHead, write_policy

        choice = cast("Choice", self.keep or "stopping")
        rows = ledger.rows(ANSWERS_OF[choice])
        found = keep(rows, question, cast("Level", self.rule_level or "file-publisher"))
        at = question.query.machine.at
        version = f"1.{at.year}.{at.month * 100 + at.day}.{at.hour * 60 + at.minute}"
        head = PolicyHead(f"{TITLE} ({choice})", version, self.base_policy, self.policy_id)
        write_pieces(self.policy_xml, (one.encode("utf-8") for one in write_policy(found.draft, head)))
        _say(output, self.policy_xml, found, head.own_id)


def _say(output: Output, path: Path, found: Kept, own_id: UUID) -> None:
    """Say how many drivers the policy allows, and which it can't."""
    for error in found.left_out[:_MAX_NAMED]:
        output.warn(str(error))
    if len(found.left_out) > _MAX_NAMED:
        output.warn(f"{counted(len(found.left_out) - _MAX_NAMED, 'more driver')} not in the policy")
    levels = ", ".join(f"{count} by {level}" for level, count in sorted(found.levels.items()))
    total = counted(found.levels.total(), "driver")
    output.note(f"{path}: policy {{{str(own_id).upper()}}} allows {total}{f' ({levels})' if levels else ''}")
