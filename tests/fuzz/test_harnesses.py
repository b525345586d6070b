"""Each harness holds for its seeds and some mutants of them, and reaches the code behind the first checks."""

from __future__ import annotations

import importlib
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from signer.asn1 import der
from signer.errors import SignatureFormatError
from signer.pkcs7.parse import parse
from signer.pkcs7.timestamp_token import check_token, parse_token
from tests.fuzz.attacks import forged
from tests.fuzz.coverage import called_by, functions
from tests.fuzz.finds import Finds
from tests.fuzz.harness import Harness, code_of
from tests.fuzz.harnesses import timestamp_answer
from tests.fuzz.harnesses.verify import covered, signed_content
from tests.fuzz.instrument import instrumented
from tests.fuzz.mutation import mutated_bytes
from tests.fuzz.mutator import Mutator, repeated
from tests.fuzz.resigning import parts, resigned_answer
from tests.fuzz.run import NAMES
from tests.fuzz.signatures import DRIVER, embedded, signatures
from tests.support.files import ROOT

MUTANTS = 60


def harness(name: str) -> Harness:
    found = importlib.import_module(f"tests.fuzz.harnesses.{name}").HARNESS
    assert isinstance(found, Harness)
    return found


@pytest.fixture(params=NAMES)
def each(request: pytest.FixtureRequest) -> Harness:
    return harness(request.param)


def test_every_harness_has_its_module_s_name(each: Harness) -> None:
    assert harness(each.name) is each
    assert instrumented(each.name)


def test_seeds_reach_the_deep_functions_and_no_mutant_breaks_the_property(each: Harness) -> None:
    seeds, chooser = list(each.seeds()), random.Random(f"drvsign {each.name}")
    assert all(len(seed) <= each.max_size for seed in seeds)
    called = called_by(each, seeds)
    assert any(each.timed(seed) for seed in seeds)
    assert not [function.__qualname__ for function in each.reaches if code_of(function) not in called]
    for _ in range(MUTANTS):
        mutant = chooser.choice(seeds)
        for _ in range(chooser.choice((1, 1, 2, 4))):
            mutant = each.mutate(mutant, chooser)
        each.timed(mutant[: each.max_size])


def test_the_security_page_has_the_counts_of_every_harness() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    counts = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d,]+) \| [\d,]+ \|$", page, re.MULTILINE))
    assert sorted(counts) == list(NAMES)


def test_functions_of_a_package_are_listed() -> None:
    known = functions(["signer.cab"])
    assert {"signer.cab.read._files", "signer.cab.read.Listing.parse", "signer.cab.szdd.expand"} <= set(known.values())
    assert not [name for name in known.values() if not name.startswith("signer.cab.")]


def test_the_fuzzer_itself_imports_no_package() -> None:
    """What is imported before a harness reports no coverage to the fuzzer."""
    program = "import sys, tests.fuzz.run; print({'signer', 'catalogs', 'testcerts'} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() == "set()"


def test_seeds_are_the_same_in_every_process() -> None:
    """Inputs that an earlier run kept are useless if they are signed with other keys."""
    program = "from tests.fuzz.signatures import all_files; print(b''.join(all_files()).hex())"
    found = {
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(found) == 1


def test_a_changed_answer_passes_the_signature_check_only_when_it_is_signed_again() -> None:
    answer = next(iter(timestamp_answer.seeds()))
    policy = der.oid("2.999.3161")
    changed = answer.replace(policy, policy[:-1] + bytes([policy[-1] ^ 1]))
    assert changed != answer

    def problems(response: bytes) -> list[str]:
        found, _ = check_token(parse_token(parts(response)[1]), timestamp_answer.SIGNATURE)
        return [problem.code for problem in found]

    assert problems(answer) == problems(resigned_answer(changed)) == []
    assert problems(changed) == ["message-digest-mismatch"]


def test_attackers_sign_other_code_with_intact_signatures() -> None:
    """Most forgeries of a driver must pass the checks of the signature itself: trust alone refuses them."""
    from signer.verify.gather import gather

    chooser, file = random.Random("attack"), embedded(DRIVER, signatures()[0])
    intact = 0
    for _ in range(40):
        mutant = forged(file, chooser)
        if covered(mutant) in signed_content():
            continue
        intact += any(one.intact for one in gather(mutant, "image", "a.sys").signatures)
    assert intact >= 5


def test_the_smallest_input_of_each_place_is_kept(tmp_path: Path) -> None:
    finds = Finds(tmp_path)

    def find(data: bytes) -> None:
        try:
            parse(data)
            raise ValueError("not reached")
        except (ValueError, SignatureFormatError) as error:
            finds.add(data, error)

    for data in (b"long", b"short"[:2], b"longer"):
        find(data)
    (place,) = finds.places()
    assert place.startswith("SignatureFormatError-")
    assert (tmp_path / f"{place}.input").read_bytes() == b"sh"
    assert "SignatureFormatError" in (tmp_path / f"{place}.txt").read_text()
    finds.recheck(parse)
    assert finds.places() == [place]
    finds.recheck(len)
    assert not list(tmp_path.iterdir())


def test_a_mutator_that_raises_keeps_its_input_and_changes_nothing(tmp_path: Path) -> None:
    """What it raised is no find of the reader, and not forgotten: the kept input raises it again until it is mended."""

    def mutate(data: bytes, chooser: random.Random) -> bytes:
        return data[: 4 // chooser.choice((0, 1))]

    broken = Harness("broken", bool, tuple, (), mutate=mutate, fresh=0.0)
    faults = Finds(tmp_path)
    mutator = Mutator(broken, [b"a seed"], lambda data, _: data, faults)
    assert {mutator(b"some input", 100, seed) for seed in range(50)} == {b"some input", b"some"}
    (place,) = faults.places()
    assert place.startswith("ZeroDivisionError-test_harnesses-")
    kept = (tmp_path / f"{place}.input").read_bytes()
    assert kept.endswith(b"some")
    with pytest.raises(ZeroDivisionError):
        repeated(broken, kept)
    faults.recheck(partial(repeated, broken))
    assert faults.places() == [place]
    faults.recheck(partial(repeated, replace(broken, mutate=mutated_bytes)))
    assert faults.places() == []


def test_the_fuzzer_runs_counts_and_keeps_its_corpus(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed")
    command = [sys.executable, "-m", "tests.fuzz.run", "szdd", "--seconds", "1"]
    (tmp_path / "szdd" / "mutator").mkdir(parents=True)
    (tmp_path / "szdd" / "mutator" / "mended.input").write_bytes(b"seedSZDD")
    environment = {**os.environ, "DRVSIGN_FUZZ": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "finds: 0" in ran.stdout
    assert "mutator" not in ran.stdout, "what was kept raises nothing any more"
    assert len(list((tmp_path / "szdd" / "corpus").iterdir())) >= len(list(harness("szdd").seeds()))
    report = subprocess.run([*command[:3], "--report"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "| `szdd` | " in report.stdout
