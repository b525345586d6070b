"""Next steps that differ for the readers of a verdict: the machine's user and administrator, the driver's developer."""

from __future__ import annotations


def for_readers(*, users: str, administrators: str, developers: str) -> str:
    """Return a hint with the step of each reader. Each is an imperative that begins in lower case, without a period."""
    return f"Users: {users}. Administrators: {administrators}. Developers: {developers}."


_HARDWARE_DEV_CENTER = "Microsoft's Hardware Dev Center"
_NEWER_DRIVER = "install a newer driver from the vendor or Windows Update"
_RELEASED_DRIVER = "install the driver that the vendor released; a test-signed one is for test machines"
_RELEASE_SIGNATURE = f"for a release, submit the driver package to {_HARDWARE_DEV_CENTER}"

WINDOWS_DRIVER_POLICY = for_readers(
    users=_NEWER_DRIVER,
    administrators=(
        "allow an internal driver with an App Control policy that is signed with a key of the machine's Secure Boot PK "
        "or KEK; to test, choose 7 in Startup Settings for one boot, or from the July 2026 update on remove the policy "
        "with CiTool"
    ),
    developers=f"submit the driver to {_HARDWARE_DEV_CENTER}",
)
BLOCK_LIST = for_readers(
    users="install a newer version of the product that brings the driver",
    administrators=(
        "update or remove that product on every machine that has the file; turning the list off leaves the machine "
        "open to attacks through the driver"
    ),
    developers="fix the vulnerability, give the driver a higher version, and sign it again",
)
S_MODE = for_readers(
    users="install the driver from Windows Update, or switch out of S mode for good in Settings, System, Activation",
    administrators="deploy the driver that Microsoft signed, or switch the machine out of S mode",
    developers=f"submit the driver with HLK test results to {_HARDWARE_DEV_CENTER}",
)
TEST_SIGNED = for_readers(
    users=_RELEASED_DRIVER,
    administrators="run the script of drvsign certs install-script on a test machine, and check with --test-machine",
    developers=f"check it with --roots test-signing --testsigning, and --root FILE for your own root; "
    f"{_RELEASE_SIGNATURE}",
)
TEST_SIGNING_OFF = for_readers(
    users=_RELEASED_DRIVER,
    administrators="on the test machine run bcdedit -set TESTSIGNING ON, and restart",
    developers=f"check it with --testsigning; {_RELEASE_SIGNATURE}",
)
TEST_SIGNING_SECURE_BOOT = for_readers(
    users=_RELEASED_DRIVER,
    administrators="turn Secure Boot off in the firmware of the test machine",
    developers=f"check it with --no-secure-boot; {_RELEASE_SIGNATURE}",
)


def memory_integrity(developers: str) -> str:
    """Return the remedy of a driver whose layout memory integrity refuses; the developer's depends on the fault."""
    return for_readers(
        users=f"{_NEWER_DRIVER}; until then, turn memory integrity off in Windows Security, Core isolation",
        administrators="deploy a compatible version; Windows Security, Core isolation lists incompatible drivers",
        developers=developers,
    )
