"""A crash of lief does not end the process that signs, and forked processes that share lief get their own answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signer.errors import ImageError
from signer.pe import layout_check, lief_process, turns
from signer.pe.image import Image
from signer.pe.layout_check import LayoutCheck
from tests.support.files import ROOT
from tests.support.images import PeSpec

PROGRAM = """
from signer.errors import ImageError
from signer.pe.image import Image
from signer.pe.layout_check import require_agreement
from tests.support.images import PeSpec
for number in range(2):
    try:
        require_agreement(Image.parse(PeSpec().build()))
        print("agreed")
    except ImageError as error:
        print(error.message)
"""


CRASHING = """
import os
class logging:
    disable = staticmethod(lambda: None)
class PE:
    class ParserConfig: pass
    @staticmethod
    def parse(headers, config):
        if b"crash" in headers: os.abort()
"""
"""A replacement for lief that parses no image, and aborts for images that contain "crash"."""


@pytest.mark.usefixtures("fresh_reader")
def test_the_lief_process_gets_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRVSIGN_TEST_PASSWORD", "secret")
    given: list[dict[str, str]] = []

    def popen(command: list[str], *, env: dict[str, str], **_: object) -> object:
        given.append(env)
        raise OSError("not started")

    monkeypatch.setattr(lief_process.subprocess, "Popen", popen)
    lief_process.Reader().start()
    assert "secret" not in given[0].values()
    assert given[0]["PATH"]


def submitted(image: Image) -> LayoutCheck:
    check = LayoutCheck(image)
    check.submit(image.data)
    return check


def with_lief(source: str, folder: Path, program: str = PROGRAM) -> list[str]:
    """Run a program with `source` as the module lief, and return the lines that it prints."""
    (folder / "lief.py").write_text(source)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.usefixtures("fresh_reader")
def test_after_a_kill_of_the_process_one_image_fails_and_the_next_passes() -> None:
    image = Image.parse(PeSpec().build())
    layout_check.require_agreement(image)
    process = lief_process.reader()._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.raises(ImageError, match="lief did not answer"):
        layout_check.require_agreement(image)
    layout_check.require_agreement(image)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends interrupts to consoles, not to processes")
@pytest.mark.usefixtures("fresh_reader")
def test_the_lief_process_ignores_an_interrupt() -> None:
    image = Image.parse(PeSpec().build())
    layout_check.require_agreement(image)
    process = lief_process.reader()._process
    assert process is not None
    process.send_signal(signal.SIGINT)
    layout_check.require_agreement(image)
    assert lief_process.reader()._process is process


def test_a_crash_of_the_parser_is_an_image_error(tmp_path: Path) -> None:
    source = """
import os
class logging:
    disable = staticmethod(lambda: None)
class PE:
    class ParserConfig: pass
    parse = staticmethod(lambda headers, config: os.abort())
"""
    lines = with_lief(source, tmp_path)
    assert len(lines) == 2
    assert all("lief did not answer" in line for line in lines)


def test_a_failed_import_of_lief_is_an_image_error(tmp_path: Path) -> None:
    lines = with_lief("raise ImportError('broken')", tmp_path)
    assert lines == ["lief did not answer, so the layout of the image could not be checked"] * 2


def test_a_lief_that_needs_all_of_its_enumerations_is_imported_in_the_ordinary_way(tmp_path: Path) -> None:
    """The first process aborts, as lief's extension module does if it can't create an enumeration."""
    lines = with_lief(f"import enum, os\nif type(enum.Enum) is not enum.EnumType: os.abort()\n{CRASHING}", tmp_path)
    assert lines == ["lief can't parse the image"] * 2


def test_the_enumerations_of_liefs_disassembler_are_empty_and_others_complete() -> None:
    program = """
from signer.pe import lief_reader
lief = lief_reader._import_lief(plain=False)
import enum
print(*(type(one) is enum.EnumType for one in (lief.assembly.x86.OPCODE, lief.PE.PE_TYPE)), lief.PE.PE_TYPE(0x20B))
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "True", "PE_TYPE.PE32_PLUS"]


@pytest.mark.usefixtures("fresh_reader")
def test_a_failed_start_of_the_process_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / "missing-program"))
    layout_check.prepare()
    with pytest.raises(ImageError, match="lief did not answer"):
        layout_check.require_agreement(Image.parse(PeSpec().build()))


