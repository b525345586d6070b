"""Make what an audit asks from options: one question for all machines, and one for each with a state of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.options.machine_states import StatedMachine, load_machine_state
from signer.cli.options.verify import MachineOptions
from signer.errors import SignerError
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.audit.cache import KeptQuestion
    from signer.audit.disk import Disk
    from signer.audit.examine import Question
    from signer.policy.trust import Trust


@dataclass(frozen=True)
class Asked:
    """The question of an audit, and the lists of drivers that it depends on, by machine."""

    question: Question
    lists: Mapping[str, Sequence[Path]]
    """The files of each machine with a state of its own; those of all others under the empty name."""

    def states(self) -> dict[str, str]:
        """Return the state of each machine, in which it judges drivers, as `signer.audit.merge.States` has them."""
        return {name: one.fingerprint.hex() for name, one in self.kept().items()}

    def kept(self) -> dict[str, KeptQuestion]:
        """Return the question of each machine as the cache knows it. Raises FileError."""
        from signer.audit.cache import KeptQuestion
        from signer.audit.fingerprint import fingerprint

        questions = {name: self.question.of(name) for name in self.lists}
        return {
            name: KeptQuestion(fingerprint(one, self.lists[name]), one.query.machine.at)
            for name, one in questions.items()
        }


def asked(
    trust: Trust,
    machine: MachineOptions,
    target: str | None,
    states: Mapping[str, Path],
    disks: Mapping[str, Disk],
    *,
    test_machine: bool,
) -> Asked:
    """Return the question for all machines, and that of each with a file in `states` or a disk.

    Raises UsageError, ConfigError, and SignerError for a list that can't be read.
    """
    common = StatedMachine(machine, target)
    stated = {"": common} | {name: _stated(name, common, states, disks) for name in (*disks, *states)}
    questions = {}
    for name, one in stated.items():
        try:
            questions[name] = _question(trust, one, test_machine=test_machine)
        except SignerError as error:
            raise error if error.path is not None or name not in states else error.at(states[name]) from error
    question = replace(questions.pop(""), machines=questions)
    return Asked(question, {name: _lists(one.options) for name, one in stated.items()})


def _stated(name: str, common: StatedMachine, states: Mapping[str, Path], disks: Mapping[str, Disk]) -> StatedMachine:
    """Return the state of a machine: its file goes before the call, and both before what its disk shows."""
    found = load_machine_state(states[name], common.options) if name in states else common
    target = found.target or common.target
    return _with_disk(found.options, target, disks[name]) if name in disks else StatedMachine(found.options, target)


def _with_disk(given: MachineOptions, target: str | None, disk: Disk) -> StatedMachine:
    """Add what a disk shows: lists, phase of the Windows Driver Policy, and the release of a client."""
    from signer.explain.machine import Machine

    found = replace(
        given,
        allow_list=given.allow_list or disk.allow_list,
        block_list=given.block_list or disk.block_list,
        driver_policy=given.driver_policy or disk.driver_policy,
    )
    kernel = disk.kernel() if target is None else None
    release = Machine(build=kernel[0]).release if kernel is not None else None
    return StatedMachine(found, f"{release.name}-{kernel[1]}" if release is not None and kernel is not None else target)


def _question(trust: Trust, stated: StatedMachine, *, test_machine: bool) -> Question:
    from catalogs.verification.query import VerifyQuery
    from signer.audit.examine import Question

    state = stated.options.machine(trust.mode, test_machine=test_machine)
    targets = [stated.target] if stated.target is not None else ()
    return Question(VerifyQuery.create("kernel", trust, state, targets=targets))


def _lists(machine: MachineOptions) -> list[Path]:
    return [path for path in (machine.allow_list, machine.block_list) if path is not None]
