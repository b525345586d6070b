"""Bound the time that a log takes, in proportion to its size.

Logs of Windows have long lines and large events. A log that has only short ones would take a hundred times as long as
a real one of the same size, so a log has a budget: the limit `log-work`, or more if it is large.
"""

from __future__ import annotations

from signer.limits import LIMITS, VARIABLE

CHARACTERS_PER_UNIT = 45
"""Characters of a log for each unit, where these units are more than the limit `log-work`."""
STATEMENT = 8
"""Units of an event, a message or another statement about a driver; a line takes one."""
LEFT_OUT = (
    "a part of the log was left out: it has more lines and events than real logs of its size; "
    f"{VARIABLE}=log-work=off reads all"
)


class Budget:
    """The work that one log may still take."""

    def __init__(self) -> None:
        self._characters = self._spent = 0

    def add(self, characters: int) -> None:
        """Count characters that were read."""
        self._characters += characters

    def spend(self, work: int = STATEMENT) -> None:
        """Count work that was done."""
        self._spent += work

    @property
    def left(self) -> int:
        """Units that may still be spent, zero or less if there are none."""
        return max(LIMITS["log-work"], self._characters // CHARACTERS_PER_UNIT) - self._spent
