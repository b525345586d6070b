"""Measure time and memory for the worst files of each format; the limits are 2 seconds and 300 MB for 10 MB.

    python -m bench.worst_files [MEGABYTES] [WORD]

Time is processor time of the whole command, its start (about half a second) and its helper process included, so that
other programs on the machine do not count. A command that compares two files may take twice as much. WORD selects cases
by a part of their name. Exit code 1 if a case exceeds a limit. docs/security.md has the limits on files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from bench import _worst_files as worst
from bench._worst_cases import CASES, Case
from bench._worst_files import Maker
from bench._worst_signatures import certificates

MAX_SECONDS, MAX_MEGABYTES = 2.0, 300


def run(case: Case, folder: Path, size: int) -> tuple[float, float, int]:
    """Write the file, run the command, and return processor seconds, megabytes and exit code."""
    path = folder / case.file
    if not path.exists():
        _write(path, case.make, size)
    other = folder / f"other-{case.file}"
    if case.other is not None:
        _write(other, case.other, size)
    with answering(path) as url:
        words = {
            "OTHER": other,
            "SYS": worst.HELLO / "hello.sys",
            "DRIVERS": worst.HELLO,
            "CERT": folder / "signer.pem",
            "PACKAGE": folder,
            "TSA": url,
            "{}": path,
        }
        command = [_replaced(word, words) for word in case.command]
        usage, code = measured([sys.executable, "-m", "signer", *command])
    return usage[0], usage[1], code


def _replaced(word: str, words: Mapping[str, object]) -> str:
    for name, value in words.items():
        word = word.replace(name, str(value)) if word in (name, f"m={name}", f"{name}.out") or name == "{}" else word
    return word


@contextmanager
def answering(path: Path) -> Iterator[str]:
    """Run a timestamp authority that answers every request with a file; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Send the file."""
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(path.read_bytes())

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def _write(path: Path, make: Maker, size: int) -> None:
    """Write a file in a forked process: a command inherits the peak memory of the process that starts it."""
    process = os.fork()
    if process == 0:
        path.write_bytes(make(size))
        os._exit(0)
    os.waitpid(process, 0)


def measured(command: Sequence[str]) -> tuple[tuple[float, float], int]:
    """Run a command; return its processor seconds and megabytes, and its exit code."""
    environment = {**os.environ, "WORST_PASSWORD": "x", "PYTHONDONTWRITEBYTECODE": ""}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return (used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), process.returncode


def main() -> None:
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    over = 0
    print(f"{'seconds':>7} {'MB':>5} exit  file: command")
    for make in dict.fromkeys(case.make for case in CASES if word in case.name):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "hello.inf").write_bytes((worst.HELLO / "hello.inf").read_bytes())
            (folder / "signer.pem").write_bytes(certificates(2000))
            for case in (one for one in CASES if one.make is make and word in one.name):
                seconds, peak, code = run(case, folder, int(megabytes * 1e6))
                files = 1 if case.other is None else 2
                bad = seconds > files * MAX_SECONDS or peak > files * MAX_MEGABYTES or code not in (0, 1, 2, 3)
                over += bad
                print(f"{seconds:7.2f} {peak:5.0f} {code:4}  {case.name}{'  <-- over' if bad else ''}", flush=True)
    if over:
        sys.exit(f"{over} cases exceed {MAX_SECONDS:g} seconds or {MAX_MEGABYTES} MB, or end with an unexpected code")


if __name__ == "__main__":
    main()
