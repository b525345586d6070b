"""Signing in builds: signer.mk with make, and the examples for CMake and Meson."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from signer.verify.gather import gather
from tests.support.files import ROOT
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package

MAKEFILE = "DRIVER := driver\ninclude $(shell $(DRVSIGN) --makefile)\n"


@pytest.fixture
def project(tmp_path: Path, warm_python: Path) -> Path:
    """A driver with a two-line makefile, and `drvsign` in the first folder of PATH."""
    program = tmp_path / "bin" / "drvsign"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{warm_python}" -m signer "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "project"
    write_package(folder / "driver", BASE)
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


def run(project: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{project.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if shutil.which(command[0], path=path) is None:
        pytest.skip(f"{command[0]} is not installed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, **variables}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # `make test` sets them
        environment.pop(name, None)
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def make(project: Path, *targets: str) -> str:
    done = run(project, "make", "DRVSIGN=drvsign", *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def signed(path: Path) -> bool:
    kind = "image" if path.suffix == ".sys" else "catalog" if path.suffix == ".cat" else "cabinet"
    signatures = gather(path.read_bytes(), kind, path.name).signatures  # type: ignore[arg-type]
    return bool(signatures) and all(one.intact for one in signatures)


def test_targets_build_in_parallel_and_only_once(project: Path) -> None:
    before = (project / "driver" / "sample.sys").read_bytes()
    for name in ("one", "two", "three"):
        (project / f"{name}.sys").write_bytes(PeSpec().build())
    targets = ("test-sign", "submission", "one.signed.sys", "two.signed.sys", "three.signed.sys")
    unsigned = "SUBMISSION_FLAGS=--unsigned"
    assert "drvsign package" in make(project, "-j4", *targets, unsigned)
    results = project / "build" / "signed"
    for path in (results / "test/sample.sys", results / "test/sample.cat"):
        assert signed(path)
    assert (results / "sample.cab").is_file()
    assert all(signed(project / f"{name}.signed.sys") for name in ("one", "two", "three"))
    assert (project / "driver" / "sample.sys").read_bytes() == before, "the driver is not signed in place"
    assert "drvsign" not in make(project, "-j4", *targets, unsigned).replace("signed", ""), "all targets are up to date"


def test_the_depfile_lists_files_that_only_the_inf_names(project: Path) -> None:
    inf = BASE.replace("sample.sys = 1", "sample.sys = 1\nextra.dat = 1").replace("[Drivers]", "[Drivers]\nextra.dat")
    write_package(project / "driver", inf, "sample.sys", "extra.dat")
    make(project, "test-sign")
    catalog = project / "build/signed/test/sample.cat"
    first = catalog.stat().st_mtime_ns
    assert "package" not in make(project, "test-sign")
    extra = project / "driver" / "extra.dat"
    extra.write_bytes(b"other")
    os.utime(extra, ns=(first + 10**9, first + 10**9))
    assert "package" in make(project, "test-sign")
    assert (project / "build/signed/test/extra.dat").read_bytes() == b"other"


def test_the_catalog_of_an_inf(project: Path) -> None:
    make(project, "driver/sample.cat")
    assert signed(project / "driver/sample.cat")
    assert "drvsign" not in make(project, "driver/sample.cat")


def test_a_catalog_of_another_signer_is_not_replaced(project: Path, tmp_path: Path) -> None:
    """Make replaces only catalogs that it built: those have a depfile."""
    catalog = project / "driver" / "sample.cat"
    assert (
        run(project, "drvsign", "package", "driver", "--output-dir", "theirs", "--certs", "their-certs").returncode == 0
    )
    shutil.copy(project / "theirs" / "sample.cat", catalog)
    theirs = catalog.read_bytes()
    os.utime(catalog, (0, 0))
    done = run(project, "make", "DRVSIGN=drvsign", "driver/sample.cat")
    assert (done.returncode != 0, "--replace" in done.stderr, catalog.read_bytes()) == (True, True, theirs)
    catalog.unlink()
    flags = "SIGN_FLAGS=--certs their-certs"
    make(project, "driver/sample.cat", flags)
    os.utime(project / "driver" / "sample.sys", (2**31, 2**31))
    make(project, "driver/sample.cat", flags)
    assert signed(catalog)


def test_a_deleted_prerequisite_does_not_stop_make(project: Path) -> None:
    make(project, "test-sign")
    inf = (project / "driver" / "sample.inf").read_bytes()
    (project / "driver" / "sample.sys").rename(project / "driver" / "other.sys")
    (project / "driver" / "sample.inf").write_bytes(inf.replace(b"sample.sys", b"other.sys"))
    make(project, "test-sign")
    assert signed(project / "build/signed/test/other.sys")


def test_a_failure_leaves_no_target_and_stops_make(project: Path) -> None:
    (project / "driver" / "sample.sys").unlink()
    (project / "bad.sys").write_bytes(b"MZ and no more")
    done = run(project, "make", "DRVSIGN=drvsign", "test-sign", "bad.signed.sys", "-k")
    assert done.returncode != 0
    assert not (project / "build/signed/test").exists()
    assert not (project / "bad.signed.sys").exists()


def test_a_release_without_a_profile_is_rejected(project: Path) -> None:
    done = run(project, "make", "DRVSIGN=drvsign", "release")
    assert done.returncode != 0
    assert "drvsign.toml" in done.stderr
    (project / "driver" / "drvsign.toml").write_text("[profile.release]\n")
    done = run(project, "make", "DRVSIGN=drvsign", "release")
    assert "a release needs a signer" in done.stderr
    assert not (project / "build/signed/release").exists()


def test_the_output_folder_must_not_be_the_package_folder(project: Path) -> None:
    done = run(project, str(project.parent / "bin/drvsign"), "package", "driver", "--output-dir", "driver")
    assert (done.returncode, "own folder" in done.stderr) == (2, True)


def copied_examples(project: Path, name: str) -> None:
    shutil.copytree(ROOT / "examples" / "hello", project / "examples" / "hello")
    shutil.copytree(ROOT / "examples" / name, project / "examples" / name)


def test_the_example_makefile(project: Path) -> None:
    shutil.copytree(ROOT / "examples", project / "examples")
    done = run(project, "make", "-f", "examples/Makefile", "DRVSIGN=drvsign", "test-sign")
    assert done.returncode == 0, done.stderr
    assert signed(project / "build/hello/test/hello.cat")


def test_the_example_for_cmake(project: Path) -> None:
    if shutil.which("ninja") is None:
        pytest.skip("ninja is not installed")
    copied_examples(project, "cmake")
    setup = run(project, "cmake", "-S", "examples/cmake", "-B", "out", "-G", "Ninja")
    assert setup.returncode == 0, setup.stderr
    assert run(project, "cmake", "--build", "out").returncode == 0
    assert signed(project / "out/signed/hello.cat") and signed(project / "out/signed/hello.sys")
    assert "no work to do" in run(project, "cmake", "--build", "out").stdout
    os.utime(project / "examples/hello/hello.inf")
    assert "Signing hello" in run(project, "cmake", "--build", "out").stdout


def test_the_example_for_meson(project: Path) -> None:
    copied_examples(project, "meson")
    setup = run(project, "meson", "setup", "out", "examples/meson")
    assert setup.returncode == 0, setup.stdout + setup.stderr
    built = run(project, "meson", "compile", "-C", "out")
    assert built.returncode == 0, built.stdout + built.stderr
    assert signed(project / "out/hello.cat") and signed(project / "out/hello.sys")
    assert "no work to do" in run(project, "ninja", "-C", "out").stdout


def as_template(inf: Path) -> Path:
    """Turn an INF into the template of an INF."""
    text = inf.read_text().replace("NTamd64", "NT$ARCH$")
    inf.unlink()
    inf.with_suffix(".inx").write_text(text)
    return inf.with_suffix(".inx")


def test_make_signs_what_a_template_becomes(project: Path) -> None:
    template = as_template(project / "driver" / "sample.inf")
    flags = "STAMP_FLAGS=--arch x64 --driver-version 4.3.2.1"
    assert "drvsign package" in make(project, flags)
    results = project / "build/signed/test"
    assert signed(results / "sample.cat")
    assert ",4.3.2.1" in (results / "sample.inf").read_text()
    assert "Nothing to be done" in make(project, flags)
    os.utime(template, ns=((results / "sample.cat").stat().st_mtime_ns + 10**9,) * 2)
    assert "drvsign package" in make(project, flags)
    assert not (project / "driver" / "sample.inf").exists()


def test_the_example_for_cmake_signs_what_a_template_becomes(project: Path) -> None:
    if shutil.which("ninja") is None:
        pytest.skip("ninja is not installed")
    copied_examples(project, "cmake")
    template = as_template(project / "examples/hello/hello.inf")
    values = "-DSTAMP_FLAGS=--driver-version 4.3.2.1"
    setup = run(project, "cmake", "-S", "examples/cmake", "-B", "out", "-G", "Ninja", values)
    assert setup.returncode == 0, setup.stderr
    built = run(project, "cmake", "--build", "out")
    assert built.returncode == 0, built.stdout + built.stderr
    assert signed(project / "out/signed/hello.cat")
    assert ",4.3.2.1" in (project / "out/signed/hello.inf").read_text()
    assert "no work to do" in run(project, "cmake", "--build", "out").stdout
    os.utime(template)
    assert "Signing hello" in run(project, "cmake", "--build", "out").stdout


def test_the_example_for_meson_signs_what_a_template_becomes(project: Path) -> None:
    copied_examples(project, "meson")
    as_template(project / "examples/hello/hello.inf")
    setup = run(project, "meson", "setup", "out", "examples/meson")
    assert setup.returncode == 0, setup.stdout + setup.stderr
    built = run(project, "meson", "compile", "-C", "out")
    assert built.returncode == 0, built.stdout + built.stderr
    assert signed(project / "out/hello.cat")
    assert "no work to do" in run(project, "ninja", "-C", "out").stdout


def test_plain_make_signs_what_init_found(project: Path) -> None:
    (project / "Makefile").unlink()
    assert run(project, "drvsign", "init").returncode == 0
    assert "drvsign package driver" in make(project)
    assert signed(project / "build/signed/test/sample.cat")
    assert "Nothing to be done" in make(project)


def test_plain_make_builds_the_driver_first_and_then_signs(project: Path) -> None:
    """The first rule of the makefile builds a file; the catalog and the package wait for it, also with -j."""
    (project / "driver" / "sample.sys").rename(project / "built.sys")
    rule = "driver/sample.sys: built.sys\n\tsleep 1; cp $< $@\n\n"
    for makefile in (rule + MAKEFILE, MAKEFILE + rule):
        (project / "driver" / "sample.sys").unlink(missing_ok=True)
        shutil.rmtree(project / "build", ignore_errors=True)
        (project / "Makefile").write_text(makefile)
        make(project, "-j4")
        assert signed(project / "build/signed/test/sample.sys")
    (project / "driver" / "sample.sys").unlink()
    make(project, "-j4", "driver/sample.cat")
    assert signed(project / "driver/sample.cat")


def test_a_target_that_is_no_file_stays_the_default(project: Path) -> None:
    (project / "Makefile").write_text("help:\n\t@echo targets\n\n" + MAKEFILE)
    assert make(project) == "targets\n"


def test_the_catalog_is_called_as_the_inf_says(project: Path) -> None:
    write_package(project / "driver", BASE.replace("sample.cat", "Other.cat"))
    make(project)
    assert signed(project / "build/signed/test/Other.cat")
    assert "Nothing to be done" in make(project)


@pytest.mark.parametrize("name", ["sample.sys", "sample.inf", "sample.cat"])
def test_a_deleted_result_is_made_again(project: Path, name: str) -> None:
    make(project)
    (project / "build/signed/test" / name).unlink()
    assert "drvsign package" in make(project)
    assert (project / "build/signed/test" / name).is_file()
    assert "Nothing to be done" in make(project)


def test_a_file_that_left_the_inf_leaves_the_results_and_nothing_else_does(project: Path) -> None:
    more = BASE.replace("sample.sys = 1", "sample.sys = 1\nextra.dat = 1").replace("[Drivers]", "[Drivers]\nextra.dat")
    write_package(project / "driver", more, "sample.sys", "extra.dat")
    make(project)
    results = project / "build/signed/test"
    (results / "notes.txt").write_text("mine")
    assert (results / "extra.dat").is_file()
    write_package(project / "driver", BASE)
    os.utime(project / "driver" / "sample.inf", ns=((results / "sample.cat").stat().st_mtime_ns + 10**9,) * 2)
    make(project)
    assert sorted(path.name for path in results.iterdir()) == ["notes.txt", "sample.cat", "sample.inf", "sample.sys"]
    assert (project / "driver" / "extra.dat").is_file()


def renamed(project: Path, *names: str) -> None:
    """Rename files of the driver, and their names in the INF."""
    folder = project / "driver"
    text = (folder / "sample.inf").read_bytes()
    for name in names:
        old = f"sample.{name.rpartition('.')[2]}"
        text = text.replace(old.encode(), name.encode())
        if (folder / old).exists():
            (folder / old).rename(folder / name)
    (folder / next(name for name in names if name.endswith(".inf"))).write_bytes(text)


@pytest.mark.parametrize("names", [("new.inf", "new.cat"), ("new.inf", "new.cat", "new.sys")], ids=["inf", "all"])
def test_a_renamed_inf_leaves_nothing_of_its_old_name(project: Path, names: tuple[str, ...]) -> None:
    make(project, "-j4")
    results = project / "build/signed/test"
    (results / "notes.txt").write_text("mine")
    renamed(project, *names)
    make(project, "-j4")
    driver = "new.sys" if "new.sys" in names else "sample.sys"
    assert sorted(path.name for path in results.iterdir()) == sorted(["new.cat", "new.inf", "notes.txt", driver])
    assert "Nothing to be done" in make(project, "-j4")


def test_without_drvsign_the_message_says_what_to_do(project: Path) -> None:
    (project / "Makefile").unlink()
    assert run(project, "drvsign", "init").returncode == 0
    done = run(project, "make", "DRVSIGN=no-such-program")
    assert done.returncode != 0
    assert "no-such-program was not found. Install drvsign" in done.stderr


def test_without_the_profile_the_message_says_what_to_do(project: Path) -> None:
    (project / "drvsign.toml").write_text("[profile.release]\n")
    done = run(project, "make", "DRVSIGN=drvsign")
    assert done.returncode != 0
    assert "Add a table: [profile.test]" in done.stderr


def test_the_results_of_a_package_in_the_current_folder_are_not_part_of_it(project: Path) -> None:
    (project / "driver" / "Makefile").write_text(MAKEFILE.replace("DRIVER := driver\n", ""))
    done = run(
        project / "driver", "make", "DRVSIGN=drvsign", PATH=f"{project.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    )
    assert done.returncode == 0, done.stderr
    assert signed(project / "driver-signed/test/sample.cat")


@pytest.mark.parametrize("system", ["cmake", "meson"])
def test_cmake_and_meson_notice_a_file_that_left_the_inf(project: Path, system: str) -> None:
    """No second setup by hand: they read the INF again when it changes."""
    copied_examples(project, system)
    folder = project / "examples/hello"
    inf = folder / "hello.inf"
    without = inf.read_bytes()
    inf.write_bytes(
        without.replace(b"hello.sys = 1", b"hello.sys = 1\r\nextra.dat = 1").replace(
            b"\r\nhello.sys\r\n", b"\r\nhello.sys\r\nextra.dat\r\n"
        )
    )
    (folder / "extra.dat").write_bytes(b"data")
    setup = ["cmake", "-S", "examples/cmake", "-B", "out", "-G", "Ninja"]
    done = run(project, *(setup if system == "cmake" else ["meson", "setup", "out", "examples/meson"]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(project, "ninja", "-C", "out").returncode == 0
    results = project / ("out/signed" if system == "cmake" else "out")
    assert (results / "extra.dat").is_file()
    inf.write_bytes(without.replace(b"hello.cat", b"other.cat"))
    done = run(project, "ninja", "-C", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert signed(results / "other.cat")
    assert [name for name in ("extra.dat", "hello.cat") if (results / name).exists()] == []
    assert "no work to do" in run(project, "ninja", "-C", "out").stdout


def test_results_that_were_deleted_are_made_again_by_cmake_and_meson(project: Path) -> None:
    copied_examples(project, "cmake")
    shutil.copytree(ROOT / "examples" / "meson", project / "examples" / "meson")
    setups = [
        ("out/signed", ("cmake", "-S", "examples/cmake", "-B", "out", "-G", "Ninja")),
        ("meson", ("meson", "setup", "meson", "examples/meson")),
    ]
    for results, setup in setups:
        assert run(project, *setup).returncode == 0
        folder = results.partition("/")[0]
        assert run(project, "ninja", "-C", folder).returncode == 0
        (project / results / "hello.sys").unlink()
        assert run(project, "ninja", "-C", folder).returncode == 0
        assert signed(project / results / "hello.sys")
        assert "no work to do" in run(project, "ninja", "-C", folder).stdout
