"""The second opinion: what lief reads counts as much as what pefile reads, and lief's end is not ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signer.errors import ImageError
from signer.pe import layout_check
from signer.pe.image import Image
from signer.pe.layout_check import LayoutCheck
from tests.support.files import ROOT, corpus_files, corpus_id
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
"""A lief that reads nothing, and ends its process over images that say so."""


@pytest.fixture(autouse=True)
def fresh_reader() -> Iterator[None]:
    """Every test with a process of its own."""
    layout_check._reader.cache_clear()
    yield
    layout_check._reader()._end()
    layout_check._reader.cache_clear()


def submitted(image: Image) -> LayoutCheck:
    check = LayoutCheck(image)
    check.submit(image.data)
    return check


def with_lief(source: str, folder: Path, program: str = PROGRAM) -> list[str]:
    """What a program prints, such as one with two questions in a row, where lief is this module."""
    (folder / "lief.py").write_text(source)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("machine", ["x86", "x64", "arm64", "arm", "ia64"])
def test_a_sound_image_is_read_alike(machine: str) -> None:
    layout_check.require_agreement(Image.parse(PeSpec(machine=machine, overlay=b"behind").build()))


@pytest.mark.parametrize("path", corpus_files("drivers/*.sys")[::10], ids=corpus_id)
def test_real_drivers_are_read_alike(path: Path) -> None:
    layout_check.require_agreement(Image.parse(path.read_bytes()))


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("sections", {"sections": [[0x400, 0x400]], "checksum": 0, "table": [0, 0]}),
        ("checksum", {"sections": [[0x400, 0x200]], "checksum": 7, "table": [0, 0]}),
        ("certificate table", {"sections": [[0x400, 0x200]], "checksum": 0, "table": [0x600, 8]}),
    ],
)
def test_parsers_that_disagree_refuse_the_image(
    what: str, other: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_check, "_answers", lambda process, requests: iter([other]))
    with pytest.raises(ImageError, match=f"two parsers disagree about the image's {what}"):
        layout_check.require_agreement(Image.parse(PeSpec().build()))


def test_half_an_entry_names_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"sections": [[0x400, 0x200]], "checksum": 0, "table": [0x600, 0]}
    monkeypatch.setattr(layout_check, "_answers", lambda process, requests: iter([other]))
    layout_check.require_agreement(Image.parse(PeSpec().build()))


def test_an_image_that_lief_cannot_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_check, "_answers", lambda process, requests: iter([None]))
    with pytest.raises(ImageError, match="lief can't read the image"):
        layout_check.require_agreement(Image.parse(PeSpec().build()))


def test_after_the_process_was_killed_one_image_fails_and_the_next_is_read() -> None:
    image = Image.parse(PeSpec().build())
    layout_check.require_agreement(image)
    process = layout_check._reader()._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.raises(ImageError, match="lief did not answer"):
        layout_check.require_agreement(image)
    layout_check.require_agreement(image)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends interrupts to consoles, not to processes")
def test_an_interrupt_is_not_for_the_process_that_reads() -> None:
    image = Image.parse(PeSpec().build())
    layout_check.require_agreement(image)
    process = layout_check._reader()._process
    assert process is not None
    process.send_signal(signal.SIGINT)
    layout_check.require_agreement(image)
    assert layout_check._reader()._process is process


def test_a_parser_that_crashes_is_an_error_and_not_the_end(tmp_path: Path) -> None:
    source = """
import os
class logging:
    disable = staticmethod(lambda: None)
class PE:
    class ParserConfig: pass
    parse = staticmethod(lambda headers, config: os.abort())
"""
    said = with_lief(source, tmp_path)
    assert len(said) == 2
    assert all("lief did not answer" in line for line in said)


def test_where_lief_cannot_be_imported_it_is_said(tmp_path: Path) -> None:
    said = with_lief("raise ImportError('broken')", tmp_path)
    assert said == ["lief did not answer, so that there is no second opinion on the image's layout"] * 2


def test_where_no_process_can_be_started_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / "there is no such program"))
    layout_check.prepare()
    with pytest.raises(ImageError, match="lief did not answer"):
        layout_check.require_agreement(Image.parse(PeSpec().build()))


def test_several_questions_are_answered_in_their_order() -> None:
    images = [Image.parse(PeSpec(overlay=bytes(number)).build()) for number in range(100)]
    checks = [submitted(image) for image in images]
    checks[60].require()
    assert {request.state for check in checks[:61] for request, _ in check._requests} == {"answered"}
    for check in reversed(checks):
        check.require()


def test_questions_of_threads_get_their_own_answers() -> None:
    """Images of as many sections as their number: another's answer would be a disagreement."""

    def ask(number: int) -> None:
        sections = [(f".{index}", 0x400 + 0x200 * index, 0x200) for index in range(number % 5 + 1)]
        layout_check.require_agreement(Image.parse(PeSpec(sections=sections).build()))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(200)))


def test_a_crash_is_the_error_of_the_image_that_crashed_it_and_of_no_other(tmp_path: Path) -> None:
    """Of six questions that travel together the third and the last make lief crash."""
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
for opinion in checks:
    try:
        opinion.require()
    except ImageError as error:
        print(error.message)
"""
    said = with_lief(CRASHING, tmp_path, program)
    lost = "lief did not answer, so that there is no second opinion on the image's layout"
    unread = "lief can't read the image"
    assert said == [unread, unread, lost, unread, unread, lost]


def test_a_question_that_nobody_waits_for_does_no_harm() -> None:
    submitted(Image.parse(PeSpec(sections=[]).build()))
    layout_check.require_agreement(Image.parse(PeSpec().build()))


SHARED = """
import os, sys
from dataclasses import replace
from signer.errors import ImageError
from signer.pe import layout_check
from signer.pe.image import Image
from tests.support.images import PeSpec
data = PeSpec().build()
layout_check.share()
layout_check.prepare()
children = []
for child in range(3):
    pid = os.fork()
    if pid:
        children.append(pid)
        continue
    said = []
    for number in range(40):
        crash = child == 1 and number == 20
        image = Image.parse(data)
        image = replace(image, data=memoryview(data.replace(b".text", b"crash"))) if crash else image
        try:
            layout_check.require_agreement(image)
        except ImageError as error:
            said.append("lost" if "did not answer" in error.message else "unread")
    sys.stdout.write(f"{child} {said.count('unread')} {said.count('lost')}\\n")
    sys.stdout.flush()
    os._exit(0)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_processes_share_lief_and_one_that_crashes_it_is_no_other_one_s_error(tmp_path: Path) -> None:
    assert sorted(with_lief(CRASHING, tmp_path, SHARED)) == ["0 40 0", "1 39 1", "2 40 0"]
