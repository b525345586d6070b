"""Make what an audit asks from options: one question for all machines, and one for each with a state of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.options.machine_states import StatedMachine, load_machine_state
from signer.cli.options.verify import MachineOptions
from signer.errors import SignerError

if TYPE_CHECKING:
    from signer.audit.examine import Question
    from signer.policy.trust import Trust


@dataclass(frozen=True)
class Asked:
    """The question of an audit, and the lists of drivers that it depends on, by machine."""

    question: Question
    lists: Mapping[str, Sequence[Path]]
    """The files of each machine with a state of its own; those of all others under the empty name."""

    def fingerprints(self) -> dict[str, bytes]:
        """Return what identifies the question of each machine. Raises FileError."""
        from signer.audit.fingerprint import fingerprint

        return {name: fingerprint(self.question.of(name), paths) for name, paths in self.lists.items()}


def asked(
    trust: Trust, machine: MachineOptions, target: str | None, states: Mapping[str, Path], *, test_machine: bool
) -> Asked:
    """Return the question for all machines, with those of `states`, files by machine.

    Raises UsageError, ConfigError, and SignerError for a list that can't be read.
    """
    stated = {name: load_machine_state(path, machine) for name, path in states.items()}
    own = {}
    for name, one in stated.items():
        try:
            own[name] = _question(trust, one, target, test_machine=test_machine)
        except SignerError as error:
            raise error if error.path is not None else error.at(states[name]) from error
    common = StatedMachine(machine, None)
    question = replace(_question(trust, common, target, test_machine=test_machine), machines=own)
    return Asked(question, {name: _lists(one.options) for name, one in {"": common, **stated}.items()})


def _question(trust: Trust, stated: StatedMachine, target: str | None, *, test_machine: bool) -> Question:
    from catalogs.verification.query import VerifyQuery
    from signer.audit.examine import Question

    state = stated.options.machine(trust.mode, test_machine=test_machine)
    wanted = stated.target or target
    return Question(VerifyQuery.create("kernel", trust, state, targets=[wanted] if wanted else ()))


def _lists(machine: MachineOptions) -> list[Path]:
    return [path for path in (machine.allow_list, machine.block_list) if path is not None]
