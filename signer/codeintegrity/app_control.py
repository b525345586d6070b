"""Name the App Control policies of Windows that decide about drivers, by their GUIDs."""

from __future__ import annotations

from functools import cache

from signer.policy.tables import rows
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class AppControlPolicy:
    """A policy that Windows brings along."""

    key: str
    """evaluation and enforced (the two phases of the Windows Driver Policy), block-list, s-mode."""
    guid: str
    """In lower case with braces, as events have it."""
    name: str

    @property
    def id(self) -> str:
        """Return the GUID in upper case, as the policy file and its name have it."""
        return self.guid.upper()


@cache
def app_control_policies() -> tuple[AppControlPolicy, ...]:
    """Return every known policy."""
    table = rows("app_control_policies.tsv", "signer.codeintegrity.data")
    return tuple(AppControlPolicy(row["key"], row["guid"], row["name"]) for row in table)


def app_control_policy(key: str) -> AppControlPolicy:
    """Return the policy with this key. Raises KeyError."""
    return {policy.key: policy for policy in app_control_policies()}[key]


def policy_with_guid(guid: str) -> AppControlPolicy | None:
    """Return the policy with this GUID, in any case and with or without braces; None if it is not known."""
    wanted = f"{{{guid.strip('{}').lower()}}}"
    return next((policy for policy in app_control_policies() if policy.guid == wanted), None)
