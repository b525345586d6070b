"""Sign Windows drivers, cabinets and catalogs, and read what their signatures contain.

`__all__` is the public API of this package; docs/api.md shows it in use. Every other module is private and may change
in any release. Driver packages, catalogs and verification are in `catalogs`, test certificates in `testcerts`. Names
are imported on first use, so `import signer` is cheap.
"""

from __future__ import annotations

from signer.lazy_exports import lazy_exports

TYPE_CHECKING = False  # type checkers read it as True; importing typing would delay what answers an interrupt
if TYPE_CHECKING:
    from signer.api import (
        SignedFile,
        attach_signature,
        explain_verdict,
        gather_evidence,
        list_signatures,
        open_identity,
        remove_signatures,
        sign_file,
        timestamp_file,
    )
    from signer.codeintegrity.consequences import Consequences
    from signer.errors import SignerError, UsageError
    from signer.keys.identity import SigningIdentity
    from signer.policy.findings import Finding, Verdict
    from signer.policy.machine_state import MachineState
    from signer.policy.targets import Target
    from signer.verify.evidence import Evidence, Signature

_MODULES = {
    "Consequences": "signer.codeintegrity.consequences",
    "Evidence": "signer.verify.evidence",
    "Finding": "signer.policy.findings",
    "MachineState": "signer.policy.machine_state",
    "Signature": "signer.verify.evidence",
    "SignedFile": "signer.api",
    "SignerError": "signer.errors",
    "SigningIdentity": "signer.keys.identity",
    "Target": "signer.policy.targets",
    "UsageError": "signer.errors",
    "Verdict": "signer.policy.findings",
    "attach_signature": "signer.api",
    "explain_verdict": "signer.api",
    "gather_evidence": "signer.api",
    "list_signatures": "signer.api",
    "open_identity": "signer.api",
    "remove_signatures": "signer.api",
    "sign_file": "signer.api",
    "timestamp_file": "signer.api",
}

__all__ = [
    "Consequences",
    "Evidence",
    "Finding",
    "MachineState",
    "Signature",
    "SignedFile",
    "SignerError",
    "SigningIdentity",
    "Target",
    "UsageError",
    "Verdict",
    "attach_signature",
    "explain_verdict",
    "gather_evidence",
    "list_signatures",
    "open_identity",
    "remove_signatures",
    "sign_file",
    "timestamp_file",
]

__getattr__, __dir__ = lazy_exports(__name__, _MODULES)
