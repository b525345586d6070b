"""Measure time and memory for the worst files of each format; the limits are 2 seconds and 300 MB for 10 MB.

    python -m bench.worst_files [MEGABYTES] [WORD]

Time is processor time of the whole command, its start (about half a second) and its helper process included, so that
other programs on the machine do not count. WORD selects cases by a part of their name. Exit code 1 if a case exceeds a
limit. docs/security.md has the limits on files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import _worst_files as worst
from bench._worst_files import Maker

MAX_SECONDS, MAX_MEGABYTES = 2.0, 300
KERNEL = ("--policy", "kernel")


@dataclass(frozen=True)
class Case:
    """A file, and a command that reads it: `{}` is its path."""

    name: str
    file: str
    make: Maker
    command: tuple[str, ...]


def of(name: str, file: str, make: Maker, *commands: str) -> list[Case]:
    """Return a case for each command, written as one line."""
    return [Case(f"{name}: {line.partition(' {')[0]}", file, make, tuple(line.split())) for line in commands]


IMAGE = ("verify {} --policy authenticode", "inspect {}", "digest {} --page-hashes", "sign {} --output {}.out")
SIGNATURE = IMAGE[:2]
INF = ("inf show {}", "inf lint {} --no-files", "inf lint {}", "catalog build {} --output {}.cat", "verify {}")
CATALOG = ("catalog show {}", "verify {}", "inspect {}", "catalog diff {} {}", "catalog check {} DRIVERS")
PACKED = ("catalog build PACKAGE --output {}.cat",)
LOG = ("explain {}",)
_NESTED = worst.image_of_signed_data
_MODEL = "[Manufacturer]\n%M% = M,NTamd64\n[M.NTamd64]\n"
_INSTALL = f"{_MODEL}%M%=I,P\n[I.NT]\n"
_STRINGS = '\n[Strings]\nM = "m"\n'


def install(number: int) -> str:
    """Lines of models and of the install sections that they name."""
    return f"[I{number}.NT]\nCopyFiles=F\nAddReg=R{number}\n" if number < 9000 else f"%M%=I{number % 9000},V{number}\n"


CASES = [
    *of("image", "a.sys", worst.image, *IMAGE),
    *of("image, 65,535 sections", "a.sys", worst.image_of_sections, *IMAGE),
    *of("image, small certificates", "a.sys", worst.image_of_table(worst.certificate_entry(b"")), *SIGNATURE),
    *of("image, millions of elements", "a.sys", _NESTED(worst.set_of_nulls), *SIGNATURE),
    *of("image, large certificates", "a.sys", _NESTED(worst.signed_by_many), *SIGNATURE),
    *of("image, nested sequences", "a.sys", _NESTED(worst.deeply_nested), *SIGNATURE),
    *of("catalog", "a.cat", worst.catalog, *CATALOG),
    *of("catalog, tags only", "a.cat", worst.catalog_of_tags, *CATALOG),
    *of("catalog, millions of elements", "a.cat", worst.set_of_nulls, *CATALOG[:3]),
    *of("cabinet, zeros", "a.cab", worst.cabinet_of_zeros, "submission check {}", "verify {}", "digest {}"),
    *of("cabinet, random", "a.cab", worst.cabinet, "submission check {}", "verify {}", "sign {} --output {}.out"),
    *of("cabinet, 65,535 folders", "a.cab", worst.cabinet_of_blocks, "submission check {}", "verify {}"),
    *of("packed, MSZIP zeros", "hello.sy_", worst.cabinet_of_zeros, *PACKED),
    *of("packed, SZDD copies", "hello.sy_", worst.szdd, *PACKED),
    *of("packed, SZDD short copies", "hello.sy_", worst.szdd_of_short_copies, *PACKED),
    *of("packed, SZDD literals", "hello.sy_", partial(worst.szdd, flags=0xFE), *PACKED),
    *of("INF, sections", "a.inf", worst.inf(lambda n: f"[s{n // 13}]\n" if n % 13 == 0 else f"k{n}=v\n"), *INF),
    *of("INF, too many sections", "a.inf", worst.inf(lambda n: f"[s{n}]\n"), *INF[:2]),
    *of("INF, lines", "a.inf", worst.inf(lambda n: f"k{n}=v,{n}\n", "[x]\n"), *INF),
    *of("INF, commas", "a.inf", worst.inf(lambda n: "," * 1000 + "\\\n", "[x]\nk="), *INF[:2]),
    *of("INF, quotes", "a.inf", worst.inf(lambda n: '"' * 1_000_000 + "\n", "[x]\n"), *INF[:2]),
    *of("INF, one long line", "a.inf", worst.inf(lambda n: '"', "[x]\nk="), *INF[:2]),
    *of("INF, continued line", "a.inf", worst.inf(lambda n: "v,\\\n", "[x]\nk="), *INF),
    *of("INF, strings", "a.inf", worst.inf(lambda n: f's{n} = "%s{n}%"\n', "[Strings]\n"), *INF),
    *of("INF, undefined strings", "a.inf", worst.inf(lambda n: f"%s{n}%=%t{n}%\n", "[x]\n"), *INF),
    *of("INF, comments", "a.inf", worst.inf(lambda n: ";\n", most=10**7), *INF[:2]),
    *of("INF, models", "a.inf", worst.inf(lambda n: f"%M% = I,PCI\\V{n}\n", _MODEL, _STRINGS), *INF),
    *of("INF, installs", "a.inf", worst.inf(install, _MODEL), *INF),
    *of("INF, includes", "a.inf", worst.inf(lambda n: f"Include=x{n}.inf\nNeeds=N{n}\n", _INSTALL), *INF),
    *of(
        "INF, copied files",
        "a.inf",
        worst.inf(lambda n: f"f{n}.sys\n", f"{_INSTALL}CopyFiles=F\n[DestinationDirs]\nF=13\n[F]\n"),
        *INF,
    ),
    *of(
        "CDF",
        "a.cdf",
        lambda size: worst.filled(
            lambda n: f"<HASH>f{n}=f.sys\n", size, "[CatalogHeader]\nName=a.cat\n[CatalogFiles]\n"
        ),
        "catalog build {} --output {}.cat",
    ),
    *of(
        "CDF, attributes",
        "a.cdf",
        lambda size: worst.filled(lambda n: f"CATATTR{n}=0x10010001:N{n}:v\n", size, "[CatalogHeader]\nName=a.cat\n"),
        "catalog build {} --output {}.cat",
    ),
    *of("certificate", "a.cer", worst.large_certificate, "certs show {}", "verify SYS --roots test-signing --root {}"),
    *of(
        "certificate, names",
        "a.cer",
        worst.certificate_of_names,
        "certs show {}",
        "verify SYS --roots test-signing --root {}",
    ),
    *of(
        "certificates",
        "a.pem",
        worst.certificates,
        "certs show {}",
        "verify SYS --roots test-signing --root {}",
        "verify SYS --intermediate {}",
    ),
    *of("revocation list", "a.crl", worst.revocation_list, "verify SYS --crl {}"),
    *of(
        "PFX",
        "a.pfx",
        worst.pfx,
        "certs show {} --password-env WORST_PASSWORD",
        "sign SYS --output {}.out --pfx {} --password-env WORST_PASSWORD",
    ),
    *of("policy, XML", "a.xml", worst.policy_xml, "verify SYS --block-list {}", "verify SYS --allow-list {}"),
    *of("events, XML", "a.xml", partial(worst.filled, worst.event, head="<Events>", tail="</Events>"), *LOG),
    *of("events, XML, no end", "a.xml", partial(worst.filled, lambda n: "<Event >\n"), *LOG),
    *of("events, XML, one line", "a.xml", partial(worst.filled, lambda n: "<Event ><x>"), *LOG),
    *of("events, JSON", "a.json", partial(worst.filled, worst.event_json, head="[", tail="{}]"), *LOG),
    *of("events, JSON, braces", "a.json", partial(worst.filled, lambda n: '{"a":', head='{"a":'), *LOG),
    *of(
        "events, JSON, one object",
        "a.json",
        partial(worst.filled, lambda n: '"x",', head='[{"a":["', tail='"]}]'),
        *LOG,
    ),
    *of("setupapi log", "a.log", partial(worst.filled, worst.setupapi), *LOG),
    *of(
        "setupapi log, one section",
        "a.log",
        partial(worst.filled, lambda n: f"!!!  sig: Error {n:#x}: x\n", head=">>>  [Device Install - X]\n"),
        *LOG,
    ),
    *of("text, one line", "a.txt", partial(worst.filled, lambda n: "Code Integrity determined "), *LOG),
    *of(
        "text, messages",
        "a.txt",
        partial(worst.filled, lambda n: f"Code Integrity determined that the image \\d{n}.sys\nis\nnot\n"),
        *LOG,
    ),
    *of("text, line feeds", "a.txt", partial(worst.filled, lambda n: "\n"), *LOG),
    *of("text, short lines", "a.txt", partial(worst.filled, lambda n: " a b c d e\n"), *LOG),
    *of("text, spaces", "a.txt", partial(worst.filled, lambda n: "\t"), *LOG),
    *of("text, slashes", "a.txt", partial(worst.filled, lambda n: f"INF:{'/' * 8000} driver x\n"), *LOG),
    *of("text, sentences", "a.txt", partial(worst.filled, lambda n: f"Code Integrity is {'a. ' * 1300}\n"), *LOG),
    *of("text, tools", "a.txt", partial(worst.filled, lambda n: f"driver {n}.sys error 5\n"), *LOG),
    *of("events, JSON, tiny", "a.json", partial(worst.filled, lambda n: '{"Id":3077},', head="[", tail="{}]"), *LOG),
    *of("events, CSV", "a.csv", partial(worst.filled, lambda n: f'3077,"{n}"\n', head="Id,Message\n"), *LOG),
    *of("text, UTF-16", "a.txt", partial(worst.filled, worst.setupapi, encoding="utf-16"), *LOG),
]


def run(case: Case, folder: Path, size: int) -> tuple[float, float, int]:
    """Write the file, run the command, and return processor seconds, megabytes and exit code."""
    path = folder / case.file
    if not path.exists():
        _write(path, case.make, size)
    words = {"SYS": worst.HELLO / "hello.sys", "DRIVERS": worst.HELLO, "PACKAGE": folder}
    command = [str(words.get(word, word.replace("{}", str(path)))) for word in case.command]
    usage, code = measured([sys.executable, "-m", "signer", *command])
    return usage[0], usage[1], code


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
            for case in (one for one in CASES if one.make is make and word in one.name):
                seconds, peak, code = run(case, folder, int(megabytes * 1e6))
                bad = seconds > MAX_SECONDS or peak > MAX_MEGABYTES or code not in (0, 1, 3)
                over += bad
                print(f"{seconds:7.2f} {peak:5.0f} {code:4}  {case.name}{'  <-- over' if bad else ''}", flush=True)
    if over:
        sys.exit(f"{over} cases exceed {MAX_SECONDS:g} seconds or {MAX_MEGABYTES} MB, or end with an unexpected code")


if __name__ == "__main__":
    main()
