"""An interrupt while lief is being imported: the import ends first, because lief's C++ side would abort the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

FAKE = """
import os, signal
os.kill(os.getpid(), signal.SIGINT)
print("imported")
class logging:
    @staticmethod
    def disable(): pass
"""
PROGRAM = """
import signal
from signer.pe.embed import _lief
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
before = signal.getsignal(signal.SIGINT)
try:
    _lief()
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGINT) is before)
"""


def test_an_interrupt_waits_until_lief_is_imported(tmp_path: Path) -> None:
    (tmp_path / "lief.py").write_text(FAKE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["imported", "interrupted", "True"], done.stderr
