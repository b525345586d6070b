"""Create certificates for test signing: a root CA, an issuing CA, and certificates for code signing and timestamps.

`__all__` is the public API of this package; docs/api.md shows it in use. Every other module is private and may change
in any release. Names are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from testcerts.api import create_test_identity, root_certificate

_MODULES = {"create_test_identity": "testcerts.api", "root_certificate": "testcerts.api"}

__all__ = ["create_test_identity", "root_certificate"]

__getattr__, __dir__ = lazy_exports(__name__, _MODULES)
