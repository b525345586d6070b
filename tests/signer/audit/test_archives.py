"""Archives: cabinets, .zip files, ISO images and MSIs are examined like folders, within limits."""

from __future__ import annotations

import io
import os
import struct
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.submission.unpack import unpack_submission
from catalogs.verification.query import VerifyQuery
from signer.audit.archives import READERS, unpack_drivers
from signer.audit.examine import Question
from signer.audit.ledger import Ledger
from signer.audit.rows import Reason, Row
from signer.audit.run import audit
from signer.audit.units import ARCHIVES, Place, units
from signer.cab import read
from signer.cab.read import Listing
from signer.cab.write import NewFile, write
from signer.errors import FileError, MalformedInput
from signer.limits import LIMITS
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from tests.support.cabinets import cabinet
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.lzx_cabinets import lzx_cabinet
from tests.support.msi_files import msi

QUESTION = Question(VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC))))
FILES = {
    "hello/hello.inf": HELLO.encode(),
    "hello/hello.sys": PeSpec().build(),
    "other/loose.sys": PeSpec(fill=3).build(),
    "sources/install.wim": b"large",
}


def as_cabinet(files: dict[str, bytes]) -> bytes:
    return cabinet({name.replace("/", "\\"): data for name, data in files.items()})


def as_lzx_cabinet(files: dict[str, bytes]) -> bytes:
    pytest.importorskip("archi", reason="archi is not installed")
    return lzx_cabinet({name.replace("/", "\\"): data for name, data in files.items()})


def as_msi(files: dict[str, bytes]) -> bytes:
    """Return an MSI whose cabinet has the files under other names, F0 and so on."""
    pytest.importorskip("olefile", reason="olefile is not installed")
    keys = {f"F{number}": name for number, name in enumerate(files)}
    folders = {name.rpartition("/")[0] for name in files}
    return msi(
        {key: name.replace("/", ":") for key, name in keys.items()},
        {"data.cab": cabinet({key: files[name] for key, name in keys.items()})},
        [("TARGETDIR", "", "SourceDir"), *((folder, "TARGETDIR", folder) for folder in sorted(folders))],
    )


def as_zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def as_iso(*names: str) -> Callable[[dict[str, bytes]], bytes]:
    """Return the maker of an image with these of UDF, Joliet and Rock Ridge beside ISO 9660."""

    def make(files: dict[str, bytes]) -> bytes:
        pycdlib = pytest.importorskip("pycdlib", reason="pycdlib is not installed")
        image = pycdlib.PyCdlib()
        joliet, udf, ridge = ("joliet" in names, "udf" in names, "rock ridge" in names)
        image.new(
            interchange_level=3,
            joliet=3 if joliet else None,
            udf="2.60" if udf else None,
            rock_ridge="1.09" if ridge else None,
        )

        def paths(path: str, is_file: bool) -> dict[str, str]:
            return {
                **({"joliet_path": path} if joliet else {}),
                **({"udf_path": path} if udf else {}),
                **({"rr_name": path.rpartition("/")[2]} if ridge else {}),
                "iso_path": f"{path.upper()};1" if is_file else path.upper(),
            }

        for folder in sorted({name.rpartition("/")[0] for name in files}):
            image.add_directory(**paths(f"/{folder}", is_file=False))
        for name, data in files.items():
            image.add_fp(io.BytesIO(data), len(data), **paths(f"/{name}", is_file=True))
        buffer = io.BytesIO()
        image.write_fp(buffer)
        image.close()
        return buffer.getvalue()

    return make


FORMS: dict[str, tuple[str, Callable[[dict[str, bytes]], bytes]]] = {
    "a cabinet": ("x.cab", as_cabinet),
    "a cabinet with LZX": ("x.cab", as_lzx_cabinet),
    "a .zip": ("x.ZIP", as_zip),
    "an MSI": ("x.msi", as_msi),
    "an ISO image with UDF": ("x.iso", as_iso("udf", "joliet")),
    "an ISO image with Joliet": ("x.iso", as_iso("joliet")),
    "an ISO image with Rock Ridge": ("x.iso", as_iso("rock ridge")),
    "an ISO image with ISO 9660 alone": ("x.iso", as_iso()),
}


def rows(*places: Place) -> list[Row]:
    with Ledger() as ledger:
        audit(places, QUESTION, ledger)
        return list(ledger.rows())


