"""The name and the version of this program, for reports that say what made them."""

from __future__ import annotations

NAME = "drvsign"


def version() -> str:
    """Return the version of the installed distribution; `0` if it runs from the sources without one."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(NAME)
    except PackageNotFoundError:
        return "0"