def test_several_requests_are_answered_in_order() -> None:
    images = [Image.parse(PeSpec(overlay=bytes(number)).build()) for number in range(100)]
    checks = [submitted(image) for image in images]
    checks[60].require()
    assert {request.state for check in checks[:61] for request, _ in check._requests} == {"answered"}
    for check in reversed(checks):
        check.require()


def test_each_thread_gets_the_answers_to_its_own_requests() -> None:
    """The images have different numbers of sections, so the answer to another request would be a disagreement."""

    def ask(number: int) -> None:
        sections = [(f".{index}", 0x400 + 0x200 * index, 0x200) for index in range(number % 5 + 1)]
        layout_check.require_agreement(Image.parse(PeSpec(sections=sections).build()))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(200)))


def test_only_the_image_that_crashes_lief_is_refused(tmp_path: Path) -> None:
    """The third and the last of six requests in one batch crash lief."""
    program = """
from dataclasses import replace
from signer.errors import ImageError
from signer.pe.image import Image
from signer.pe.layout_check import LayoutCheck
from tests.support.images import PeSpec
data = PeSpec().build()
checks = []
for number in range(6):
    image = Image.parse(data)
    image = replace(image, data=memoryview(data.replace(b".text", b"crash")) if number % 3 == 2 else data)
    checks.append(LayoutCheck(image))
    checks[-1].submit(image.data)
for check in checks:
    try:
        check.require()
    except ImageError as error:
        print(error.message)
"""
    lines = with_lief(CRASHING, tmp_path, program)
    lost = "lief did not answer, so the layout of the image could not be checked"
    unread = "lief can't parse the image"
    assert lines == [unread, unread, lost, unread, unread, lost]


def test_a_request_without_a_wait_does_not_affect_others() -> None:
    submitted(Image.parse(PeSpec(sections=[]).build()))
    layout_check.require_agreement(Image.parse(PeSpec().build()))


def with_sections(count: int) -> Image:
    """An image about which lief's answer differs from that about an image with another number of sections."""
    return Image.parse(PeSpec(sections=[(f".{index}", 0x400 + 0x200 * index, 0x200) for index in range(count)]).build())


@pytest.mark.usefixtures("fresh_reader")
def test_an_interrupt_leaves_no_answer_to_a_later_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interrupted exchange has two requests; a thread may still wait for the second."""
    answers = lief_process._answers

    def interrupted(process: subprocess.Popen[bytes], requests: list[bytes]) -> Iterator[object]:
        yield next(answers(process, requests))
        raise KeyboardInterrupt

    first, second = submitted(with_sections(1)), submitted(with_sections(2))
    with monkeypatch.context() as patched:
        patched.setattr(lief_process, "_answers", interrupted)
        with pytest.raises(KeyboardInterrupt):
            second.require()
    layout_check.require_agreement(with_sections(3))
    first.require()
    second.require()


@pytest.mark.usefixtures("fresh_reader")
def test_an_interrupt_before_requests_are_sent_loses_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    first, second = submitted(with_sections(1)), submitted(with_sections(2))
    with monkeypatch.context() as patched:
        patched.setattr(lief_process.Reader, "_send", interrupted)
        with pytest.raises(KeyboardInterrupt):
            first.require()
    second.require()
    first.require()


INTERRUPTED = """
import contextlib, os, signal, sys
from signer.errors import ImageError
from signer.pe import layout_check, lief_process
from tests.signer.pe.test_lief_process import submitted, with_sections
left = 0
def interrupt(frame, event, argument):
    global left
    ours = frame.f_code.co_filename.endswith(("turns.py", "lief_process.py", "layout_check.py"))
    if ours and event in ("call", "c_return") and frame.f_code.co_name != "_answers":
        left -= 1
        if not left:
            raise KeyboardInterrupt
def require(check):
    with contextlib.suppress(ImageError):
        check.require()
def other_process_is_answered():
    child = os.fork()
    if not child:
        signal.alarm(20)
        require(submitted(with_sections(3)))
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0
require(submitted(with_sections(1)))
step = 0
while left <= 0:
    step += 2
    checks = [submitted(with_sections(1)), submitted(with_sections(2))]
    left = step
    sys.setprofile(interrupt)
    try:
        require(checks[1])
    except KeyboardInterrupt:
        assert other_process_is_answered(), step
    sys.setprofile(None)
    require(checks[0])
    require(checks[1])
