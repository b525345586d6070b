"""The kernel policy's rules about the file as a whole, and about what machines let pass."""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy.case import Case
from signer.policy.decide import Decided
from signer.policy.rules import Remark, Rule, rejects, rule
from signer.policy.switches import Setting

_REQUIREMENTS = "windows-driver-docs install/kernel-mode-code-signing-requirements--windows-vista-and-later-.md"
_SIGN = "Sign it: drvsign sign, or drvsign package for the whole driver package."


@rule(
    "architecture",
    "An image is loaded by the kernel of its own architecture only.",
    source="windows-driver-docs kernel/porting-your-driver-to-64-bit-windows.md",
)
def architecture(case: Case, setting: Setting) -> Iterator[Remark]:
    """Machine types must agree: a 64-bit kernel loads no 32-bit driver."""
    found = case.evidence.architecture
    if case.evidence.kind == "image" and found is not None and found != setting.target.architecture:
        yield rejects(
            "architecture",
            f"{case.name!r} is an {found} image, and the kernel of {setting.target.title} loads "
            f"{setting.target.architecture} images only",
            f"Judge it for a target that ends in -{found}, or build the driver for {setting.target.architecture}.",
        )


@rule(
    "unsigned",
    "Kernel-mode code must be signed, by an embedded signature or by a catalog that lists it.",
    source=_REQUIREMENTS,
)
def unsigned(case: Case, setting: Setting) -> Iterator[Remark]:
    """Without any signature there is nothing to trust."""
    if not case.evidence.signatures:
        yield rejects("unsigned", f"{case.name!r} has no signature, embedded or in a catalog that was given", _SIGN)


RULES: tuple[Rule[Case], ...] = (architecture, unsigned)
OUTCOME_RULES: tuple[Rule[Decided], ...] = ()