@pytest.mark.parametrize(("name", "make"), FORMS.values(), ids=FORMS.keys())
def test_an_archive_gives_the_rows_of_its_files(
    tmp_path: Path, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    path = tmp_path / name
    path.write_bytes(make(FILES))
    found = rows(Place(path, "pc"))
    assert [(row.file.lower(), row.reason.answer, row.machines) for row in found] == [
        (f"{path}/hello/hello.sys".lower(), "already-refused", ("pc",)),
        (f"{path}/other/loose.sys".lower(), "already-refused", ("pc",)),
    ]
    assert [one.inf.lower() for one in found[0].packages] == [f"{path}/hello/hello.inf".lower()]


LEFT_OUT = {
    "too many folders": ("a/" * 1500 + "deep.sys", "1,501 names; the maximum is 100"),
    "a long name": ("n" * 300 + ".sys", "a name of 304 characters; the maximum is 255"),
    "the name of a device": ("hello/CON.sys", "the name of a device of Windows, CON"),
    "a folder with the name of a device": ("nul/hello.sys", "the name of a device of Windows, NUL"),
    "a path out of the archive": ("a/../../up.sys", "its path leads out of the archive"),
    "an absolute path": ("/up.sys", "its path begins with a separator"),
    "a drive": ("C:/up.sys", "the character ':'"),
    "a line feed in a catalog's name": ("a\nb.cat", "the character '\\n'"),
    "an INF below a folder with a dot at the end": ("x./hello.inf", "a dot or a space at the end"),
    "a name that is too long for this system, in UTF-8": ("\u4e00" * 250 + ".sys", "this system can't have a file"),
}


@pytest.mark.parametrize(("name", "reason"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_driver_file_that_is_left_out_is_a_row(tmp_path: Path, name: str, reason: str) -> None:
    if not name.isascii() and sys.platform != "linux":
        pytest.skip("only Linux counts the bytes of a name")
    path = tmp_path / "x.zip"
    path.write_bytes(as_zip({name: FILES["hello/hello.sys"], "other/loose.sys": FILES["other/loose.sys"]}))
    left, read_one = sorted(rows(Place(path, "pc")), key=lambda row: row.reason.rule != "not-unpacked")
    assert (left.file, left.reason.answer, left.machines) == (
        f"{path}/{name}".replace("/", os.sep),
        "needs-file",
        ("pc",),
    )
    assert left.reason.remedy.startswith("Not examined: ")
    assert reason in left.reason.remedy
    assert (Path(read_one.file).name, read_one.reason.answer) == ("loose.sys", "already-refused")


@pytest.mark.parametrize("name", ["CON", "../readme.txt", "/install.wim"])
def test_a_file_that_no_audit_reads_is_no_row(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.zip").write_bytes(as_zip({name: b"x", "loose.sys": FILES["other/loose.sys"]}))
    assert [Path(row.file).name for row in rows(Place(tmp_path / "x.zip"))] == ["loose.sys"]


@pytest.mark.parametrize("kind", ["a cabinet", "an MSI", "an ISO image with UDF", "an ISO image with Joliet"])
def test_other_archives_report_a_file_that_is_left_out(tmp_path: Path, kind: str) -> None:
    name, make = FORMS[kind]
    (tmp_path / name).write_bytes(make({"hello/NUL.sys": b"x", "other/loose.sys": FILES["other/loose.sys"]}))
    found = {Path(row.file).name: row.reason.rule for row in rows(Place(tmp_path / name))}
    assert found.pop("NUL.sys") == "not-unpacked"
    assert list(found) == ["loose.sys"]


def test_a_driver_that_no_cabinet_of_an_msi_has_is_a_row(tmp_path: Path) -> None:
    pytest.importorskip("olefile", reason="olefile is not installed")
    keys = {"IN": "in.sys", "OUT": "out.sys", "TXT": "readme.txt"}
    (tmp_path / "x.msi").write_bytes(msi(keys, {"x.cab": cabinet({"IN": FILES["other/loose.sys"]})}))
    found = {Path(row.file).name: row.reason for row in rows(Place(tmp_path / "x.msi"))}
    assert (found["in.sys"].answer, found["out.sys"].rule) == ("already-refused", "not-unpacked")
    assert "no cabinet of the MSI has it" in found["out.sys"].remedy
    assert len(found) == 2


@pytest.mark.parametrize(
    ("members", "left", "reason"),
    [
        (["a.sys", "a.sys/b.sys"], "a.sys/b.sys", "a file with the name of its folder"),
        (["a.sys/b.sys", "a.sys"], "a.sys", "a folder with its name"),
        (["a.sys", "a.sys/b/c/d.sys"], "a.sys/b/c/d.sys", "a file with the name of its folder"),
        (["a.sys", "a.sys"], "a.sys", "another file with its name"),
    ],
    ids=["the file first", "the folder first", "further folders", "two files"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_the_first_is_examined(
    tmp_path: Path, members: list[str], left: str, reason: str
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(["loose.sys", *members]):
            archive.writestr(name, PeSpec(fill=number + 1).build())
    found = rows(Place(path))
    assert [(row.file, row.reason.rule) for row in found if row.reason.answer == "needs-file"] == [
        (str(path / left), "not-unpacked")
    ]
    assert reason in next(row.reason.remedy for row in found if row.reason.answer == "needs-file")
    others = sorted(Path(row.file).name for row in found if row.reason.answer == "already-refused")
    assert others == sorted(["loose.sys", Path(members[0]).name])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_in_the_archive_twice_is_one_row(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for _ in range(2):
            archive.writestr("loose.sys", FILES["other/loose.sys"])
    assert [row.reason.answer for row in rows(Place(tmp_path / "x.zip"))] == ["already-refused"]


def test_versions_of_a_file_with_the_same_bytes_are_one_file(tmp_path: Path) -> None:
    """The bytes of a file of an image can be read once: the comparison of the second one reads them."""
    pycdlib = pytest.importorskip("pycdlib", reason="pycdlib is not installed")
    image, data = pycdlib.PyCdlib(), FILES["other/loose.sys"]
    image.new()
    for version in (1, 2):
        image.add_fp(io.BytesIO(data), len(data), f"/LOOSE.SYS;{version}")
    image.write(str(tmp_path / "x.iso"))
    image.close()
    assert unpack_drivers(tmp_path / "x.iso", tmp_path / "out") == []
    assert (tmp_path / "out/LOOSE.SYS").read_bytes() == data


DAMAGED: dict[str, tuple[str, bytes]] = {
    "an empty cabinet file": ("x.cab", b""),
    "a cut cabinet": ("x.cab", as_cabinet(FILES)[:200]),
    "a damaged .zip": ("x.zip", as_zip(FILES)[:200]),
    "a .zip with a name that is not UTF-8": ("x.zip", as_zip({"\u00e9.sys": b"x"}).replace(b"\xc3\xa9", b"\xff\xfe")),
    "a damaged MSI": ("x.msi", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    "something else with the name of an image": ("x.iso", b"\x01" * 70_000),
}


@pytest.mark.parametrize(("name", "data"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_archive_is_a_row(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    (row,) = rows(Place(tmp_path / name))
    assert (row.file, row.reason.answer) == (str(tmp_path / name), "needs-file")
    assert row.reason.rule in ("malformed-input", "file")
    assert row.reason.remedy


LEFT = b"left" * 2000
THREE = {"a.sys": PeSpec().build(), "left.sys": LEFT, "z.sys": PeSpec(fill=3).build()}


def zipped(method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a .zip with the three files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in THREE.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_flags(data: bytes, flags: int, method: int = 0) -> bytes:
    """Return the .zip with other flags and another method of compression of the second entry in its directory."""
    place = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    changed = bytearray(data)
    changed[place + 8 : place + 12] = struct.pack("<HH", flags, method)
    return bytes(changed)


def without_data(data: bytes) -> bytes:
    """Return the .zip with other compressed bytes of the second entry."""
    start = data.index(b"left.sys") + len("left.sys")
    return data[:start] + b"\xff" * 8 + data[start + 8 :]


def changed(data: bytes, old: bytes = LEFT[-8:]) -> bytes:
    """Return the data with another byte in the last place where these bytes are."""
    place = data.rindex(old)
    return data[:place] + b"\xff" + data[place + 1 :]


def mszip(*names: str) -> bytes:
    """Return a cabinet with the three files under these names; names with different folders are compressed apart."""
    pairs = zip(names, THREE.values(), strict=True)
    return write([NewFile(name, data, datetime(2026, 1, 1, tzinfo=UTC)) for name, data in pairs])


def last_block_of_second_folder(data: bytes) -> bytes:
    """Return the cabinet with a wrong byte at the end of its second folder."""
    (third,) = struct.unpack_from("<I", data, 36 + 2 * 8)
    return data[: third - 1] + bytes([data[third - 1] ^ 0xFF]) + data[third:]


ONE_DAMAGED: dict[str, tuple[bytes, str]] = {
    "other bytes": (zipped().replace(LEFT, LEFT[::-1]), "'left.sys' in the .zip is damaged"),
    "compressed data that is none": (without_data(zipped(zipfile.ZIP_DEFLATED)), "'left.sys' in the .zip is damaged"),
    "another name before the data": (zipped().replace(b"left.sysleft", b"test.sysleft"), "is damaged"),
    "a password": (with_flags(zipped(), 1), "'left.sys' in the .zip is encrypted"),
    "a method of compression that Windows does not read": (
        with_flags(zipped(), 0, zipfile.ZIP_LZMA),
        "compressed with method 14, which is not supported",
    ),
}


def two_cabinets(second: bytes | None) -> bytes:
    """Return an MSI with three drivers: the second is in a cabinet of its own, or in none."""
    keys = {"A": "a.sys", "LEFT": "left.sys", "Z": "z.sys"}
    first = cabinet({"A": THREE["a.sys"], "Z": THREE["z.sys"]})
    return msi(keys, {"y.cab": first} | ({"x.cab": second} if second is not None else {}), media=["#x.cab", "#y.cab"])


ONE_DAMAGED |= {
    "a damaged folder of a cabinet": (changed(cabinet(THREE, 3)), "the checksum of a data block of the cabinet"),
    "a damaged folder of a cabinet with MSZIP": (
        last_block_of_second_folder(mszip("a\\a.sys", "b\\left.sys", "c\\z.sys")),
        "the checksum of a data block of the cabinet",
    ),
    "a damaged cabinet of an MSI": (two_cabinets(changed(cabinet({"LEFT": LEFT}))), "the checksum of a data block"),
    "an MSI without one of its cabinets": (two_cabinets(None), "the MSI has no stream with its cabinet 'x.cab'"),
    "an MSI with a cabinet that is none": (two_cabinets(b"x"), "not a cabinet"),
}


def reasons(folder: Path, data: bytes) -> dict[str, Reason]:
    """Return the reasons of the rows of an archive with these bytes, by the name of the driver."""
    name = {b"PK": "x.zip", b"MS": "x.cab", b"\xd0\xcf": "x.msi"}[data[:2]]
    if name == "x.msi":
        pytest.importorskip("olefile", reason="olefile is not installed")
    (folder / name).write_bytes(data)
    return {Path(row.file).name: row.reason for row in rows(Place(folder / name))}


@pytest.mark.parametrize(("data", "reason"), ONE_DAMAGED.values(), ids=ONE_DAMAGED.keys())
def test_the_other_files_of_an_archive_have_their_rows(tmp_path: Path, data: bytes, reason: str) -> None:
    found = reasons(tmp_path, data)
    assert {name: one.answer for name, one in found.items()} == {
        "a.sys": "already-refused",
        "left.sys": "needs-file",
        "z.sys": "already-refused",
    }
    assert reason in found["left.sys"].remedy
    assert found["left.sys"].rule == "not-unpacked"


COPY, UNPACK = "Download or copy the archive again.", "Unpack it with another program"
BESIDE = msi({"A": "a.sys", "LEFT": "left.sys"}, {"y.cab": cabinet({"A": THREE["a.sys"]})}, media=["x.cab", "#y.cab"])
REMEDIES: dict[str, tuple[bytes, str]] = {
    "a damaged entry": (ONE_DAMAGED["other bytes"][0], COPY),
    "a damaged folder of a cabinet": (ONE_DAMAGED["a damaged folder of a cabinet"][0], COPY),
    "a damaged cabinet of an MSI": (ONE_DAMAGED["a damaged cabinet of an MSI"][0], COPY),
    "a password": (ONE_DAMAGED["a password"][0], UNPACK),
    "another method": (ONE_DAMAGED["a method of compression that Windows does not read"][0], UNPACK),
    "a cabinet that is not beside its MSI": (BESIDE, "Copy it into the folder of the MSI."),
}


@pytest.mark.parametrize(("data", "remedy"), REMEDIES.values(), ids=REMEDIES.keys())
def test_the_remedy_for_a_file_that_is_left_out_fits_its_reason(tmp_path: Path, data: bytes, remedy: str) -> None:
    assert f". {remedy}" in reasons(tmp_path, data)["left.sys"].remedy


def test_files_before_the_damage_of_their_folder_are_read() -> None:
    data = write([NewFile(name, LEFT * 5, datetime(2026, 1, 1, tzinfo=UTC)) for name in ("a.sys", "b.sys", "c.sys")])
    damaged = data[:-1] + bytes([data[-1] ^ 0xFF])  # the last of four blocks
    found = {file.name: content for file, content in Listing.parse(damaged).each(bool)}
    assert [found["a.sys"], found["b.sys"]] == [LEFT * 5] * 2
    assert isinstance(found["c.sys"], MalformedInput)


def test_a_submission_with_a_damaged_entry_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(with_flags(zipped(), 1))
    with pytest.raises(MalformedInput, match=r"'left\.sys' in the \.zip is encrypted") as caught:
        unpack_submission(tmp_path / "x.zip", tmp_path / "out")
    assert caught.value.path == tmp_path / "x.zip"


@pytest.mark.parametrize("cut", range(32_768, 60_000, 1531))
def test_an_image_that_ends_anywhere_is_an_error_of_its_own(tmp_path: Path, cut: int) -> None:
    (tmp_path / "x.iso").write_bytes(as_iso("joliet")(FILES)[:cut])
    for row in rows(Place(tmp_path / "x.iso")):
        assert row.reason.rule != "internal"


NAMES = ["../up.sys", "a/../../up.sys", "C:/up.sys", "nul.sys", "/up.sys"]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_out_of_the_archive_are_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.zip").write_bytes(as_zip({name: b"x", "a/in.sys": b"x"}))
    unpack_drivers(tmp_path / "x.zip", tmp_path / "out")
    assert list(tmp_path.rglob("*.sys")) == [tmp_path / "out" / "a" / "in.sys"]


@pytest.mark.parametrize(
    ("name", "make"), [FORMS["a cabinet"], FORMS["a .zip"], FORMS["an ISO image with Joliet"], FORMS["an MSI"]]
)
def test_an_archive_with_too_many_drivers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    monkeypatch.setitem(LIMITS, "archive-files", 2)
    monkeypatch.setattr(read, "MIN_BYTES_PER_FILE", 1_000_000)
    (tmp_path / name).write_bytes(make(FILES))
    with pytest.raises(MalformedInput, match="more than 2 files that would be unpacked") as caught:
        unpack_drivers(tmp_path / name, tmp_path / "out")
    assert "DRVSIGN_LIMITS=archive-files=off" in (caught.value.hint or "")
    monkeypatch.setitem(LIMITS, "archive-files", 3)
    assert unpack_drivers(tmp_path / name, tmp_path / "out") == []


def test_a_large_archive_may_have_more_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "archive-files", 0)
    (tmp_path / "x.zip").write_bytes(as_zip(FILES))
    monkeypatch.setattr(read, "MIN_BYTES_PER_FILE", (tmp_path / "x.zip").stat().st_size // 3)
    assert unpack_drivers(tmp_path / "x.zip", tmp_path / "out") == []


@pytest.mark.parametrize(("name", "make"), [FORMS["a cabinet"], FORMS["a .zip"]])
def test_a_submission_with_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    monkeypatch.setitem(LIMITS, "archive-files", 3)
    monkeypatch.setattr(read, "MIN_BYTES_PER_FILE", 1_000_000)
    (tmp_path / name).write_bytes(make(FILES))
    with pytest.raises(MalformedInput, match="more than 3 files that would be unpacked"):
        unpack_submission(tmp_path / name, tmp_path / "out")


@pytest.mark.parametrize(("name", "make"), [FORMS["a .zip"], FORMS["an ISO image with Joliet"]])
def test_an_archive_with_drivers_larger_than_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    monkeypatch.setitem(LIMITS, "cabinet-size", 100)
    monkeypatch.setattr(read, "MAX_EXPANSION", 0)
    (tmp_path / name).write_bytes(make(FILES))
    with pytest.raises(MalformedInput, match="100") as caught:
        unpack_drivers(tmp_path / name, tmp_path / "out")
    assert "DRVSIGN_LIMITS=cabinet-size=off" in (caught.value.hint or "")


def test_a_zip_of_zeros_is_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.sys", bytes(65 << 20))
        archive.writestr("readme.txt", b"not a driver")
    (row,) = rows(Place(tmp_path / "x.zip"))
    assert (row.reason.answer, row.reason.rule) == ("needs-file", "malformed-input")
    assert "cabinet-size=off" in row.reason.remedy


def test_other_files_of_a_zip_have_no_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hello.sys", FILES["hello/hello.sys"])
        archive.writestr("install.wim", bytes(65 << 20))
    (row,) = rows(Place(tmp_path / "x.zip"))
    assert row.file.endswith("hello.sys")


def test_without_the_library_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pycdlib", None)
    (tmp_path / "x.iso").write_bytes(b"x")
    with pytest.raises(FileError) as caught:
        unpack_drivers(tmp_path / "x.iso", tmp_path / "out")
    assert "drvsign[archives]" in (caught.value.hint or "")


def test_each_kind_of_archive_has_a_reader() -> None:
    assert set(READERS) == ARCHIVES


def test_archives_are_unpacked_if_the_call_names_them(tmp_path: Path) -> None:
    (tmp_path / "x.CAB").write_bytes(b"x")
    assert [one.archive for one in units([Place(tmp_path / "x.CAB")])] == [tmp_path / "x.CAB"]
    assert list(units([Place(tmp_path)])) == []
