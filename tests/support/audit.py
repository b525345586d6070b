"""Look for known vulnerabilities in the locked packages, with pip-audit.

    python -m tests.support.audit [--advisories FOLDER]

Exits with 1 for a vulnerability, and with 2 if a package could not be audited: pip-audit itself ends with 0 then. The
advisories come from the network, or from a folder of OSV files (https://osv.dev, all.zip of the ecosystem PyPI).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tests.support.files import ROOT

PIP_AUDIT = ROOT / "build" / "tools" / "bin" / "pip-audit"
LOCK = ROOT / "requirements-dev.txt"
_OPTIONS = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--requirement")


def main() -> int:
    """Audit the lock, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--advisories", type=Path, help="a folder of OSV files, instead of the network")
    folder = parser.parse_args().advisories
    if folder is None:
        return report(audit(()))
    with serving(folder) as url:
        return report(audit(("--vulnerability-service", "osv", "--osv-url", url)))


def audit(options: Sequence[str], lock: Path = LOCK) -> list[dict[str, Any]]:
    """Run pip-audit; return its packages, each with `vulns` or a `skip_reason`. Exits if it fails."""
    call = [PIP_AUDIT, *options, *_OPTIONS, lock]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        sys.exit(f"pip-audit failed, and nothing was audited:\n{done.stderr.strip()[-800:]}")
    return found


def report(packages: Sequence[dict[str, Any]]) -> int:
    """Print vulnerabilities, and how many packages were not audited; return the exit code."""
    skipped = [one for one in packages if "skip_reason" in one]
    hits = [(one, vulnerability) for one in packages for vulnerability in one.get("vulns", ())]
    lines = [f"{one['name']} {one['version']}: {vulnerability['id']}" for one, vulnerability in hits]
    lines.append(f"{len(packages) - len(skipped)} packages audited, {len(hits)} known vulnerabilities")
    if skipped:
        lines.append(f"{len(skipped)} packages not audited; the first: {skipped[0]['skip_reason']}")
        lines.append("hint: Without a network: make audit ADVISORIES=FOLDER (docs/testing.md)")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if hits else 2 if skipped or not packages else 0


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Answer OSV queries on the loopback address from the advisories in a folder; yield the URL."""
    advisories = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    if not advisories:
        sys.exit(f"{folder} contains no OSV files (*.json), and nothing was audited")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [one for one in advisories if affects(one, query["package"]["name"], query["version"])]
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def affects(advisory: dict[str, Any], name: str, version: str) -> bool:
    """Tell whether an OSV advisory names this version of a package."""
    return any(
        canonicalize_name(one["package"]["name"]) == canonicalize_name(name) and version in one.get("versions", ())
        for one in advisory.get("affected", ())
    )


if __name__ == "__main__":
    sys.exit(main())