print(step > 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked only on Linux")
def test_an_interrupt_at_any_step_keeps_no_other_process_waiting(tmp_path: Path) -> None:
    """Python looks for interrupts when a function of its own begins, and when one of C has returned."""
    assert with_lief(CRASHING, tmp_path, INTERRUPTED) == ["True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.usefixtures("fresh_reader")
def test_a_process_that_is_forked_during_an_exchange_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """It inherits a lock and half of an exchange, but not the thread that has them."""
    answers, begun, forked = lief_process._answers, threading.Event(), threading.Event()

    def slow(process: subprocess.Popen[bytes], requests: list[bytes]) -> Iterator[object]:
        begun.set()
        assert forked.wait(60)
        yield from answers(process, requests)

    with monkeypatch.context() as patched, ThreadPoolExecutor(1) as pool:
        patched.setattr(lief_process, "_answers", slow)
        asked = pool.submit(layout_check.require_agreement, with_sections(1))
        assert begun.wait(60)
        child = os.fork()
        if not child:
            signal.alarm(60)
            lief_process._answers = answers
            layout_check.require_agreement(with_sections(2))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        forked.set()
        asked.result()
    assert status == 0


ENDING = """
import os, signal, sys
from signer.pe import layout_check, lief_process
from tests.signer.pe.test_lief_process import with_sections
layout_check.require_agreement(with_sections(1))
process = lief_process.reader()._process
child = os.fork()
if not child:
    signal.alarm(20)
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
layout_check.require_agreement(with_sections(2))
print(lief_process.reader()._process is process)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_that_ends_does_not_wait_for_lief_and_leaves_it_running() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stderr, done.stdout.splitlines()) == ("", ["7", "True"])


@pytest.mark.usefixtures("fresh_reader")
def test_where_processes_take_no_turns_a_forked_one_has_its_own_lief(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = lief_process.reader()
    monkeypatch.setattr(turns, "ARE_SHARED", False)
    lief_process._after_fork()
    assert lief_process.reader() is not reader


KILLED = """
import os, signal
from signer.pe import layout_check, lief_process
from tests.signer.pe.test_lief_process import with_sections
layout_check.require_agreement(with_sections(1))
first = os.fork()
if not first:
    answers = lief_process._answers
    def killed(process, requests):
        process.stdin.write(len(requests[0]).to_bytes(4, "little") + requests[0])
        process.stdin.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    lief_process._answers = killed
    layout_check.require_agreement(with_sections(2))
assert os.waitpid(first, 0)[1] == signal.SIGKILL
second = os.fork()
if not second:
    layout_check.require_agreement(with_sections(3))
    print("another process was answered", flush=True)
    os._exit(0)
assert os.waitpid(second, 0)[1] == 0
layout_check.require_agreement(with_sections(4))
print("this process was answered")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked only on Linux")
def test_a_killed_process_leaves_no_answer_and_no_lock_to_others_that_share_lief() -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["another process was answered", "this process was answered"]


SHARED = """
import contextlib, os, sys
from dataclasses import replace
from signer.errors import ImageError
from signer.pe import layout_check, lief_process
from signer.pe.image import Image
from tests.support.images import PeSpec
data = PeSpec().build()
with contextlib.suppress(ImageError):
    layout_check.require_agreement(Image.parse(data))
children = []
for child in range(3):
    pid = os.fork()
    if pid:
        children.append(pid)
        continue
    results = []
    for number in range(40):
        crash = child == 1 and number == 20
        image = Image.parse(data)
        image = replace(image, data=memoryview(data.replace(b".text", b"crash"))) if crash else image
        try:
            layout_check.require_agreement(image)
        except ImageError as error:
            results.append("lost" if "did not answer" in error.message else "unread")
    sys.stdout.write(f"{child} {results.count('unread')} {results.count('lost')}\\n")
    sys.stdout.flush()
    os._exit(0)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
try:
    layout_check.require_agreement(Image.parse(data))
except ImageError as error:
    print("parent", error.message)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_crash_in_one_process_does_not_affect_others_that_share_lief(tmp_path: Path) -> None:
    lines = ["0 40 0", "1 39 1", "2 40 0", "parent lief can't parse the image"]
    assert sorted(with_lief(CRASHING, tmp_path, SHARED)) == lines
