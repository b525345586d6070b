"""Load the allow list and the block list of drivers, and reject one given as the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.output import Output
from signer.errors import ConfigError, UsageError
from signer.storage.files import read

if TYPE_CHECKING:
    from signer.policy.si_policy.policy import SiPolicy


def load_allow_list(path: Path | None) -> SiPolicy | None:
    """Load the Windows Driver Policy's allow list. Raises FileError, ConfigError, and UsageError for the block list."""
    from signer.codeintegrity.app_control import app_control_policy

    policy = _load(path, "Allow list")
    enforced = app_control_policy("enforced").id
    if policy is None or policy.id in (None, enforced, app_control_policy("evaluation").id):
        return policy
    if policy.id == app_control_policy("block-list").id:
        # The block list allows every driver that it does not deny: as an allow list it would allow nearly all.
        raise UsageError(
            f"{path} is Microsoft's driver block list ({policy.id}), not the allow list of the Windows Driver Policy",
            hint=f"Give it with --block-list; the allow list is {enforced}.cip.",
            field="--allow-list",
        )
    from signer.policy.si_policy.draft import TITLE

    if (policy.title or "").startswith(TITLE):
        Output.current().note(
            f"{path}: a draft of drvsign audit, used in place of the Windows Driver Policy's allow list."
        )
    else:
        Output.current().warn(
            f"{path} is not the Windows Driver Policy, whose ID is {enforced}; its rules apply anyway"
        )
    return policy


def load_block_list(path: Path | None) -> SiPolicy | None:
    """Load the driver block list. Raises FileError, ConfigError, and UsageError for the allow list."""
    from signer.codeintegrity.app_control import app_control_policy

    policy = _load(path, "Block list")
    if policy is not None and policy.id == app_control_policy("enforced").id:
        raise UsageError(
            f"{path} is the Windows Driver Policy ({policy.id}), not Microsoft's driver block list",
            hint="Give it with --allow-list; the block list is driversipolicy.p7b.",
            field="--block-list",
        )
    return policy


def _load(path: Path | None, what: str) -> SiPolicy | None:
    """Load the App Control policy at `path`. Raises FileError, ConfigError with the path."""
    if path is None:
        return None
    from signer.policy.si_policy.read import read_policy

    try:
        policy = read_policy(read(path))
    except ConfigError as error:
        raise error.at(path) from error
    judged = "; its signature was not verified" if policy.signed else ""
    Output.current().note(f"{what}: {policy.label}{judged}.")
    return policy
