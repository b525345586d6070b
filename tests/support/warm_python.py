"""A Python that has imported drvsign and lief already: a program that runs a module or a file in a fork of a server.

To start Python and import lief takes a third of a second of processor time, most of what a short command needs. Tests
of what happens between programs (make, CMake, shell scripts) start this program instead. It takes the arguments
`-m MODULE ...` or `-P FILE ...`, and the fork has the standard streams, the working directory and the environment of
the program. Tests of a process itself (its start, its streams, its signals) start `sys.executable`.
"""

from __future__ import annotations

import os
import runpy
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from tests.support.files import ROOT

_IMPORTED = (
    *("lief", "pefile", "typer", "cryptography.hazmat.primitives.serialization.pkcs12", "http.client"),
    *("signer.cli.commands.sign", "signer.cli.commands.package", "signer.operations.sign", "signer.verify.gather"),
    *("signer.formats.image", "signer.formats.catalog", "signer.pe.layout_check", "testcerts.store", "signer.cli.app"),
    *("catalogs.build", "catalogs.signing", "catalogs.lint", "catalogs.verification.verify", "catalogs.package.folder"),
)
_CLIENT = """#!{python} -IS
import _socket, os, sys
if sys.argv[1:2] not in (["-m"], ["-P"]):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
line = repr((sys.argv[1:], os.getcwd(), dict(os.environ))).encode()
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect({address!r})
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
server.sendmsg([len(line).to_bytes(4, "little")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
server.sendall(line)
status = int.from_bytes(server.recv(4), "little", signed=True)
if status < 0:
    os.kill(os.getpid(), -status)
os._exit(status)
"""


@contextmanager
def warm_python() -> Iterator[Path]:
    """Start a server; yield the path of the program that asks it. Without fork this is the ordinary Python."""
    if not hasattr(os, "fork"):
        yield Path(sys.executable)
        return
    folder = Path(tempfile.mkdtemp(prefix="warm."))  # short: the address of a socket has a maximum length
    address, program = folder / "socket", folder / "python"
    call = [sys.executable, "-m", __name__, str(address), str(program)]
    server = subprocess.Popen(call, cwd=ROOT, stdin=subprocess.PIPE)
    try:
        program.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
        program.chmod(0o755)
        while not address.exists():
            assert server.poll() is None, "the server ended"
            time.sleep(0.02)
        yield program
    finally:
        assert server.stdin
        server.stdin.close()
        server.wait()
        shutil.rmtree(folder)


def main() -> None:
    """Answer each connection in a fork, until the standard input ends."""
    address, program = sys.argv[1:]
    for name in _IMPORTED:
        __import__(name)
    sys.executable = program  # the commands start programs of drvsign with it
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen(64)
        os.rename(f"{address}.new", address)  # noqa: PTH104
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection = listener.accept()[0]
            if os.fork() == 0:
                listener.close()
                _answer(connection)
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
        with suppress(ChildProcessError):
            while os.wait():
                pass


def _answer(connection: socket.socket) -> NoReturn:
    """Run what a connection asks for in a fork; send its status."""
    head, streams, *_ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as stream:
        arguments, folder, variables = eval(stream.read(int.from_bytes(head, "little")))
    process = os.fork()
    if process == 0:
        connection.close()
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        _run(*arguments)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(BrokenPipeError):  # the program was killed
        connection.sendall(status.to_bytes(4, "little", signed=True))
    os._exit(0)


def _run(how: str, what: str, *arguments: str) -> NoReturn:
    """Run a module (-m) or a file (-P) as Python does, and end the process."""
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        errors = "backslashreplace" if name == "stderr" else "surrogateescape"
        stream = open(number, mode, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
        if mode == "w" and (name == "stderr" or os.isatty(number) or os.environ.get("PYTHONUNBUFFERED")):
            stream.reconfigure(line_buffering=True)
        setattr(sys, name, stream)
    sys.argv = [what, *arguments]
    code = 1
    try:
        if how == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(what, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - as Python does at its end
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
