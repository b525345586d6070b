"""Create certificates for test signing: a root CA, an issuing CA, and certificates for code signing and timestamps.

`__all__` is the public API of this package; docs/api.md shows it in use. Every other module is private and may change
in any release. Names are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testcerts.api import create_test_identity, root_certificate

_MODULES = {"create_test_identity": "testcerts.api", "root_certificate": "testcerts.api"}

__all__ = ["create_test_identity", "root_certificate"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use. Raises AttributeError for any other."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
