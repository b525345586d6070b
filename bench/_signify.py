"""signify as a peer, in an environment of its own: it needs oscrypto, which drvsign must not depend on.

As a script, run by the Python of that environment, it verifies drivers, or a catalog, and prints the seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from pathlib import Path

_VERSION = "0.9.3"
_ENVIRONMENT = Path(__file__).resolve().parents[1] / "build" / "bench" / f"signify-{_VERSION}"
NOTE = (
    f"signify {_VERSION} is in an environment of its own in build/bench; there, oscrypto's pattern for the version of "
    "OpenSSL is changed, because it does not recognize 3.0.10 and later."
)


def command(task: str, *paths: Path) -> list[str | Path]:
    """Return the command that verifies drivers or a catalog with signify, which is installed if it is not yet."""
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(_ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"signify=={_VERSION}"], check=True)
        for path in _ENVIRONMENT.rglob("_libcrypto_c*.py"):
            path.write_text(path.read_text().replace(r"\\d\\.\\d\\.\\d[a-z]*", r"\\d+\\.\\d+\\.\\d+[a-z]*"))
    return [python, __file__, task, *paths]


def _verify_drivers(paths: list[str]) -> None:
    from signify.authenticode import AuthenticodeFile
    from signify.exceptions import SignifyError

    for name in paths:
        with Path(name).open("rb") as file:
            try:
                AuthenticodeFile.from_stream(file, file_name=name).explain_verify()
            except SignifyError:
                continue


def _read_catalog(path: str) -> float:
    """Parse, interpret and verify a catalog, and find a member; return the seconds without the imports."""
    from signify.authenticode import AuthenticodeFile

    with Path(path).open("rb") as file:
        start = time.perf_counter()
        catalog = AuthenticodeFile.from_stream(file, file_name=path)
        assert str(catalog.explain_verify()[0]) == "AuthenticodeVerificationResult.OK"
        subjects = list(catalog.ctl.subjects)
        members = [(one.identifier_str, one.indirect_data, one.attributes) for one in subjects]
        listed = [indirect for _, indirect, _ in members if indirect is not None]
        found = catalog.ctl.find_subject(listed[len(listed) // 2].digest)
        assert found is not None
        return time.perf_counter() - start


def main() -> None:
    task, *paths = sys.argv[1:]
    if task == "drivers":
        _verify_drivers(paths)
    else:
        print(_read_catalog(*paths))


if __name__ == "__main__":
    main()
